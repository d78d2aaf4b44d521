import assert from "node:assert/strict";
import { kubectlTest } from "./kubectl.ts";

// FR-57
kubectlTest("get replications shows Ready, reason, source, matched, copies, failed and age", async (kubectl) => {
  const { home, team } = await kubectl.namespaces();
  await kubectl.ok("apply -f -", { stdin: kubectl.replication(home) });
  await kubectl.ready(home);
  const cells = (text: string) => text.split("\n").map((line) => line.trim().split(/\s{2,}/));
  const [head, row] = cells(await kubectl.ok(`get replications -n ${home}`));
  assert.deepEqual(head, ["NAME", "READY", "REASON", "KIND", "SOURCE", "MATCHED", "COPIES", "FAILED", "AGE"]);
  assert.deepEqual(row!.slice(0, -1), ["shared", "True", "Replicated", "Secret", "source", "1", "1", "0"]);
  assert.match(row!.at(-1)!, /^\d+s$/);
  const everywhere = cells(await kubectl.ok("get repl -A"));
  assert.equal(everywhere[0]![0], "NAMESPACE");
  assert.ok(everywhere.some(([namespace, name]) => namespace === home && name === "shared"));
  const [secretHead, ...secrets] = cells(await kubectl.ok(`get secrets -n ${team}`));
  assert.deepEqual(secretHead, ["NAME", "TYPE", "DATA", "AGE"]);
  assert.deepEqual(secrets.map((row) => row.slice(0, 3)), [["source", "Opaque", "1"]]);
});

kubectlTest("get writes yaml, json, names, wide rows, labels, columns and paths", async (kubectl) => {
  const { home } = await kubectl.namespaces();
  await kubectl.ok("apply -f -", { stdin: kubectl.replication(home) });
  await kubectl.ready(home);
  const one = `replication shared -n ${home}`;
  assert.equal((await kubectl.object(one)).spec.deletionPolicy, "Delete");
  assert.equal(JSON.parse(await kubectl.ok(`get ${one} -o json`)).kind, "Replication");
  assert.equal(JSON.parse(await kubectl.ok(`get replications -n ${home} -o json`)).items.length, 1);
  assert.equal(await kubectl.ok(`get ${one} -o name`), "replication.pintle.dev/shared");
  assert.match(await kubectl.ok(`get ${one} -o wide --show-labels`), /LABELS\n.*<none>$/);
  const reason = '-o=jsonpath={.status.conditions[?(@.type=="Ready")].reason}';
  assert.equal(await kubectl.ok(`get ${one}`, { more: [reason] }), "Replicated");
  assert.equal(await kubectl.ok(`get ${one} --no-headers -o custom-columns=P:.spec.conflictPolicy`), "Fail");
  assert.match(await kubectl.ok(`get secrets -n ${home} --field-selector type=Opaque -o name`), /^secret\/source$/);
  assert.match(await kubectl.ok(`get secrets,replications -n ${home} -o name`), /secret\/source\nreplication/);
});

// FR-57
kubectlTest("get --watch writes a row for each change, under one head", async (kubectl) => {
  const { team } = await kubectl.namespaces();
  await kubectl.ok(`create configmap c -n ${team} --from-literal=a=b`);
  const rows = /^NAME +DATA +AGE\n(c +\d+ +\d+s\n){3}$/;
  let watches = true;
  const watching = kubectl.run(["get", "configmap", "c", "-n", team, "-w"], { until: rows })
    .finally(() => watches = false);
  // Nothing tells when it watches: so there are changes until it has seen some.
  for (let number = 0; watches; number++) {
    await kubectl.ok(`patch configmap c -n ${team} -p {"data":{"a":"${number}"}}`);
  }
  assert.match((await watching).out, rows);
});

// FR-5
kubectlTest("describe tells spec, status and events", async (kubectl) => {
  const { home } = await kubectl.namespaces();
  await kubectl.ok("apply -f -", { stdin: kubectl.replication(home) });
  await kubectl.ready(home);
  const text = await kubectl.ok(`describe replication shared -n ${home}`);
  assert.match(text, /^API Version: +pintle.dev\/v1alpha1$/m);
  assert.match(text, /Deletion Policy: +Delete/);
  assert.match(text, /Message: +1 of 1 copies show the source/);
  assert.match(text, /^Events: +<none>$/m);
  const secret = await kubectl.ok(`describe secret source -n ${home}`);
  assert.match(secret, /password: +7 bytes/);
  assert.match(await kubectl.ok(`describe namespace ${home}`), /Status: +Active/);
});

// FR-5
kubectlTest("explain, api-resources and api-versions know the kinds, custom ones too", async (kubectl) => {
  const spec = await kubectl.ok("explain replication.spec");
  assert.match(spec, /^GROUP: +pintle.dev\nKIND: +Replication\nVERSION: +v1alpha1\n\nFIELD: spec <Object>/m);
  assert.match(spec, /conflictPolicy\s<string>\s+enum: Fail, Adopt/);
  assert.match(spec, /source\s<Object> -required-/);
  assert.match(await kubectl.ok("explain replication.spec.targets --recursive"), /matchLabels\s<map\[string\]string>/);
  assert.match(await kubectl.ok("explain deployment.spec.strategy.rollingUpdate"), /maxSurge\s<IntOrString>/);
  const resources = await kubectl.ok("api-resources");
  assert.match(resources, /^replications +repl +pintle.dev\/v1alpha1 +true +Replication$/m);
  assert.match(resources, /^configmaps +cm +v1 +true +ConfigMap$/m);
  assert.match(await kubectl.ok("api-versions"), /^pintle.dev\/v1alpha1$/m);
});

// FR-5
kubectlTest("auth can-i, auth whoami and create token tell who may do what", async (kubectl) => {
  const { home, team } = await kubectl.namespaces();
  assert.equal(await kubectl.ok("auth can-i create replications"), "yes");
  assert.match(await kubectl.ok("auth whoami"), /Username +admin/);
  await kubectl.ok(`create serviceaccount bot -n ${home}`);
  await kubectl.ok(`create role reader -n ${home} --verb=get,list --resource=replications.pintle.dev`);
  await kubectl.ok(`create rolebinding reader -n ${home} --role=reader --serviceaccount=${home}:bot`);
  const token = await kubectl.ok(`create token bot -n ${home} --duration=1h`);
  const config = JSON.parse(await kubectl.ok("config view --raw -o json"));
  config.users = [{ name: config.users[0].name, user: { token } }];
  const kubeconfig = await kubectl.file("bot", JSON.stringify(config));
  // The authorizer of a real server learns of the binding by a watch of its own.
  let may = "";
  for (let attempt = 0; may.trim() !== "yes"; attempt++) {
    assert.ok(attempt < 100, `the role does not hold: ${may}`);
    may = (await kubectl.run(["auth", "can-i", "list", "replications", "-n", home], { kubeconfig })).out;
  }
  assert.match(await kubectl.ok("auth whoami", { kubeconfig }), new RegExp(`serviceaccount:${home}:bot`));
  assert.equal(await kubectl.ok(`get replications -n ${home} -o name`, { kubeconfig }), "");
  const refused = await kubectl.fails(`get secrets -n ${team}`, { kubeconfig });
  assert.match(refused, /Forbidden.*cannot list resource "secrets" in API group "" in the namespace/);
  assert.equal((await kubectl.run(["auth", "can-i", "delete", "pods", "-n", home], { kubeconfig })).code, 1);
});
