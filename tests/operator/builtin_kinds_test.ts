import assert from "node:assert/strict";
import { type AnyKind, formatApiVersion } from "../../lib/apimachinery/mod.ts";
import { Client, discover } from "../../lib/client/mod.ts";
import * as builtin from "../../lib/operator/builtin_kinds.ts";
import { openCluster } from "../cluster.ts";

// FR-382
Deno.test("the constants of built-in kinds name their resources as the server does", async () => {
  const kinds = Object.entries<object>(builtin).filter(([, value]) => typeof value === "object") as [string, AnyKind][];
  assert.ok(kinds.length >= 25);
  await using cluster = await openCluster();
  const served = await discover(new Client(cluster.transport(), { fieldManager: "test" }));
  for (const [name, { group, version, kind, plural, namespaced }] of kinds) {
    const found = served.find((each) => each.group === group && each.version === version && each.kind === kind);
    assert.deepEqual(
      [name, plural, namespaced],
      [kind, found?.plural, found?.namespaced],
      formatApiVersion({ group, version }),
    );
  }
});
