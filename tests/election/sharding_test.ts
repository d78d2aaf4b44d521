import assert from "node:assert/strict";
import fc from "fast-check";
import { SeededRandom, silentLogger, sleep } from "../../lib/base/mod.ts";
import {
  assignShards,
  type LeaseObject,
  LEASES,
  ownersOf,
  planShards,
  Sharding,
  shardOf,
  SHARDS,
  withOwners,
} from "../../lib/election/mod.ts";
import { histories, play, SKEW_MS } from "./histories.ts";
import { Weather } from "./weather.ts";

const NAMESPACE = "default", NAME = "widgets";

/** Replicas that share the work. */
class Fleet implements Disposable {
  readonly weather = new Weather();
  readonly replicas = new Map<string, Sharding>();
  readonly dead = new Set<string>();
  readonly lost = new Set<string>();
  readonly #stop = new AbortController();

  async join(
    identity: string,
    { drainMs = 0, skewMs = 0 }: { drainMs?: number; skewMs?: number } = {},
  ): Promise<Sharding> {
    const { clock } = this.weather;
    this.weather.clockOf(identity).turn(skewMs);
    const sharding = new Sharding({
      client: this.weather.clientOf(identity),
      clock: this.weather.clockOf(identity),
      random: new SeededRandom(identity.length),
      logger: silentLogger,
      namespace: NAMESPACE,
      name: NAME,
      identity,
      drain: () => drainMs === 0 ? Promise.resolve() : sleep(clock, drainMs, this.#stop.signal),
    });
    this.replicas.set(identity, sharding);
    sharding.acquire(this.#stop.signal).catch(() => {});
    void sharding.lost.then(() => this.lost.add(identity));
    await clock.advance(1);
    return sharding;
  }

  /** The process is gone, without a word. */
  kill(identity: string): void {
    this.dead.add(identity);
    this.replicas.get(identity)![Symbol.dispose]();
  }

  /** Shards that nobody owns. */
  get orphans(): number {
    const alive = [...this.replicas].filter(([identity]) => !this.dead.has(identity)).map(([, each]) => each);
    let orphans = 0;
    for (let shard = 0; shard < SHARDS; shard++) {
      const owners = alive.filter((each) => each.owns(shard)).length;
      assert.ok(owners <= 1, `shard ${shard} has ${owners} owners`);
      if (owners === 0) orphans++;
    }
    return orphans;
  }

  async advance(ms: number, stepMs = 500): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
      await this.weather.clock.advance(stepMs);
      void this.orphans;
    }
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    for (const sharding of this.replicas.values()) sharding[Symbol.dispose]();
    this.weather[Symbol.dispose]();
  }
}

const MEMBERS = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 12 });

// FR-187
Deno.test("every shard has one owner of those that are there, none more than its share, whatever the order", () => {
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
Deno.test("when one comes or goes most shards stay where they are", () => {
  fc.assert(fc.property(MEMBERS.filter(({ length }) => length >= 2), (members) => {
    const all = assignShards(members), fewer = assignShards(members.slice(1));
    const moved = all.filter((owner, shard) => owner !== fewer[shard]).length;
    assert.ok(moved <= 3 * Math.ceil(SHARDS / members.length) + 4, `${moved} of ${SHARDS} moved for ${members.length}`);
  }));
});

Deno.test("namespaces fall into shards evenly enough, and always the same", () => {
  const counts = new Array<number>(SHARDS).fill(0);
  for (let at = 0; at < 6_400; at++) counts[shardOf(`team-${at}`)]!++;
  assert.ok(Math.min(...counts) > 50 && Math.max(...counts) < 160, `${Math.min(...counts)} to ${Math.max(...counts)}`);
  assert.deepEqual(["", "default", "kube-system"].map(shardOf), [2, 1, 48]);
});

// FR-187
Deno.test("nobody takes what a living replica is written down for, and everybody keeps what it holds until its work has ended", () => {
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
Deno.test("a shard is taken up again by a write only, after which what was sent before comes too late", async () => {
  const mine = Array<string>(SHARDS).fill("a");
  const plan = planShards({ me: "a", owners: mine, members: ["a"], held: new Set() });
  assert.deepEqual([plan.writes, plan.gained.length], [true, SHARDS]);
  assert.equal(planShards({ me: "a", owners: mine, members: ["a"], held: new Set(mine.keys()) }).writes, false);
  using weather = new Weather();
  const { client } = weather, metadata = { namespace: NAMESPACE, name: "table" };
  const read = await client.create(LEASES, withOwners({ metadata }, mine));
  await client.replace(LEASES, withOwners(read, plan.owners));
  await assert.rejects(client.replace(LEASES, withOwners(read, Array(SHARDS).fill(""))), /ConflictError/);
});

Deno.test("owners can be read back from their Lease, and what is none is not taken for some", () => {
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

Deno.test("replicas share the shards, hand over when one comes, and take over when one leaves, each shard with one owner", async () => {
  using fleet = new Fleet();
  const a = await fleet.join("a", { drainMs: 4_000 });
  await fleet.advance(3_000);
  assert.equal(a.shards, SHARDS);
  const b = await fleet.join("b"), c = await fleet.join("c");
  await fleet.advance(20_000);
  assert.equal(fleet.orphans, 0);
  assert.deepEqual([a, b, c].map(({ shards }) => shards <= 22 && shards >= 20), [true, true, true]);
  await b.release();
  await fleet.advance(5_000);
  assert.equal(fleet.orphans, 0, "what was given up is taken at once");
  await fleet.advance(10_000);
  assert.equal(a.shards + c.shards, SHARDS);
});

// FR-188
Deno.test("the shards of a replica that is killed are taken when its lease has run out, and not before", async () => {
  using fleet = new Fleet();
  const a = await fleet.join("a"), b = await fleet.join("b");
  await fleet.advance(10_000);
  const before = a.shards;
  fleet.kill("b");
  await fleet.advance(10_000);
  assert.deepEqual([a.shards, b.mayWrite], [before, false]);
  await fleet.advance(10_000);
  assert.equal(a.shards, SHARDS);
});

// FR-355
Deno.test("a member Lease that somebody deletes gives no shard a second owner, and its shards are taken later", async () => {
  for (const joinsLate of [false, true]) {
    using fleet = new Fleet();
    const a = await fleet.join("a"), b = await fleet.join("b");
    await fleet.advance(10_000);
    const { client } = fleet.weather, { items } = await client.list<LeaseObject>(LEASES, { namespace: NAMESPACE });
    const lease = items.find(({ spec, metadata }) =>
      spec?.holderIdentity === "b" && metadata?.name?.includes("member")
    )!;
    await client.delete(LEASES, { namespace: NAMESPACE, name: lease.metadata!.name! });
    const others = [a, ...(joinsLate ? [await fleet.join("c")] : [])];
    await fleet.advance(3_000, 100);
    assert.ok(fleet.lost.has("b"), "it learns that it counts as dead");
    fleet.kill("b");
    await fleet.advance(20_000);
    assert.equal(b.mayWrite, false);
    assert.equal(others.reduce((sum, { shards }) => sum + shards, 0), SHARDS);
  }
});

// FR-355
Deno.test("the shards of one that is killed wait for no second replica: who removes its Lease frees them for all", async () => {
  using fleet = new Fleet();
  const a = await fleet.join("a"), c = await fleet.join("c");
  await fleet.join("b");
  await fleet.advance(15_000);
  fleet.kill("b");
  await fleet.advance(20_000);
  assert.equal(a.shards + c.shards, SHARDS);
});

// FR-187
Deno.test("in an outage a replica begins nothing, ends what it has under way, and then takes up what is still written down for it", async () => {
  using fleet = new Fleet();
  const a = await fleet.join("a", { drainMs: 1_000 });
  await fleet.advance(3_000);
  const changes: boolean[] = [];
  a.onChange(() => changes.push(a.covers("team-a")));
  fleet.weather.turn("a", { kind: "hanging" });
  await fleet.advance(30_000);
  assert.deepEqual([a.covers("team-a"), a.mayWrite, a.shards], [false, false, 0]);
  fleet.weather.turn("a", { kind: "clear" });
  await fleet.advance(15_000);
  assert.deepEqual([a.covers("team-a"), a.mayWrite, a.shards, changes], [true, true, SHARDS, [false, true]]);
  assert.equal(fleet.lost.size, 0);
});

Deno.test("a replica whose shards somebody takes away is lost", async () => {
  using fleet = new Fleet();
  const a = await fleet.join("a");
  await fleet.advance(3_000);
  await fleet.weather.client.delete(LEASES, { namespace: NAMESPACE, name: `${NAME}-shards` });
  await fleet.advance(3_000);
  assert.ok(fleet.lost.has("a"));
  assert.match((await a.lost).message, /shards 0,1,.* are somebody else's/);
});

const JOIN = fc.record({ drainMs: fc.constantFrom(0, 1_000, 20_000), skewMs: SKEW_MS });
const MEMBERS_MAX = 4;

// FR-187
Deno.test("a shard has at most one owner at any time, whoever comes, goes, dies, is cut off, late, unanswered or sets its clock", async () => {
  await fc.assert(
    fc.asyncProperty(histories(JOIN, MEMBERS_MAX), async (history) => {
      using fleet = new Fleet();
      const stayed = await play(
        history,
        {
          weather: fleet.weather,
          join: (id, how) => fleet.join(id, how),
          leave: (id) => void fleet.replicas.get(id)!.release(),
          kill: (id) => fleet.kill(id),
          advance: (ms) => fleet.advance(ms),
        },
        MEMBERS_MAX,
        75_000,
      );
      if ([...stayed.keys()].some((id) => !fleet.lost.has(id))) assert.equal(fleet.orphans, 0);
    }),
    { numRuns: 4 },
  );
});
