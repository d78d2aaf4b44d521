import assert from "node:assert/strict";
import { ConfigMap } from "../../lib/operator/mod.ts";
import { Binary, runBinary } from "./binary.ts";
import { HttpsCluster } from "./https_cluster.ts";

const main = "tests/cli/login_operator.ts";

Deno.test("run logs in by the operator's hook, and a probe of its own decides readiness", async () => {
  await using cluster = await HttpsCluster.open();
  const folder = await Deno.makeTempDir({ prefix: "pintle-login-" });
  const env = {
    LOGIN_FILE: `${folder}/login`,
    PROBE_FILE: `${folder}/down`,
    PINTLE_HTTP_PORT: "0",
    PINTLE_LOG_FORMAT: "json",
  };
  await Deno.writeTextFile(env.LOGIN_FILE, JSON.stringify(cluster.login()));
  await Deno.writeTextFile(env.PROBE_FILE, "");
  await using binary = await Binary.start(["run"], { main, env });
  await binary.until(/"message":"operator runs"/);
  assert.match(binary.out + binary.err, /"credentials":"the operator's login hook"/);
  assert.doesNotMatch(binary.out + binary.err, /BEGIN|Bearer/);
  const port = /"message":"health and metrics are served"[^\n]*?"port":(\d+)/.exec(binary.out + binary.err)?.[1];
  const ready = await fetch(`http://127.0.0.1:${port}/readyz?verbose`);
  assert.equal(ready.status, 500);
  assert.match(await ready.text(), /\[-\]database failed: the database does not answer/);
  assert.equal((await (await fetch(`http://127.0.0.1:${port}/livez`)).text()).trim(), "ok");
  await cluster.client.create(ConfigMap, { metadata: { namespace: "default", name: "news" } });
  await binary.until(/"heard":"news"/);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a login hook that fails is exit 2 with its reason, and a kubeconfig that somebody names goes before it", async () => {
  const env = { LOGIN_FILE: "/nowhere/login", PROBE_FILE: "/nowhere/down" };
  const failed = await runBinary(["run"], { main, env });
  assert.equal(failed.code, 2);
  assert.match(
    failed.err,
    /the operator's login hook failed: No such file or directory.*\n\s*fix: mend what operator\.login/,
  );
  const named = await runBinary(["run", "--kubeconfig", "none"], { main, env });
  assert.equal(named.code, 2);
  assert.match(named.err, /there is no kubeconfig at none/);
});
