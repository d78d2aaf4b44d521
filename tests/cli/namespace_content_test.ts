import assert from "node:assert/strict";
import { SeededRandom, VirtualClock } from "../../lib/base/mod.ts";
import { contentOf } from "../../lib/cli/namespace_content.ts";
import { Client } from "../../lib/client/mod.ts";
import { answer, ScriptedTransport } from "../client/scripted_transport.ts";

// FR-295
Deno.test("a namespace is not taken for empty while the server cannot tell what a group has", async () => {
  const groups = (name: string, version: object) =>
    answer({ kind: "APIGroupDiscoveryList", items: [{ metadata: { name }, versions: [version] }] });
  const pods = {
    resource: "pods",
    responseKind: { kind: "Pod" },
    scope: "Namespaced",
    verbs: ["list", "create", "delete"],
  };
  const core = groups("", { version: "v1", freshness: "Current", resources: [pods] });
  const stale = groups("dead.example.com", { version: "v1", freshness: "Stale" });
  const transport = new ScriptedTransport(core, stale, answer({ metadata: { resourceVersion: "1" }, items: [] }));
  const context = { clock: new VirtualClock(), random: new SeededRandom(1), retriesMax: 0 };
  const client = new Client(transport, { fieldManager: "x", ...context });
  assert.deepEqual(await contentOf(client, "shop", new AbortController().signal), [
    "objects of dead.example.com/v1 that cannot be listed",
  ]);
  assert.equal(transport.left, 0);
});
