import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { ConfigMap, Namespace } from "../../lib/operator/mod.ts";
import { Deployment } from "../../lib/operator/builtin_kinds.ts";
import type { Ended } from "./binary.ts";
import { type FakeMachine, type FakeMachineOptions, HANG, kindOf, operatorRoot } from "./fake_kind.ts";
import type { HttpsCluster } from "./https_cluster.ts";
import { readyAtOnce } from "./ready_at_once.ts";

const MAIN = "tests/cli/patient_operator.ts";
const KIND = ["test", "--cluster", "kind"];
const DEPLOYED = ["--deployed", "--image", "mine:1"];

/** Where a run is interrupted. */
interface ScenarioEnvironment {
  readonly args?: readonly string[];
  readonly machine?: FakeMachineOptions;
  /** Resolves when the run is there. */
  readonly until: (given: { machine: FakeMachine; cluster: HttpsCluster }) => Promise<void>;
  /** Clusters that stay, since they were there before. */
  readonly stays?: readonly string[];
  /** Whether pods become ready. */
  readonly ready?: true;
}

/** A cluster that is half made when its creation hangs. */
const HALF_MADE = `echo "$name" >> "$state/clusters"; ${HANG}`;

const STAGES: Record<string, ScenarioEnvironment> = {
  "the search for a container runtime": {
    machine: { hooks: { "docker info": HANG } },
    until: ({ machine }) => machine.untilHangs(/^docker info/),
  },
  "the creation of the cluster": {
    machine: { hooks: { "kind create": HALF_MADE } },
    until: ({ machine }) => machine.untilHangs(/^kind create/),
  },
  "the creation of a cluster that is to be kept": {
    args: ["--keep-cluster"],
    machine: { hooks: { "kind create": HALF_MADE } },
    until: ({ machine }) => machine.untilHangs(/^kind create/),
  },
  "the build of the image": {
    args: ["--deployed"],
    machine: { hooks: { "docker build": HANG } },
    until: ({ machine }) => machine.untilHangs(/^docker build/),
  },
  "the load of the image": {
    args: ["--deployed"],
    machine: { hooks: { "kind load": HANG } },
    until: ({ machine }) => machine.untilHangs(/^kind load/),
  },
  "the load of the image into a cluster that was there": {
    args: ["--deployed", "--reuse"],
    machine: { hooks: { "kind load": HANG }, clusters: ["pintle-test"] },
    until: ({ machine }) => machine.untilHangs(/^kind load/),
    stays: ["pintle-test"],
  },
  "the application of the manifests": {
    args: DEPLOYED,
    machine: { hooks: { "kubectl apply": HANG }, images: ["mine:1"] },
    until: ({ machine }) => machine.untilHangs(/^kubectl apply/),
  },
  "the rollout": {
    args: DEPLOYED,
    machine: { images: ["mine:1"] },
    until: ({ cluster }) => cluster.untilThere(Deployment, "patient"),
  },
  "the rollout in a cluster that was there": {
    args: [...DEPLOYED, "--reuse"],
    machine: { images: ["mine:1"], clusters: ["pintle-test"] },
    until: ({ cluster }) => cluster.untilThere(Deployment, "patient"),
    stays: ["pintle-test"],
  },
  "a scenario with the operator as a pod": {
    args: [...DEPLOYED, "--reuse"],
    machine: { images: ["mine:1"], clusters: ["pintle-test"], node: ["kindnetd:1"] },
    until: ({ cluster }) => cluster.untilThere(ConfigMap, "b"),
    stays: ["pintle-test"],
    ready: true,
  },
  "a scenario": { until: ({ cluster }) => cluster.untilThere(ConfigMap, "b") },
  "a scenario on a cluster that was there": {
    args: ["--reuse"],
    machine: { clusters: ["pintle-test"] },
    until: ({ cluster }) => cluster.untilThere(ConfigMap, "b"),
    stays: ["pintle-test"],
  },
  "the teardown": {
    args: ["--filter", "it passes"],
    machine: { hooks: { "kind delete": `touch "$state/hangs"; until [ -e "$state/go" ]; do sleep 0.02; done` } },
    until: ({ machine }) => machine.untilHangs(/^kind delete/),
  },
};

/** What a run must end with that was interrupted once. */
function assertInterrupted({ code, out, err }: Ended): void {
  assert.equal(code, 130, out + err);
  assert.equal(err, "");
  assert.match(out.trimEnd().split("\n").at(-1)!, /^[01] passed, 0 failed$/);
}

/** Names of what is in a cluster beyond what every cluster has. */
async function contents(cluster: HttpsCluster): Promise<string[]> {
  const namespaces = await cluster.client.list<KubeObject>(Namespace);
  const deployments = await cluster.client.list<KubeObject>(Deployment);
  return [...namespaces.items, ...deployments.items].map(({ metadata }) => metadata!.name!)
    .filter((name) => name !== "default" && !name.startsWith("kube-")).sort();
}

for (const [what, { args = [], machine: options, until, stays = [], ready }] of Object.entries(STAGES)) {
  // FR-167
  Deno.test(`Ctrl-C during ${what} ends the run with 130, and nothing is left behind`, async () => {
    await using given = await kindOf(options);
    await using root = await operatorRoot();
    const { machine, cluster } = given, env = { PATIENT_ROOT: root.path };
    await using _ready = ready && readyAtOnce(cluster.client);
    await using binary = await machine.start([...KIND, ...args], { main: MAIN, env });
    await Promise.race([until(given), failsToGetThere(binary.ended())]);
    binary.kill("SIGINT");
    if (what === "the teardown") await machine.release();
    assertInterrupted(await binary.ended());
    await machine.assertClean({ ...options, clusters: stays });
    if (stays.length > 0) assert.deepEqual(await contents(cluster), []);
    assert.deepEqual(await machine.processes(), []);
  });
}

async function failsToGetThere(ended: Promise<Ended>): Promise<never> {
  const { out, err } = await ended;
  throw new Error(`it ended before:\n${out}\n${err}`);
}

for (
  const [what, late] of [
    ["goes only after a while", `echo >> "$state/late"; [ "$(wc -l < "$state/late")" -ge 3 ] || exit 0`],
    [
      "comes to be after the deletion",
      `[ -e "$state/late" ] || { : > "$state/clusters"; (sleep 0.3; echo "$name" >> "$state/clusters"; touch "$state/late") > /dev/null 2>&1 & exit 0; }`,
    ],
  ] as const
) {
  // FR-167
  Deno.test(`a node that ${what}, since its creation was under way, is deleted all the same`, async () => {
    await using given = await kindOf({ hooks: { "kind create": HALF_MADE, "kind delete": late } });
    await using binary = await given.machine.start(KIND, { main: MAIN });
    await given.machine.untilHangs(/^kind create/);
    binary.kill("SIGINT");
    assertInterrupted(await binary.ended());
    await given.machine.assertClean();
  });
}

// FR-167
Deno.test("a terminal that is closed ends the run as Ctrl-C does, also where it says so twice, and nothing is left behind", async () => {
  const slow = `touch "$state/hangs"; until [ -e "$state/go" ]; do sleep 0.02; done; : > "$state/clusters"`;
  await using given = await kindOf({ hooks: { "kind create": HALF_MADE, "kind delete": slow } });
  const { machine } = given;
  await using binary = await machine.start(KIND, { main: MAIN });
  await machine.untilHangs(/^kind create/);
  binary.kill("SIGHUP");
  await machine.untilHangs(/^kind delete/);
  binary.kill("SIGHUP");
  await machine.release();
  assertInterrupted(await binary.ended());
  await machine.assertClean();
  assert.deepEqual(await machine.processes(), []);
});

// FR-167
Deno.test("what could not be cleared up after a Ctrl-C is told, with the command that does", async () => {
  const fails = `echo "ERROR: daemon gone" >&2; exit 1`;
  await using given = await kindOf({ hooks: { "kind create": HALF_MADE, "kind delete": fails } });
  await using binary = await given.machine.start(KIND, { main: MAIN });
  await given.machine.untilHangs(/^kind create/);
  binary.kill("SIGINT");
  const { code, out, err } = await binary.ended();
  assert.deepEqual([code, err], [130, ""], out);
  assert.match(
    out,
    /^✗ kind cluster pintle-test was not deleted; delete it with `kind delete cluster --name pintle-test`: .*daemon gone$/m,
  );
});

// FR-167
Deno.test("a second Ctrl-C ends the run at once with 130, and the cluster is deleted in the background", async () => {
  const slow = `touch "$state/hangs"; until [ -e "$state/go" ]; do sleep 0.02; done`;
  await using given = await kindOf({ hooks: { "kind create": HALF_MADE, "kind delete": slow } });
  const { machine } = given;
  await using binary = await machine.start(KIND, { main: MAIN });
  await machine.untilHangs(/^kind create/);
  binary.kill("SIGINT");
  await machine.untilHangs(/^kind delete/);
  binary.kill("SIGINT");
  const { code, err } = await binary.ended();
  assert.deepEqual([code, err], [130, "kind cluster pintle-test is being deleted in the background\n"]);
  await machine.release();
  await machine.until(async () => (await machine.lines("clusters")).length === 0);
  await machine.untilEnded();
  await machine.assertClean();
});

// FR-167
Deno.test("a second Ctrl-C where the cluster stays says what may be left in it", async () => {
  await using given = await kindOf({ clusters: ["pintle-test"] });
  const { machine, cluster } = given;
  await using binary = await machine.start([...KIND, "--reuse"], { main: MAIN });
  await cluster.untilThere(ConfigMap, "b");
  await cluster.closeDoor(); // clearing up takes its time now
  binary.kill("SIGINT");
  await binary.until(/did not finish/);
  binary.kill("SIGINT");
  const { code, err } = await binary.ended();
  assert.equal(code, 130);
  assert.match(err, /^namespaces test-\S+-… and the operator's CRDs and rights may be left in the kind cluster\n$/);
  await machine.assertClean({ clusters: ["pintle-test"] });
});
