import { EVERYWHERE } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import { Operator, Secret, type SecretObject } from "../../lib/operator/mod.ts";
import { replicationDemo, replicator } from "../../lib/replicator/mod.ts";
import { applyCrds } from "../../lib/operator/installation.ts";
import { VirtualWorld } from "../virtual_world.ts";

const NAME = "registry-credentials";

// FR-2
Deno.test("each step of the demo happens, and the operator answers it", async () => {
  await using world = await VirtualWorld.open(replicator(), { scope: EVERYWHERE });
  const { client } = world;
  const copies = async () => {
    const { items } = await client.list<SecretObject>(Secret, { labelSelector: "pintle.dev/replication" });
    return new Map(items.map((copy) => [copy.metadata!.namespace!, copy]));
  };
  const teams = (...more: string[]) => ["team-anchor", "team-beacon", "team-compass", "team-dory", ...more];
  /** Makes step `at` happen, and lets the operator answer. */
  const tell = async (at: number) => {
    await replicationDemo.steps[at]!.act(client);
    await world.advance(1);
    const { current, wanted } = await replicationDemo.observe(client);
    assert.deepEqual([current, wanted], at === 0 ? [4, 4] : [5, 5]);
    return await copies();
  };

  const begun = await tell(0);
  assert.deepEqual([...begun.keys()].sort(), teams());
  const grown = await tell(1);
  assert.deepEqual([...grown.keys()].sort(), teams("team-ember"));
  const rotated = await tell(2);
  const { data } = await client.get<SecretObject>(Secret, { namespace: "platform", name: NAME });
  assert.notEqual(data!.password, grown.get("team-dory")!.data!.password);
  for (const copy of rotated.values()) assert.deepEqual(copy.data, data);
  const restored = await tell(3);
  const uid = (of: typeof begun) => of.get("team-beacon")!.metadata!.uid;
  assert.notEqual(uid(restored), uid(rotated));
  assert.equal(replicationDemo.steps.length, 4);
});

// FR-2
Deno.test("without an operator the demo shows what waits, and does not call it converged", async () => {
  await using world = await VirtualWorld.open(new Operator("idle"));
  await applyCrds(world.client, replicator());
  await replicationDemo.steps[0]!.act(world.client);
  const { current, wanted, rows } = await replicationDemo.observe(world.client);
  assert.deepEqual([current, wanted], [0, 4]);
  assert.deepEqual(rows.map(({ state }) => state), ["source", "waiting", "waiting", "waiting", "waiting"]);
});
