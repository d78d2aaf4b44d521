import assert from "node:assert/strict";
import { type ApiResource, formatKey, type KubeObject } from "../../lib/apimachinery/mod.ts";
import { LEASES, microTime } from "../../lib/election/lease.ts";
import { CRDS } from "../../lib/admission/crd_conversion.ts";
import { issueServing } from "../../lib/admission/serving_certificates.ts";
import { Deployment, Namespace, Pod, Service } from "../../lib/operator/mod.ts";
import { Replication, type ReplicationObject } from "../../lib/replicator/mod.ts";
import { EmbeddedApiServer } from "../../lib/apiserver/mod.ts";
import { TestAuthority } from "../client/test_authority.ts";
import { findProgram } from "../outside_program.ts";
import { COMMAND, runBinary } from "./binary.ts";
import { endedAtHangingServer } from "./hanging_server.ts";
import { ACCOUNT, InstalledCluster } from "./installed_cluster.ts";
import { kubeconfigText } from "./kubeconfig_text.ts";
import { Screen } from "./screen.ts";

const python = await findProgram("python3"); // its pty module is the terminal

const ROLE: ApiResource = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  namespaced: false,
};

interface Diagnosed {
  readonly code: number;
  /** The findings of a check, each with its verdict before it. */
  findings(check: string): string[];
}

/** What doctor finds, as programs read it. */
async function diagnose(cluster: InstalledCluster): Promise<Diagnosed> {
  const { code, out, err } = await cluster.run(["doctor", "--output", "json"]);
  assert.equal(err, "");
  const found = JSON.parse(out) as { check: string; verdict: string; message: string; fix?: string }[];
  for (const { verdict, message, fix } of found) assert.ok(verdict === "ok" || fix, `${message} has no fix`);
  const findings = (name: string) =>
    found.filter(({ check }) => check === name).map(({ verdict, message }) => `${verdict}: ${message}`);
  return { code, findings };
}

/** A Deployment of the operator with an environment, and without pods. */
async function deploy(cluster: InstalledCluster, env: Record<string, string>, more: object = {}): Promise<void> {
  const labels = { app: "operator" };
  const container = { name: "operator", image: "pintle", resources: { limits: { memory: "40Mi" } } };
  const variables = Object.entries(env).map(([name, value]) => ({ name, value }));
  const pod = { serviceAccountName: ACCOUNT.name, containers: [{ ...container, env: variables }] };
  const template = { metadata: { labels }, spec: pod };
  const spec = { paused: true, selector: { matchLabels: labels }, template, ...more };
  await cluster.client.apply<KubeObject>(Deployment, { metadata: ACCOUNT, spec } as KubeObject);
}

// FR-223
Deno.test("doctor finds a fresh installation in order, but for pods, line by line, and writes nothing", async () => {
  await using cluster = await InstalledCluster.open();
  const crd = () => cluster.client.get(CRDS, { name: "replications.pintle.dev" });
  const before = (await crd()).metadata?.resourceVersion;
  const lines = await cluster.done("doctor");
  assert.match(lines[0]!, /^ok: server: Kubernetes v1\.\d+.* at https:\/\/127\.0\.0\.1:\d+$/);
  assert.deepEqual(lines.slice(1, 7), [
    "ok: clock: the server's clock and this machine's agree",
    "ok: installation: 7 objects are as the operator declares them",
    "ok: rights: ServiceAccount pintle-system/pintle-replicator may do all that the operator declares",
    `ok: you: you may do all that the operator declares, so \`${COMMAND} run\` works here`,
    "warning: pods: no pod works as ServiceAccount pintle-system/pintle-replicator",
    `  fix: kubectl apply -k deploy/overlays/prod, or \`${COMMAND} run\` where it should run`,
  ]);
  assert.equal(lines[7], "ok: objects: all is well with replications.pintle.dev");
  assert.match(lines[8]!, /^ok: memory: about \d+ MiB at the peak, of which \d+ MiB for \w+$/);
  assert.match(lines[9]!, /^ok: trust: no namespace is trusted everywhere: copies go only where a Namespace has the/);
  assert.deepEqual(lines.slice(10), ["8 ok, 1 warning"]);
  assert.equal((await crd()).metadata?.resourceVersion, before);
});

// FR-323
Deno.test("doctor lists the trusted namespaces: by the deployed setting, and by their own annotations", async () => {
  await using cluster = await InstalledCluster.open();
  const run = crypto.randomUUID().slice(0, 8), platform = `platform-${run}`, absent = `absent-${run}`;
  const accepting = { [`team-a-${run}`]: platform, [`team-b-${run}`]: "*", [`team-c-${run}`]: "Team_C" };
  const names = [platform, ...Object.keys(accepting)];
  try {
    await cluster.client.create(Namespace, { metadata: { name: platform } } as KubeObject);
    for (const [name, from] of Object.entries(accepting)) {
      await cluster.client.create(Namespace, { metadata: { name, annotations: { "pintle.dev/accept-from": from } } });
    }
    await deploy(cluster, { PINTLE_TRUSTED_NAMESPACES: `${platform},${absent}` });
    const { out } = await cluster.run(["doctor"]);
    const told = (line: string) => assert.ok(out.includes(line), `${line}\nis not in\n${out}`);
    told(`ok: trust: PINTLE_TRUSTED_NAMESPACES (${platform},${absent}) trusts ${platform}\n`);
    told(`warning: trust: PINTLE_TRUSTED_NAMESPACES trusts ${absent}, which does not exist: its creator will be`);
    told(`ok: trust: namespace team-a-${run} accepts copies from ${platform}\n`);
    told(
      `warning: trust: namespace team-b-${run} accepts copies from *, which is every namespace\n  fix: kubectl annotate`,
    );
    told(`warning: trust: pintle.dev/accept-from of namespace team-c-${run}: "Team_C" holds "T"`);
    await deploy(cluster, { PINTLE_TRUSTED_NAMESPACES: "*" });
    assert.match(
      (await cluster.run(["doctor"])).out,
      /^warning: trust: .* everyone who may create a Replication in any of them/m,
    );
    await deploy(cluster, { PINTLE_TRUSTED_NAMESPACES: "Team" });
    assert.match((await cluster.run(["doctor"])).out, /PINTLE_TRUSTED_NAMESPACES: "Team" has "Team", which matches no/);
  } finally {
    for (const name of names) await cluster.client.delete(Namespace, { name });
  }
});

// FR-223
Deno.test("nothing installed is one problem with its command; something missing is named, with the rights that go with it", async () => {
  await using cluster = await InstalledCluster.open({ install: false });
  const bare = await cluster.run(["doctor"]);
  assert.deepEqual([bare.code, bare.err], [1, ""]);
  assert.match(
    bare.out,
    /^problem: installation: pintle-replicator is not installed\n {2}fix: deno run -A \S+\/main\.ts install$/m,
  );
  assert.equal(bare.out.match(/^problem/mg)!.length, 1, "what follows from it is not told again");
  const elsewhere = await cluster.run(["doctor", "--namespace", "elsewhere"]);
  assert.match(elsewhere.out, /^ {2}fix: deno run -A \S+\/main\.ts install --namespace elsewhere$/m);
  await cluster.done("install");
  await cluster.client.delete(ROLE, { name: ACCOUNT.name });
  const half = await diagnose(cluster);
  assert.equal(half.code, 1);
  assert.deepEqual(half.findings("installation"), ["problem: clusterrole pintle-replicator is missing"]);
  const rights = half.findings("rights");
  assert.equal(rights.length, 6);
  assert.ok(
    rights.includes(
      "problem: ServiceAccount pintle-system/pintle-replicator is not allowed to get, list, watch in namespaces"
        .replace("in namespaces", 'namespaces in API group ""'),
    ),
    rights.join("\n"),
  );
  assert.match(half.findings("you")[0]!, /^ok/, "the administrator's own rights are another matter");
  await cluster.done("install");
  assert.equal((await diagnose(cluster)).code, 0);
});

// FR-223
Deno.test("a CRD and a role that say something else than the operator declares are told field by field", async () => {
  await using cluster = await InstalledCluster.open();
  const key = { name: "replications.pintle.dev" };
  const path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
  await cluster.client.patch(CRDS, key, {
    type: "json",
    body: [
      { op: "remove", path: `${path}/suspend` },
      { op: "add", path: `${path}/more`, value: { type: "string" } },
    ],
  });
  const rule = { apiGroups: [""], resources: ["pods"], verbs: ["delete"] };
  await cluster.client.patch(ROLE, { name: ACCOUNT.name }, {
    type: "json",
    body: [{ op: "add", path: "/rules/-", value: rule }],
  });
  const { code, findings } = await diagnose(cluster);
  assert.equal(code, 1);
  assert.deepEqual(findings("installation"), [
    "problem: customresourcedefinition replications.pintle.dev is not as this operator declares it: " +
    "schema.properties.spec.properties.more is not declared, schema.properties.spec.properties.suspend is missing",
    "problem: clusterrole pintle-replicator is not as this operator declares it: rules.pods.delete is not declared",
  ]);
});

// FR-186
Deno.test("doctor sees a freeze of the peering that --peering names, and of the one that the pods are set to", async () => {
  await using cluster = await InstalledCluster.open();
  const team = await cluster.namespace("team"), peering = `${team}/shared`;
  await cluster.done("freeze", "--peering", peering, "--lifetime", "1h", "--id", "ada");
  assert.doesNotMatch((await cluster.run(["doctor"])).out, /peering/);
  const seen = new RegExp(`warning: peering: ${peering}: ada .* freezes .*\n  fix: (.* resume .*)\n`);
  assert.match((await cluster.run(["doctor", "--peering", peering])).out, seen);
  await deploy(cluster, { PINTLE_PEERING: peering });
  const [, fix] = seen.exec((await cluster.run(["doctor"])).out) ?? [];
  assert.equal(fix, `${COMMAND} resume --peering ${peering} --id "ada"`);
  await cluster.done("resume", "--peering", peering, "--id", "ada");
  assert.doesNotMatch((await cluster.run(["doctor"])).out, /peering/);
});

// FR-223
Deno.test("a Deployment's settings, replicas, memory and namespace are judged before anybody waits for its pods", async () => {
  await using cluster = await InstalledCluster.open();
  await deploy(cluster, { PINTLE_LOG_LEVL: "debug", PINTLE_WORKERS_MAX: "0" });
  const wrong = await diagnose(cluster);
  assert.equal(wrong.code, 1);
  assert.deepEqual(wrong.findings("settings"), [
    "problem: deployment pintle-system/pintle-replicator: PINTLE_LOG_LEVL is not a setting; did you mean PINTLE_LOG_LEVEL?",
    'problem: deployment pintle-system/pintle-replicator: PINTLE_WORKERS_MAX: "0" must be a whole number from 1 to 1000',
  ]);
  assert.match(
    wrong.findings("memory")[0]!,
    /^problem: about \d+ MiB .* more than container operator's limit of 40Mi$/,
  );
  assert.match(wrong.findings("namespace")[0]!, /^warning: namespace pintle-system enforces Pod Security "privileged"/);
  await deploy(cluster, { PINTLE_GRACE_PERIOD: "1m" }, { replicas: 2 });
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  await cluster.client.patch(Namespace, { name: ACCOUNT.namespace }, { type: "merge", body: { metadata: { labels } } });
  const two = await diagnose(cluster);
  assert.deepEqual(two.findings("settings").map((each) => each.replace(/^(\w+): \S+ \S+: /, "$1: ")), [
    "problem: 2 replicas do the same work, since none of them leads",
    "warning: pods are killed after 30s, before their grace of 1m is over",
  ]);
  assert.deepEqual(two.findings("namespace"), ["ok: namespace pintle-system admits restricted pods only"]);
  await deploy(cluster, {}, { replicas: 0 });
  assert.deepEqual((await diagnose(cluster)).findings("pods"), [
    "warning: deployment pintle-system/pintle-replicator is scaled to 0",
  ]);
});

// FR-223
Deno.test("why pods do not work is told: what a container waits for, and what keeps pods from being made at all", async () => {
  await using cluster = await InstalledCluster.open();
  await cluster.pod("hanging", {
    phase: "Pending",
    initContainerStatuses: [{
      name: "prepare",
      ready: false,
      restartCount: 0,
      image: "pintle",
      imageID: "",
      state: { waiting: { reason: "ErrImagePull", message: "no such image" } },
    }],
  });
  const { code, findings } = await diagnose(cluster);
  assert.equal(code, 1);
  assert.deepEqual(findings("pods"), [
    "problem: pod pintle-system/hanging: container prepare waits: ErrImagePull: no such image",
  ]);
  await cluster.client.delete(Pod, { ...ACCOUNT, name: "hanging" }, { gracePeriodSeconds: 0 });
  await deploy(cluster, {});
  const condition = {
    type: "ReplicaFailure",
    status: "True",
    reason: "FailedCreate",
    message: 'violates "restricted"',
  };
  const status = { conditions: [{ ...condition, lastTransitionTime: "2026-01-01T00:00:00Z" }] };
  await cluster.client.patch(Deployment, ACCOUNT, { type: "merge", subresource: "status", body: { status } as never });
  assert.ok(
    (await diagnose(cluster)).findings("pods").includes(
      'problem: deployment pintle-system/pintle-replicator: FailedCreate: violates "restricted"',
    ),
  );
});

// FR-223
Deno.test("a webhook without a server is a problem before a write is refused", async () => {
  await using cluster = await InstalledCluster.open();
  const webhooks = async () => (await diagnose(cluster)).findings("webhooks");
  assert.deepEqual(await webhooks(), []);
  await cluster.webhook();
  const name = "validatingwebhookconfiguration pintle-replicator";
  assert.deepEqual(await webhooks(), [
    `problem: ${name}: the caBundle is empty, so API servers trust no response`,
  ]);
  const { pem } = await TestAuthority.create();
  await cluster.webhook({ caBundle: btoa(pem) });
  assert.deepEqual(await webhooks(), [`problem: ${name}: no pod answers, so writes of replications are refused`]);
  const labels = { app: "operator" };
  await cluster.pod("operator-1", undefined, labels);
  const service = { namespace: ACCOUNT.namespace, name: `${ACCOUNT.name}-webhook` };
  const refused = "so writes of replications are refused";
  assert.deepEqual(await webhooks(), [`problem: ${name}: there is no service ${formatKey(service)}, ${refused}`]);
  const point = (selector: object) =>
    cluster.client.apply(Service, { metadata: service, spec: { selector, ports: [{ port: 443 }] } } as never);
  await point({ app: "another" });
  assert.deepEqual(await webhooks(), [
    `problem: ${name}: service ${formatKey(service)} selects none of the 1 pods that work, ${refused}`,
  ]);
  await point(labels);
  assert.deepEqual(await webhooks(), [`ok: ${name}: 1 webhooks reach a pod`]);
  const ended = issueServing(["nobody"], Date.parse("2020-01-01T00:00:00Z"), 86_400_000).authority;
  await cluster.webhook({ caBundle: btoa(ended) });
  assert.deepEqual(await webhooks(), [
    `problem: ${name}: the CA certificate in the caBundle expired at 2020-01-02T00:00:00.000Z, so API servers trust no response`,
  ]);
  await cluster.webhook({ caBundle: btoa(ended + pem) });
  assert.deepEqual(await webhooks(), [`ok: ${name}: 1 webhooks reach a pod`]);
});

// FR-223
Deno.test("a lease that its holder renews names who leads; one that is not renewed while pods work is a problem", async () => {
  await using cluster = await InstalledCluster.open();
  await deploy(cluster, { PINTLE_LEADER_ELECTION: "on" }, { replicas: 2 });
  const leader = async () => (await diagnose(cluster)).findings("leader");
  assert.deepEqual(await leader(), ["warning: no replica leads"]);
  await cluster.pod("operator-1");
  assert.deepEqual(await leader(), ["problem: 1 pods work and none of them leads"]);
  const hold = (renewedMs: number) => {
    const renewTime = microTime(renewedMs);
    const spec = { holderIdentity: "operator-1_abc", leaseDurationSeconds: 15, renewTime, acquireTime: renewTime };
    return cluster.client.apply<KubeObject>(LEASES, { metadata: ACCOUNT, spec } as KubeObject);
  };
  await hold(Date.now());
  assert.match((await leader())[0]!, /^ok: operator-1_abc leads, and renewed its Lease \S+ ago$/);
  await hold(Date.now() - 3_600_000);
  assert.match(
    (await leader())[0]!,
    /^problem: no replica leads: operator-1_abc did, and last renewed its Lease (1h|59m5\ds) ago$/,
  );
});

// FR-223
Deno.test("an object that its operator calls not ready is named with its reason", async () => {
  await using cluster = await InstalledCluster.open();
  const namespace = await cluster.namespace("a");
  {
    await using operator = await cluster.start(["run", "--http-port", "0"]);
    await operator.until(/operator runs/);
    const spec = { source: { kind: "Secret", name: "missing" }, targets: { namespaces: ["*"] } };
    const metadata = { namespace, name: "waits" };
    await cluster.client.create<ReplicationObject>(Replication, { metadata, spec } as ReplicationObject);
    const stop = new AbortController();
    for await (
      const { object } of cluster.client.watch<ReplicationObject>(Replication, { namespace, signal: stop.signal })
    ) {
      if (object.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "False")) break;
    }
  }
  const { code, findings } = await diagnose(cluster);
  assert.equal(code, 0, "it is a warning: the operator does its work");
  assert.deepEqual(findings("objects"), [
    `warning: 1 replications.pintle.dev not ready: ${namespace}/waits (Secret ${namespace}/missing does not exist)`,
  ]);
});

// FR-223
Deno.test("a server whose clock is an hour behind is a problem, before times mislead anybody", async () => {
  const api = new EmbeddedApiServer(), transport = api.transport(), cut = new AbortController();
  const front = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, signal: cut.signal },
    async (request) => {
      const { pathname, search } = new URL(request.url), { method } = request;
      const headers = Object.fromEntries(request.headers), body = await request.text() || undefined;
      const answer = await transport.fetch(pathname + search, { method, headers, body, signal: request.signal });
      const late = new Headers(answer.headers);
      late.set("date", new Date(Date.now() - 3_600_000).toUTCString());
      return new Response(answer.body, { status: answer.status, headers: late });
    },
  );
  const file = await Deno.makeTempFile(), server = `http://127.0.0.1:${front.addr.port}`;
  await Deno.writeTextFile(file, kubeconfigText(server));
  const { code, out } = await runBinary(["doctor", "--kubeconfig", file]);
  assert.equal(code, 1);
  assert.match(
    out,
    /^problem: clock: the server's clock is (1h|59m5\ds) behind this machine's: tokens and .*\n {2}fix: /m,
  );
  cut.abort();
  await front.finished;
  await api.settled();
  api.close();
  await Deno.remove(file);
});

Deno.test({
  // FR-224
  name: "on a terminal of 70 columns doctor's table fits, each finding beside its verdict",
  ignore: !python, // it makes the terminal, and there is none on this machine
  fn: async () => {
    await using cluster = await InstalledCluster.open();
    const wrapper = ["python3", new URL("terminal.py", import.meta.url).pathname, "70", "50"];
    const { code, out } = await cluster.run(["doctor"], { wrapper, env: { TERM: "xterm-256color" } });
    assert.equal(code, 0, out);
    const screen = new Screen(70).write(out);
    assert.deepEqual([screen.wrapped, screen.colored], [0, true], screen.text);
    const lines = screen.text.split("\n");
    assert.match(lines[0]!, /^CHECK +RESULT +FINDING$/);
    assert.match(lines[1]!, /^server +ok +Kubernetes v1/);
    assert.match(screen.text, /^pods +warning +no pod works as ServiceAccount\n {23}\S/m);
    assert.match(lines.at(-1)!, /^\d+ ok, 1 warning$/);
  },
});

// FR-224
Deno.test("what a stranger may not look at is unknown, which is no success, and the rest is looked at all the same", async () => {
  await using cluster = await InstalledCluster.open();
  const KUBECONFIG = await cluster.strangersKubeconfig();
  const { code, out, err } = await cluster.run(["doctor"], { env: { KUBECONFIG } });
  assert.deepEqual([code, err], [1, ""]);
  assert.match(out, /^ok: server: /m);
  assert.match(out, /^unknown: installation: cannot get customresourcedefinitions.*grant it with this rule/m);
  assert.match(out, /^unknown: rights: cannot create subjectaccessreviews/m);
  assert.match(
    out,
    /^warning: you: `deno run -A \S+ run` does not work with your credentials, which are not allowed to/m,
  );
  assert.match(out, /^2 ok, 1 warning, \d+ not checked$/m);
});

// FR-224
Deno.test("bad flags are exit 2, no server is exit 3, and Ctrl-C at a server that hangs is 130", async () => {
  const folder = await Deno.makeTempDir();
  const env = { KUBECONFIG: `${folder}/config` };
  const interrupted = await endedAtHangingServer(["doctor"], env.KUBECONFIG, "SIGINT");
  assert.deepEqual(interrupted, { code: 130, out: "", err: "pintle: interrupted\n" });
  for (const flags of [["--output", "xml"], ["--namespace", "A B"], ["--all"]]) {
    const { code, out, err } = await runBinary(["doctor", ...flags], { env });
    assert.deepEqual([code, out], [2, ""], err);
  }
  const { code, out, err } = await runBinary(["doctor", "--log-level", "debug"], { env });
  assert.deepEqual([code, out], [3, ""]);
  assert.match(err, /refused[\s\S]*fix: /);
  assert.ok(!err.includes("very-secret"));
  await Deno.remove(folder, { recursive: true });
});
