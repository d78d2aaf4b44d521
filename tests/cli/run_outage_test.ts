import assert from "node:assert/strict";
import { Binary, jsonLines } from "./binary.ts";
import { HttpsCluster } from "./https_cluster.ts";

/**
 * Waits until every watch has met the outage: its second attempt failed, half a second after the first at the latest.
 */
async function untilNoticed(binary: Binary, resources: readonly string[]): Promise<void> {
  for (const resource of resources) {
    await binary.until(
      new RegExp(
        `"message":"watching a resource failed; retrying silently[^\\n]*"resource":"${resource}"|"resource":"${resource}"[^\\n]*retrying silently`,
      ),
    );
  }
}

// FR-102
Deno.test("a server that goes away is waited for: run stays alive, logs it once, and continues when it is back", async () => {
  await using cluster = await HttpsCluster.open();
  for (const name of ["from", "to"]) await cluster.namespace(name);
  const { port } = cluster;
  await using binary = await Binary.start(["run", "--http-port", "0", "--log-level", "debug"], {
    env: { KUBECONFIG: await cluster.kubeconfig(), PINTLE_LOG_FORMAT: "json", PINTLE_STALENESS_MAX: "200ms" },
  });
  const health = `http://127.0.0.1:${(await binary.until(/health and metrics.*"port":(\d+)/))[1]}`;
  await binary.until(/operator runs/);
  await cluster.replicate("from", "before", "one", ["to"]);
  await cluster.untilCopied("to", "before", "one");

  await cluster.closeDoor();
  const watched = ["replications", "namespaces", "secrets", "configmaps"];
  await untilNoticed(binary, watched);
  const ready = await fetch(`${health}/readyz`);
  assert.equal(ready.status, 500);
  assert.match(await ready.text(), /\[-\]watches failed: the watch of \S+ has been silent for .*refused/);
  const live = await fetch(`${health}/livez`);
  assert.deepEqual([live.status, await live.text()], [200, "ok\n"]);

  await cluster.replicate("from", "meanwhile", "two", ["to"]);
  await cluster.openDoor(port);
  await cluster.untilCopied("to", "meanwhile", "two");
  for (const resource of watched) {
    await binary.until(
      new RegExp(`watching a resource again[^\\n]*"${resource}"|"${resource}"[^\\n]*watching a resource again`),
    );
  }
  binary.kill("SIGTERM");
  const { code, out, err } = await binary.ended();
  assert.equal(code, 0, err);
  const said = jsonLines(err)
    .filter(({ message }) => String(message).startsWith("following"));
  const watches = said.map(({ resource, namespace, fieldSelector }) => [resource, namespace, fieldSelector].join());
  assert.deepEqual(watches.sort(), [...new Set(watches)].sort(), "each watch complains once");
  assert.ok(out.includes('watching a resource failed; retrying"'), "every attempt is logged at debug");
});
