import assert from "node:assert/strict";
import { parse } from "yaml";
import { Client } from "../../lib/client/mod.ts";
import { ConfigMap } from "../../lib/operator/mod.ts";
import type { Login } from "../../lib/client.ts";
import { openServedCluster, type ServedCluster } from "../served_cluster.ts";
import { Binary, runBinary } from "./binary.ts";

const main = "tests/cli/login_operator.ts";

/** What a hook would answer for the administrator of a kubeconfig. */
async function loginOf({ kubeconfigPath }: ServedCluster): Promise<Login> {
  const { clusters: [{ cluster }], users: [{ user }] } = parse(await Deno.readTextFile(kubeconfigPath));
  return {
    server: cluster.server,
    caCerts: [atob(cluster["certificate-authority-data"])],
    ...(user.token
      ? { token: user.token }
      : { cert: atob(user["client-certificate-data"]), key: atob(user["client-key-data"]) }),
  };
}

// FR-269
Deno.test("run logs in by the operator's hook, and a probe of its own decides readiness", async () => {
  await using cluster = await openServedCluster();
  const folder = await Deno.makeTempDir({ prefix: "pintle-login-" });
  const env = {
    LOGIN_FILE: `${folder}/login`,
    PROBE_FILE: `${folder}/down`,
    PINTLE_HTTP_PORT: "0",
    PINTLE_LOG_FORMAT: "json",
  };
  await Deno.writeTextFile(env.LOGIN_FILE, JSON.stringify(await loginOf(cluster)));
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
  const client = new Client(cluster.transport(), { fieldManager: "test" }),
    key = { namespace: "default", name: "news" };
  await client.create(ConfigMap, { metadata: key });
  await binary.until(/"heard":"news"/);
  await client.delete(ConfigMap, key);
  await Deno.remove(folder, { recursive: true });
});

// FR-270
Deno.test("a login hook that fails is exit 2 with its reason, and a kubeconfig that is given takes precedence", async () => {
  const env = { LOGIN_FILE: "/nowhere/login", PROBE_FILE: "/nowhere/down" };
  const failed = await runBinary(["run"], { main, env });
  assert.equal(failed.code, 2);
  assert.match(
    failed.err,
    /the operator's login hook failed: No such file or directory.*\n\s*fix: correct the function given to operator\.login/,
  );
  const named = await runBinary(["run", "--kubeconfig", "none"], { main, env });
  assert.equal(named.code, 2);
  assert.match(named.err, /there is no kubeconfig at none/);
});
