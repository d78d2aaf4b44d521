import assert from "node:assert/strict";
import { Secret } from "../../lib/operator/mod.ts";
import { type Kubectl, kubectlTest } from "./kubectl.ts";

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

function deployment(namespace: string, containers: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: ${namespace} }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [${containers}] }
`;
}

async function images(kubectl: Kubectl, namespace: string): Promise<string> {
  return await kubectl.ok(`get deployment web -n ${namespace} -o jsonpath={.spec.template.spec.containers[*].image}`);
}

// FR-5
kubectlTest(
  "apply creates, changes what changed, removes what went, and leaves alone what is the same",
  async (kubectl) => {
    const { home, team } = await kubectl.namespaces();
    const apply = (stdin: string) => kubectl.ok("apply -f -", { stdin });
    assert.equal(await apply(kubectl.replication(home, "  suspend: true\n")), "replication.pintle.dev/shared created");
    assert.equal(
      await apply(kubectl.replication(home, "  suspend: true\n")),
      "replication.pintle.dev/shared unchanged",
    );
    assert.equal(await apply(kubectl.replication(home)), "replication.pintle.dev/shared configured");
    const replication = await kubectl.ready(home);
    assert.equal(replication.spec.suspend, false, "what is no longer said falls back to its default");
    assert.ok(replication.metadata.annotations?.[LAST_APPLIED]);
    const [a, b] = ["{ name: a, image: a:1 }", "{ name: b, image: b:1 }"];
    assert.equal(await apply(deployment(team, `${a}, ${b}`)), "deployment.apps/web created");
    // Another writer's container: a strategic merge by name leaves it where a replaced list would not.
    const other = '{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"c:1"}]}}}}';
    await kubectl.ok(`patch deployment web -n ${team} --type=strategic -p ${other}`);
    assert.equal(await apply(deployment(team, "{ name: a, image: a:2 }")), "deployment.apps/web configured");
    assert.deepEqual((await images(kubectl, team)).split(" ").sort(), ["a:2", "c:1"]);
  },
);

// FR-5
kubectlTest("apply --server-side owns fields, names conflicts, and forces", async (kubectl) => {
  const { home } = await kubectl.namespaces();
  const mine = kubectl.replication(home, "  deletionPolicy: Orphan\n");
  const theirs = kubectl.replication(home, "  deletionPolicy: Delete\n");
  const apply = "apply --server-side -f - --field-manager=";
  assert.match(await kubectl.ok(`${apply}mine`, { stdin: mine }), /serverside-applied$/);
  const conflict = await kubectl.fails(`${apply}theirs`, { stdin: theirs });
  assert.match(conflict, /conflict with "mine": \.spec\.deletionPolicy/);
  await kubectl.ok(`${apply}theirs --force-conflicts`, { stdin: theirs });
  const { spec, metadata } = await kubectl.object(`replication shared -n ${home} --show-managed-fields`);
  assert.equal(spec.deletionPolicy, "Delete");
  const managers = metadata.managedFields.map(({ manager }: { manager: string }) => manager);
  assert.ok(managers.includes("mine") && managers.includes("theirs"), managers.join());
});

// FR-5
kubectlTest("diff exits 1 and shows what would change, and 0 where nothing would", async (kubectl) => {
  const { home } = await kubectl.namespaces();
  const added = await kubectl.run(["diff", "-f", "-"], { stdin: kubectl.replication(home) });
  assert.deepEqual([added.code, /^\+kind: Replication$/m.test(added.out)], [1, true], added.err);
  await kubectl.ok("apply -f -", { stdin: kubectl.replication(home) });
  assert.equal((await kubectl.run(["diff", "-f", "-"], { stdin: kubectl.replication(home) })).code, 0);
  const stdin = kubectl.replication(home, "  suspend: true\n");
  for (const how of [[], ["--server-side", "--force-conflicts"]]) {
    const changed = await kubectl.run(["diff", ...how, "-f", "-"], { stdin });
    assert.equal(changed.code, 1, changed.err);
    assert.match(changed.out, /^-\s+suspend: false\n\+\s+suspend: true$/m);
  }
  assert.equal((await kubectl.object(`replication shared -n ${home}`)).spec.suspend, false, "nothing was written");
});

// FR-5
kubectlTest("edit writes what the editor leaves, and asks again where it is refused", async (kubectl) => {
  const { home } = await kubectl.namespaces();
  await kubectl.ok("apply -f -", { stdin: kubectl.replication(home) });
  // An editor that first writes what the schema refuses, and mends it when it is opened with the refusal.
  const editor = await kubectl.file(
    "editor",
    `#!/bin/sh
cp "$1" "${kubectl.home}/opened-$(ls "${kubectl.home}" | grep -c opened)"
if grep -q 'conflictPolicy: Sometimes' "$1"; then sed -i 's/conflictPolicy: Sometimes/conflictPolicy: Adopt/' "$1"
else sed -i 's/conflictPolicy: Fail/conflictPolicy: Sometimes/' "$1"; fi
`,
    0o700,
  );
  await kubectl.ok(`edit replication shared -n ${home}`, { env: { KUBE_EDITOR: editor } });
  assert.equal((await kubectl.object(`replication shared -n ${home}`)).spec.conflictPolicy, "Adopt");
  const second = await Deno.readTextFile(`${kubectl.home}/opened-1`);
  assert.match(second, /# \* spec.conflictPolicy: Unsupported value: "Sometimes": supported values: "Fail", "Adopt"/);
});

// FR-5
kubectlTest("wait ends when the condition holds, and delete when the finalizer is done", async (kubectl) => {
  const { home, team } = await kubectl.namespaces();
  await kubectl.world.stop();
  await kubectl.ok("apply -f -", { stdin: kubectl.replication(home) });
  assert.match(
    await kubectl.fails(`wait --for=condition=Ready replication/shared -n ${home} --timeout=100ms`),
    /timed out/,
  );
  const waiting = kubectl.ok(`wait --for=condition=Ready replication/shared -n ${home} --timeout=60s`);
  const counting = kubectl.ok(`wait --for=jsonpath={.status.namespaces.ready}=1 repl/shared -n ${home} --timeout=60s`);
  await kubectl.world.start();
  assert.equal(await waiting, "replication.pintle.dev/shared condition met");
  await counting;
  const gone = kubectl.ok(`wait --for=delete secret/source -n ${team} --timeout=60s`);
  assert.equal(
    await kubectl.ok(`delete replication shared -n ${home} --timeout=60s`),
    'replication.pintle.dev "shared" deleted' + (await deletedSuffix(kubectl, home)),
  );
  await gone;
  assert.equal(await kubectl.world.client.find(Secret, { namespace: team, name: "source" }), undefined);
  assert.match(await kubectl.fails(`get replication shared -n ${home}`), /NotFound/);
});

/** Newer kubectl says from which namespace. */
async function deletedSuffix(kubectl: Kubectl, namespace: string): Promise<string> {
  await kubectl.ok(`create configmap probe -n ${namespace}`);
  const said = await kubectl.ok(`delete configmap probe -n ${namespace}`);
  return said.replace('configmap "probe" deleted', "");
}

// FR-5
kubectlTest("label, annotate, scale and patch of every type write", async (kubectl) => {
  const { home, team } = await kubectl.namespaces();
  await kubectl.ok("apply -f -", { stdin: kubectl.replication(home) });
  await kubectl.ready(home);
  const one = `replication shared -n ${home}`;
  await kubectl.ok(`label ${one} tier=gold`);
  assert.match(await kubectl.fails(`label ${one} tier=silver`), /already has a value/);
  await kubectl.ok(`label ${one} tier=silver --overwrite`);
  await kubectl.ok(`annotate ${one} note=yes`);
  await kubectl.ok(`patch ${one} --type=merge -p {"spec":{"deletionPolicy":"Orphan"}}`);
  await kubectl.ok(`patch ${one} --type=json -p [{"op":"remove","path":"/metadata/annotations/note"}]`);
  assert.match(await kubectl.fails(`patch ${one} -p {"spec":{}}`), /strategic-merge-patch\+json is not supported/);
  await kubectl.ok(`patch ${one} --type=merge --subresource=status -p {"spec":{"suspend":true}}`);
  const { metadata, spec } = await kubectl.object(one);
  assert.deepEqual([metadata.labels.tier, metadata.annotations.note], ["silver", undefined]);
  assert.deepEqual([spec.deletionPolicy, spec.suspend], ["Orphan", false]);
  await kubectl.ok("create -f -", { stdin: deployment(team, "{ name: a, image: a:1 }") });
  await kubectl.ok(`scale deployment web -n ${team} --replicas=5`);
  await kubectl.ok(`set image deployment/web -n ${team} a=a:2`);
  assert.equal(await images(kubectl, team), "a:2");
  assert.match(await kubectl.ok(`get deployment web -n ${team}`), /^web +0\/5 /m);
});
