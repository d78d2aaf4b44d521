import { assignShards, planShards, shardOf, withOwners } from "../../lib/election/shards.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { type LeaseObject, LEASES, ownersOf, Sharding, SHARDS } from "../../lib/election/mod.ts";
import { histories, runHistory, SKEW_MS } from "./histories.ts";
import { type JoinOptions, Members, NAME, NAMESPACE } from "./members.ts";
import { Network } from "./network.ts";

/** Replicas that share the work. */
class Replicas extends Members<Sharding> {
  join(identity: string, options: JoinOptions = {}): Promise<Sharding> {
    return this.start(identity, options, (context) => new Sharding(context));
  }

  /** The number of shards without an owner. */
  get orphans(): number {
    let orphans = 0;
    for (let shard = 0; shard < SHARDS; shard++) {
      const owners = this.alive.filter(([, each]) => each.owns(shard)).length;
      assert.ok(owners <= 1, `shard ${shard} has ${owners} owners`);
      if (owners === 0) orphans++;
    }
    return orphans;
  }

  protected override check(): void {
    void this.orphans;
  }
}

const MEMBERS = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 12 });

// FR-187
Deno.test("every shard has one owner among the members, none more than its share, in any order", () => {
  fc.assert(fc.property(MEMBERS, (members) => {
    const owners = assignShards(members);
    assert.equal(owners.length, SHARDS);
    for (const member of members) {
      assert.ok(owners.filter((owner) => owner === member).length <= Math.ceil(SHARDS / members.length));
    }
    assert.ok(owners.every((owner) => members.includes(owner)));
    assert.deepEqual(assignShards(members.toReversed()), owners);
  }));
  assert.deepEqual(assignShards([]), []);
});

// FR-187
Deno.test("when a member joins or leaves most shards keep their owner", () => {
  fc.assert(fc.property(MEMBERS.filter(({ length }) => length >= 2), (members) => {
    const all = assignShards(members), fewer = assignShards(members.slice(1));
    const moved = all.filter((owner, shard) => owner !== fewer[shard]).length;
    assert.ok(moved <= 3 * Math.ceil(SHARDS / members.length) + 4, `${moved} of ${SHARDS} moved for ${members.length}`);
  }));
});

Deno.test("namespaces fall into shards evenly, and always into the same", () => {
  const counts = new Array<number>(SHARDS).fill(0);
  for (let at = 0; at < 6_400; at++) counts[shardOf(`team-${at}`)]!++;
  assert.ok(Math.min(...counts) > 50 && Math.max(...counts) < 160, `${Math.min(...counts)} to ${Math.max(...counts)}`);
  assert.deepEqual(["", "default", "kube-system"].map(shardOf), [2, 1, 48]);
});

// FR-187
Deno.test("a replica takes no shard of a living one, and keeps its own until their work has ended", () => {
  const owner = fc.constantFrom("", "a", "b", "gone");
  fc.assert(fc.property(fc.array(owner, { minLength: SHARDS, maxLength: SHARDS }), fc.boolean(), (owners, works) => {
    const held = new Set(owners.flatMap((each, shard) => works && each === "a" ? [shard] : []));
    const plan = planShards({ me: "a", owners, members: ["a", "b"], held });
    plan.owners.forEach((next, shard) => {
      if (owners[shard] === "b") assert.equal(next, "b");
      if (held.has(shard)) assert.equal(next, "a");
      assert.ok(next === "a" || next === owners[shard] || owners[shard] === "a");
    });
    assert.deepEqual(plan.stolen, []);
  }));
  assert.deepEqual(
    planShards({ me: "a", owners: Array(SHARDS).fill("b"), members: ["a", "b"], held: new Set([3]) }).stolen,
    [3],
  );
});

// FR-187
Deno.test("a shard is taken again only by a write, after which earlier writes meet a conflict", async () => {
  const mine = Array<string>(SHARDS).fill("a");
  const plan = planShards({ me: "a", owners: mine, members: ["a"], held: new Set() });
  assert.deepEqual([plan.writes, plan.taken.length], [true, SHARDS]);
  assert.equal(planShards({ me: "a", owners: mine, members: ["a"], held: new Set(mine.keys()) }).writes, false);
  using network = new Network();
  const { client } = network, metadata = { namespace: NAMESPACE, name: "table" };
  const read = await client.create(LEASES, withOwners({ metadata }, mine));
  await client.replace(LEASES, withOwners(read, plan.owners));
  await assert.rejects(client.replace(LEASES, withOwners(read, Array(SHARDS).fill(""))), /ConflictError/);
});

Deno.test("owners can be read back from their Lease, and other content counts as none", () => {
  const owners = Array.from({ length: SHARDS }, (_, shard) => `p${shard % 3}`);
  assert.deepEqual(ownersOf(withOwners({}, owners)), owners);
  assert.equal(ownersOf({}), undefined);
  assert.equal(ownersOf({ metadata: { annotations: { "pintle.dev/shard-owners": '["a"]' } } }), undefined);
  assert.notDeepEqual(
    withOwners(withOwners({}, owners), owners),
    withOwners({}, owners),
    "each write is a new version",
  );
});

Deno.test("replicas share the shards, hand over when one joins, and take over when one leaves, each shard with one owner", async () => {
  using replicas = new Replicas();
  const a = await replicas.join("a", { drainMs: 4_000 });
  await replicas.advance(3_000);
  assert.equal(a.shards, SHARDS);
  const b = await replicas.join("b"), c = await replicas.join("c");
  await replicas.advance(20_000);
  assert.equal(replicas.orphans, 0);
  assert.deepEqual([a, b, c].map(({ shards }) => shards <= 22 && shards >= 20), [true, true, true]);
  await b.release();
  await replicas.advance(5_000);
  assert.equal(replicas.orphans, 0, "what was given up is taken at once");
  await replicas.advance(10_000);
  assert.equal(a.shards + c.shards, SHARDS);
});

// FR-188
Deno.test("the shards of a killed replica are taken when its lease has expired, and not before", async () => {
  using replicas = new Replicas();
  const a = await replicas.join("a"), b = await replicas.join("b");
  await replicas.advance(10_000);
  const before = a.shards;
  replicas.kill("b");
  await replicas.advance(10_000);
  assert.deepEqual([a.shards, b.mayWrite], [before, false]);
  await replicas.advance(10_000);
  assert.equal(a.shards, SHARDS);
});

// FR-355
Deno.test("a member Lease that is deleted by hand gives no shard a second owner, and its shards are taken later", async () => {
  for (const joinsLate of [false, true]) {
    using replicas = new Replicas();
    const a = await replicas.join("a"), b = await replicas.join("b");
    await replicas.advance(10_000);
    const { client } = replicas.network, { items } = await client.list<LeaseObject>(LEASES, { namespace: NAMESPACE });
    const lease = items.find(({ spec, metadata }) =>
      spec?.holderIdentity === "b" && metadata?.name?.includes("member")
    )!;
    await client.delete(LEASES, { namespace: NAMESPACE, name: lease.metadata!.name! });
    const others = [a, ...(joinsLate ? [await replicas.join("c")] : [])];
    await replicas.advance(3_000, 100);
    assert.ok(replicas.lost.has("b"), "it learns that it counts as dead");
    replicas.kill("b");
    await replicas.advance(20_000);
    assert.equal(b.mayWrite, false);
    assert.equal(others.reduce((sum, { shards }) => sum + shards, 0), SHARDS);
  }
});

// FR-355
Deno.test("the replica that deletes the Lease of a killed one frees its shards for all replicas", async () => {
  using replicas = new Replicas();
  const a = await replicas.join("a"), c = await replicas.join("c");
  await replicas.join("b");
  await replicas.advance(15_000);
  replicas.kill("b");
  await replicas.advance(20_000);
  assert.equal(a.shards + c.shards, SHARDS);
});

// FR-187
Deno.test("in an outage a replica begins nothing, ends its work in flight, and then continues with the shards that it still owns", async () => {
  using replicas = new Replicas();
  const a = await replicas.join("a", { drainMs: 1_000 });
  await replicas.advance(3_000);
  const changes: boolean[] = [];
  a.onChange(() => changes.push(a.covers("team-a")));
  replicas.network.setLink("a", { kind: "hanging" });
  await replicas.advance(30_000);
  assert.deepEqual([a.covers("team-a"), a.mayWrite, a.shards], [false, false, 0]);
  replicas.network.setLink("a", { kind: "clear" });
  await replicas.advance(15_000);
  assert.deepEqual([a.covers("team-a"), a.mayWrite, a.shards, changes], [true, true, SHARDS, [false, true]]);
  assert.equal(replicas.lost.size, 0);
});

Deno.test("a replica whose shards get another owner is lost", async () => {
  using replicas = new Replicas();
  const a = await replicas.join("a");
  await replicas.advance(3_000);
  await replicas.network.client.delete(LEASES, { namespace: NAMESPACE, name: `${NAME}-shards` });
  await replicas.advance(3_000);
  assert.ok(replicas.lost.has("a"));
  assert.match((await a.lost).message, /shards 0,1,.* have another owner/);
});

const JOIN = fc.record({ drainMs: fc.constantFrom(0, 1_000, 20_000), skewMs: SKEW_MS });
const MEMBERS_MAX = 4;

// FR-187
Deno.test("a shard has at most one owner at any time, whichever replicas join, leave, die, are cut off, late or unanswered, or change their clock", async () => {
  await fc.assert(
    fc.asyncProperty(histories(JOIN, MEMBERS_MAX), async (history) => {
      using replicas = new Replicas();
      const stayed = await runHistory(
        history,
        {
          network: replicas.network,
          join: (id, how) => replicas.join(id, how),
          leave: (id) => void replicas.members.get(id)!.release(),
          kill: (id) => replicas.kill(id),
          advance: (ms) => replicas.advance(ms),
        },
        MEMBERS_MAX,
        75_000,
      );
      if ([...stayed.keys()].some((id) => !replicas.lost.has(id))) assert.equal(replicas.orphans, 0);
    }),
    { numRuns: 4 },
  );
});
