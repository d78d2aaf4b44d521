import assert from "node:assert/strict";
import { Client, connect } from "../../lib/client/mod.ts";
import { SystemClock } from "../../lib/base/mod.ts";
import { Binary } from "./binary.ts";

const PLANS = { group: "undeclared.test.pintle.dev", version: "v1", kind: "Plan", plural: "plans", namespaced: true };

// FR-434
Deno.test("run on an embedded cluster has the operator's rights alone, and a refusal says how to declare a kind", async () => {
  const permissions = ["--allow-env", "--allow-net", "--allow-read", "--allow-write"];
  const run = ["run", "--cluster", "embedded", "--http-port", "0"];
  await using binary = await Binary.start(run, { permissions, main: "tests/cli/undeclared_operator.ts" });
  const [, kubeconfigPath] = await binary.until(/kubeconfig=(\S+)/);
  await binary.until(/operator runs/);
  const { transport } = await connect({ clock: new SystemClock(), kubeconfigPath });
  const client = new Client(transport, { fieldManager: "test" });
  const metadata = { namespace: "default", name: "one" };
  await client.create(PLANS, { apiVersion: "undeclared.test.pintle.dev/v1", kind: "Plan", metadata, spec: {} });
  const [said] = await binary.until(/cannot \w+ configmaps default\/one[^\n]*/);
  transport.close();
  assert.match(said, /system:serviceaccount:undeclared-system:undeclared/);
  assert.match(said, /grant it with this rule in a Role or ClusterRole/);
  assert.match(
    said,
    /or declare the kind: `owns: \[ConfigMap\]` of the handler brings the rule, and watches the children/,
  );
  binary.kill("SIGINT");
  assert.equal((await binary.ended()).code, 0);
});
