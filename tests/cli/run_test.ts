import assert from "node:assert/strict";
import { SystemClock } from "../../lib/base/mod.ts";
import { Client, connect } from "../../lib/client/mod.ts";
import { Binary, DEMO_PERMISSIONS, runBinary } from "./binary.ts";

const PLANS = { group: "undeclared.test.pintle.dev", version: "v1", kind: "Plan", plural: "plans", namespaced: true };

// FR-434
Deno.test("run on an embedded cluster has the operator's rights alone, and a refusal shows how to declare a kind", async () => {
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

// FR-334
Deno.test("queue gauges include selected kinds, and each kind's own number of workers", async () => {
  const args = ["run", "--cluster", "embedded", "--http-port", "0", "--workers-max", "5"];
  await using binary = await Binary.start(args, {
    main: "tests/cli/queues_operator.ts",
    permissions: DEMO_PERMISSIONS,
  });
  const [, port] = await binary.until(/health and metrics are served.* port=(\d+)/);
  for (const kind of ["configmaps", "serviceaccounts"]) {
    await binary.until(new RegExp(`handles a kind that is selected .*kind=${kind}\\b`));
  }
  const body = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  for (const [name, workersMax] of [["widgets.queues.test.pintle.dev", 3], ["configmaps", 2], ["serviceaccounts", 5]]) {
    assert.match(body, new RegExp(`^workqueue_depth\\{name="${name}"\\} \\d+$`, "m"));
    assert.match(body, new RegExp(`^workqueue_longest_running_processor_seconds\\{name="${name}"\\} `, "m"));
    const workers = new RegExp(
      `^controller_runtime_max_concurrent_reconciles\\{controller="${name}"\\} ${workersMax}$`,
      "m",
    );
    assert.match(body, workers);
  }
});

Deno.test("a kubeconfig that is no YAML, or has no current context, is exit 2 without a stack trace", async () => {
  const path = await Deno.makeTempFile();
  for (const text of ["{ not: [yaml", JSON.stringify({ clusters: [], contexts: [], users: [] })]) {
    await Deno.writeTextFile(path, text);
    const { code, err } = await runBinary(["run", "--kubeconfig", path]);
    assert.equal(code, 2, err);
    assert.match(err, /\n {2}fix: /);
    assert.doesNotMatch(err, /\n\s+at /);
  }
  await Deno.remove(path);
});

Deno.test("a port that is taken is exit 2, and the message names it", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const { code, err } = await runBinary(["run", "--cluster", "embedded", "--http-port", `${port}`], {
    permissions: ["--allow-env", "--allow-net", "--allow-read", "--allow-write"],
  });
  assert.equal(code, 2, err);
  assert.ok(err.includes(`127.0.0.1:${port}`));
});
