import type { PeeringOptions } from "../../lib/election/peering.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Logger, silentLogger } from "../../lib/base/mod.ts";
import {
  freezeEndsMs,
  type LeaseObject,
  LEASES,
  type Peer,
  peerAnnotations,
  peerDecision,
  Peering,
  PEERING_LABEL,
  peerLeaseName,
  peerOf,
} from "../../lib/election/mod.ts";
import { histories, runHistory, SKEW_MS } from "./histories.ts";
import { type JoinOptions, Members, NAME, NAMESPACE } from "./members.ts";

/** Operators of one peering. */
class Peers extends Members<Peering> {
  join(
    identity: string,
    priority: number,
    { drainMs, skewMs, ...options }: Partial<PeeringOptions> & JoinOptions = {},
  ): Promise<Peering> {
    return this.start(identity, { drainMs, skewMs }, (context) => new Peering({ ...context, priority, ...options }));
  }

  /** Those that may write now; what is dead writes nothing. */
  get writers(): string[] {
    return this.alive.filter(([, peering]) => peering.mayWrite).map(([identity]) => identity);
  }

  protected override check(): void {
    const { writers } = this;
    assert.ok(writers.length <= 1, `${writers} write at the same time`);
  }
}

function peer(identity: string, priority: number, more: Partial<Peer> = {}): Peer {
  return { identity, priority, state: "active", ...more };
}

Deno.test("the highest priority works, equal ones clash, a freeze of equal priority wins, and replicas of one lease are no rivals", () => {
  const me = peer("me", 5);
  assert.deepEqual(peerDecision(me, []), { kind: "work" });
  assert.deepEqual(peerDecision(me, [peer("a", 1, { state: "paused" }), me]), { kind: "work" });
  assert.equal(peerDecision(me, [peer("a", 1)]).kind, "wait");
  assert.equal(peerDecision(me, [peer("a", 6, { state: "paused" })]).kind, "pause");
  assert.equal(peerDecision(me, [peer("a", 5)]).kind, "conflict");
  assert.equal(peerDecision(me, [peer("a", 5, { state: "freeze" })]).kind, "pause");
  assert.equal(peerDecision(me, [peer("a", 4, { state: "freeze" })]).kind, "work");
  const replica = peer("r", 5, { replicasOf: "ns/lease" });
  assert.equal(peerDecision({ ...me, replicasOf: "ns/lease" }, [replica]).kind, "work");
  assert.equal(peerDecision(me, [replica]).kind, "conflict");
});

Deno.test("no two peers may work at the same time, whatever their leases contain", () => {
  const any = fc.record({
    priority: fc.nat(3),
    state: fc.constantFrom("active" as const, "paused" as const, "freeze" as const),
  });
  fc.assert(fc.property(fc.array(any, { minLength: 2, maxLength: 6 }), (those) => {
    const peers = those.map((each, index) => peer(`p${index}`, each.priority, { state: each.state }));
    const working = peers.filter((each) => each.state === "active" && peerDecision(each, peers).kind === "work");
    assert.ok(working.length <= 1);
  }));
});

Deno.test("a peer can be read back from its lease, and an unreadable one counts as a peer that works", () => {
  const peerOfLease = peer("ada", 7, { state: "paused", replicasOf: "ns/l", message: "why" });
  const lease: LeaseObject = {
    metadata: { annotations: peerAnnotations(peerOfLease) },
    spec: { holderIdentity: "ada" },
  };
  assert.deepEqual(peerOf(lease), { ...peerOfLease, expiresMs: undefined });
  const strange: LeaseObject = {
    metadata: { name: "x", annotations: { "pintle.dev/priority": "high", "pintle.dev/peer-state": "?" } },
  };
  assert.deepEqual([peerOf(strange).priority, peerOf(strange).state, peerOf(strange).identity], [0, "active", "x"]);
  assert.ok(peerLeaseName("a".repeat(63), "Ada Lovelace @ a very long host").length <= 63);
});

// FR-185
Deno.test("a peer of higher priority takes over once the lower one has ended its work, and the lower one continues when it leaves", async () => {
  using peers = new Peers();
  const prod = await peers.join("prod", 0, { drainMs: 7_000 });
  await peers.advance(3_000);
  assert.ok(prod.covers() && prod.mayWrite);
  const dev = await peers.join("dev", 666);
  await peers.advance(3_000);
  assert.deepEqual([prod.state, prod.covers(), prod.mayWrite, dev.state], ["pausing", false, true, "waiting"]);
  await peers.advance(12_000);
  assert.deepEqual([prod.state, prod.mayWrite, dev.state, dev.mayWrite], ["paused", false, "working", true]);
  await dev.release();
  await peers.advance(5_000);
  assert.deepEqual([prod.state, dev.mayWrite], ["working", false]);
  await prod.release();
  const left = await peers.network.client.list(LEASES, { namespace: NAMESPACE });
  assert.deepEqual(left.items, [], "a peer that leaves deletes its lease");
});

Deno.test("the lease of a killed peer of higher priority is respected until it expires, and then deleted", async () => {
  using peers = new Peers();
  const prod = await peers.join("prod", 0);
  await peers.join("dev", 666);
  await peers.advance(10_000);
  peers.kill("dev");
  await peers.advance(10_000);
  assert.equal(prod.state, "paused");
  await peers.advance(10_000);
  assert.equal(prod.state, "working");
  assert.equal((await peers.network.client.list(LEASES, { namespace: NAMESPACE })).items.length, 1);
});

// FR-185
Deno.test("two peers of equal priority both pause and log it once, and the one that stays continues", async () => {
  using peers = new Peers();
  const logged: string[] = [];
  const logger = { ...silentLogger, error: (message: string) => void logged.push(message) } as Logger;
  const a = await peers.join("a", 3, { logger });
  await peers.advance(5_000);
  const b = await peers.join("b", 3);
  await peers.advance(10_000);
  assert.deepEqual([a.state, b.state], ["paused", "paused"]);
  assert.deepEqual(logged, ["another peer has the same priority: both pause"]);
  await b.release();
  await peers.advance(5_000);
  assert.equal(a.state, "working");
});

Deno.test("a freeze pauses those up to its priority for its lifetime, which the server's clock counts", async () => {
  using peers = new Peers();
  const { client } = peers.network;
  const prod = await peers.join("prod", 0), dev = { state: "" };
  await peers.advance(3_000);
  const freeze = peer("ada", 100, { state: "freeze", message: "database move" });
  await client.create<LeaseObject>(LEASES, {
    metadata: {
      namespace: NAMESPACE,
      name: peerLeaseName(NAME, "ada"),
      labels: { [PEERING_LABEL]: NAME },
      annotations: peerAnnotations(freeze),
    },
    spec: { holderIdentity: "ada", leaseDurationSeconds: 60 },
  });
  await peers.advance(10_000);
  assert.equal(prod.state, "paused");
  const restarted = await peers.join("prod-restarted", 0, { replicasOf: "x" });
  await peers.advance(40_000);
  assert.equal(restarted.state, "paused", "a process that starts later computes the same end");
  await restarted.release();
  await peers.advance(13_000);
  assert.equal(prod.state, "working", dev.state);
  const { items } = await client.list<LeaseObject>(LEASES, { namespace: NAMESPACE });
  assert.deepEqual(items.map((lease) => freezeEndsMs(lease)), [undefined], "a freeze that is over is removed");
});

for (const [how, byMs] of [["ahead of", 3_600_000], ["behind", -3_600_000]] as const) {
  // FR-186
  Deno.test(`a freeze lasts as long as it should for a peer whose clock is an hour ${how} the server's`, async () => {
    using peers = new Peers();
    const { client } = peers.network;
    const prod = await peers.join("prod", 0, { skewMs: byMs });
    await peers.advance(3_000);
    await client.create<LeaseObject>(LEASES, {
      metadata: {
        namespace: NAMESPACE,
        name: peerLeaseName(NAME, "ada"),
        labels: { [PEERING_LABEL]: NAME },
        annotations: peerAnnotations(peer("ada", 100, { state: "freeze" })),
      },
      spec: { holderIdentity: "ada", leaseDurationSeconds: 60 },
    });
    await peers.advance(5_000);
    peers.network.clockOf("prod").shift(-2 * byMs);
    await peers.advance(50_000);
    assert.equal(prod.state, "paused");
    await peers.advance(12_000);
    assert.equal(prod.state, "working");
  });
}

// FR-185
Deno.test("a peer that others count as dead stops before they begin, and reports its loss", async () => {
  using peers = new Peers();
  const prod = await peers.join("prod", 0);
  await peers.advance(3_000);
  peers.network.setLink("prod", { kind: "hanging" });
  const dev = await peers.join("dev", 666);
  await peers.advance(9_000);
  assert.equal(prod.mayWrite || dev.mayWrite, prod.mayWrite);
  await peers.advance(12_000);
  assert.deepEqual([prod.mayWrite, dev.mayWrite], [false, true]);
  peers.network.setLink("prod", { kind: "clear" });
  await peers.advance(15_000);
  assert.ok(peers.lost.has("prod"));
  assert.equal(dev.mayWrite, true);
});

// FR-470
Deno.test("a peer that stops while its Lease is created deletes it", async () => {
  using peers = new Peers();
  const { client } = peers.network;
  peers.network.setLink("dev", { kind: "unanswered" });
  const dev = await peers.join("dev", 666);
  assert.equal((await client.list(LEASES, { namespace: NAMESPACE })).items.length, 1, "the server has created it");
  peers.network.setLink("dev", { kind: "clear" });
  await dev.release();
  assert.deepEqual((await client.list(LEASES, { namespace: NAMESPACE })).items, []);
});

for (const how of ["refused", "hanging"] as const) {
  // FR-185
  Deno.test(`in an outage (${how}) a single peer begins nothing, ends its work in flight, and then continues`, async () => {
    using peers = new Peers();
    const drained: number[] = [], changes: boolean[] = [], { clock } = peers.network;
    const prod = await peers.join("prod", 0, { drain: () => Promise.resolve(void drained.push(clock.now())) });
    prod.onChange(() => changes.push(prod.covers()));
    const beganMs = clock.now();
    peers.network.setLink("prod", { kind: how });
    await peers.advance(9_000);
    assert.deepEqual([prod.covers(), prod.mayWrite, drained.length], [true, true, 0]);
    await peers.advance(31_000);
    assert.deepEqual([prod.covers(), prod.mayWrite], [false, false], "another peer may have joined meanwhile");
    assert.equal(drained.length, 1);
    assert.ok(drained[0]! - beganMs <= 10_000, "before anybody else may begin");
    peers.network.setLink("prod", { kind: "clear" });
    await peers.advance(15_000);
    assert.deepEqual([prod.mayWrite, peers.lost.size, changes], [true, 0, [false, true]]);
  });
}

// FR-185
Deno.test("a peer whose machine slept ends its work in flight before it continues, although its lease still exists", async () => {
  using peers = new Peers();
  const drained: string[] = [],
    prod = await peers.join("prod", 0, { drain: () => Promise.resolve(void drained.push("")) });
  await peers.advance(3_000);
  peers.network.clockOf("prod").shift(3_600_000);
  assert.deepEqual([prod.covers(), prod.mayWrite], [false, false]);
  await peers.advance(6_000);
  assert.deepEqual([prod.covers(), drained.length, peers.lost.size], [true, 1, 0]);
});

// FR-185
Deno.test("a peer that is cut off and whose clock is set back stops before the next one begins", async () => {
  using peers = new Peers();
  const prod = await peers.join("prod", 0);
  await peers.advance(3_000);
  peers.network.setLink("prod", { kind: "hanging" });
  peers.network.clockOf("prod").shift(-3_600_000);
  const dev = await peers.join("dev", 666);
  await peers.advance(25_000);
  assert.deepEqual([prod.mayWrite, dev.mayWrite], [false, true]);
});

// FR-185
Deno.test("a peer that is cut off and whose machine slept stops at once on resume, though its elapsed time stood still", async () => {
  using peers = new Peers();
  const prod = await peers.join("prod", 0);
  await peers.advance(3_000);
  peers.network.setLink("prod", { kind: "hanging" });
  peers.network.clockOf("prod").shift(3_600_000);
  assert.equal(prod.mayWrite, false);
});

// FR-185
Deno.test("a peer whose clock is set forward counts no peer as dead that renews its lease", async () => {
  using peers = new Peers();
  const dev = await peers.join("dev", 666), prod = await peers.join("prod", 0);
  for (let turns = 0; turns < 40; turns++) {
    peers.network.clockOf("prod").shift(3_600_000);
    await peers.advance(500);
  }
  assert.deepEqual([dev.mayWrite, prod.state, peers.lost.size], [true, "paused", 0]);
});

const JOIN = fc.record({ priority: fc.nat(2), drainMs: fc.constantFrom(0, 1_000, 20_000), skewMs: SKEW_MS });
const MEMBERS_MAX = 5;

// FR-185
Deno.test("at most one peer writes at any time, whichever join, leave, die, are cut off, late or unanswered, or change their clock", async () => {
  await fc.assert(
    fc.asyncProperty(histories(JOIN, MEMBERS_MAX), async (history) => {
      using peers = new Peers();
      const stayed = await runHistory(
        history,
        {
          network: peers.network,
          join: (id, { priority, ...how }) => peers.join(id, priority, how),
          leave: (id) => void peers.members.get(id)!.release(),
          kill: (id) => peers.kill(id),
          advance: (ms) => peers.advance(ms),
        },
        MEMBERS_MAX,
        60_000,
      );
      const remaining = [...stayed].filter(([id]) => !peers.lost.has(id));
      const highest = Math.max(...remaining.map(([, { priority }]) => priority));
      const first = remaining.filter(([, { priority }]) => priority === highest);
      if (first.length === 1) assert.equal(peers.members.get(first[0]![0])!.state, "working");
    }),
    { numRuns: 6 },
  );
});
