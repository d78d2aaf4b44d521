import assert from "node:assert/strict";
import fc from "fast-check";
import { type Logger, SeededRandom, silentLogger, sleep } from "../../lib/base/mod.ts";
import {
  freezeEndsMs,
  type LeaseObject,
  LEASES,
  type Peer,
  peerAnnotations,
  Peering,
  PEERING_LABEL,
  type PeeringOptions,
  peerLeaseName,
  peerOf,
  standing,
} from "../../lib/election/mod.ts";
import { histories, play, SKEW_MS } from "./histories.ts";
import { Weather } from "./weather.ts";

const NAMESPACE = "default", NAME = "widgets";

/** Operators of one peering. */
class Society implements Disposable {
  readonly weather = new Weather();
  readonly peers = new Map<string, Peering>();
  readonly dead = new Set<string>();
  readonly lost = new Set<string>();
  readonly #stop = new AbortController();

  /** Somebody comes; `drainMs` is how long what it has under way takes to end. */
  async join(
    identity: string,
    priority: number,
    options: Partial<PeeringOptions> & { drainMs?: number; skewMs?: number } = {},
  ): Promise<Peering> {
    const { drainMs = 0, skewMs = 0, ...rest } = options, { clock } = this.weather;
    this.weather.clockOf(identity).turn(skewMs);
    const peering = new Peering({
      client: this.weather.clientOf(identity),
      clock: this.weather.clockOf(identity),
      random: new SeededRandom(identity.length),
      logger: silentLogger,
      namespace: NAMESPACE,
      name: NAME,
      identity,
      priority,
      drain: () => drainMs === 0 ? Promise.resolve() : sleep(clock, drainMs, this.#stop.signal),
      ...rest,
    });
    this.peers.set(identity, peering);
    peering.acquire(this.#stop.signal).catch(() => {});
    void peering.lost.then(() => this.lost.add(identity));
    await clock.advance(1);
    return peering;
  }

  /** The process is gone, without a word. */
  kill(identity: string): void {
    this.dead.add(identity);
    this.peers.get(identity)?.[Symbol.dispose]();
  }

  /** Those that may write now; what is dead writes nothing. */
  get writers(): string[] {
    return [...this.peers].filter(([identity, peering]) => peering.mayWrite && !this.dead.has(identity)).map(([id]) =>
      id
    );
  }

  async advance(ms: number, stepMs = 500): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
      await this.weather.clock.advance(stepMs);
      const { writers } = this;
      assert.ok(writers.length <= 1, `${writers} write at the same time`);
    }
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    for (const peering of this.peers.values()) peering[Symbol.dispose]();
    this.weather[Symbol.dispose]();
  }
}

function peer(identity: string, priority: number, more: Partial<Peer> = {}): Peer {
  return { identity, priority, state: "active", ...more };
}

Deno.test("the highest priority works, equal ones clash, a freeze of equal priority wins, and replicas of one lease are no rivals", () => {
  const me = peer("me", 5);
  assert.deepEqual(standing(me, []), { kind: "free" });
  assert.deepEqual(standing(me, [peer("a", 1, { state: "paused" }), me]), { kind: "free" });
  assert.equal(standing(me, [peer("a", 1)]).kind, "next");
  assert.equal(standing(me, [peer("a", 6, { state: "paused" })]).kind, "paused");
  assert.equal(standing(me, [peer("a", 5)]).kind, "clash");
  assert.equal(standing(me, [peer("a", 5, { state: "freeze" })]).kind, "paused");
  assert.equal(standing(me, [peer("a", 4, { state: "freeze" })]).kind, "free");
  const replica = peer("r", 5, { replicasOf: "ns/lease" });
  assert.equal(standing({ ...me, replicasOf: "ns/lease" }, [replica]).kind, "free");
  assert.equal(standing(me, [replica]).kind, "clash");
});

Deno.test("no two of any peers are free at once, whatever they say", () => {
  const any = fc.record({
    priority: fc.nat(3),
    state: fc.constantFrom("active" as const, "paused" as const, "freeze" as const),
  });
  fc.assert(fc.property(fc.array(any, { minLength: 2, maxLength: 6 }), (those) => {
    const peers = those.map((each, index) => peer(`p${index}`, each.priority, { state: each.state }));
    const working = peers.filter((each) => each.state === "active" && standing(each, peers).kind === "free");
    assert.ok(working.length <= 1);
  }));
});

Deno.test("what a lease says of a peer can be read back, and nonsense counts as a peer that works", () => {
  const said = peer("ada", 7, { state: "paused", replicasOf: "ns/l", message: "why" });
  const lease: LeaseObject = { metadata: { annotations: peerAnnotations(said) }, spec: { holderIdentity: "ada" } };
  assert.deepEqual(peerOf(lease), { ...said, endsMs: undefined });
  const strange: LeaseObject = {
    metadata: { name: "x", annotations: { "pintle.dev/priority": "high", "pintle.dev/peer-state": "?" } },
  };
  assert.deepEqual([peerOf(strange).priority, peerOf(strange).state, peerOf(strange).identity], [0, "active", "x"]);
  assert.ok(peerLeaseName("a".repeat(63), "Ada Lovelace @ a very long host").length <= 63);
});

// FR-185
Deno.test("one of higher priority takes over once the lower one has ended its work, and the lower one goes on when it leaves", async () => {
  using society = new Society();
  const prod = await society.join("prod", 0, { drainMs: 7_000 });
  await society.advance(3_000);
  assert.ok(prod.covers() && prod.mayWrite);
  const dev = await society.join("dev", 666);
  await society.advance(3_000);
  assert.deepEqual([prod.state, prod.covers(), prod.mayWrite, dev.state], ["pausing", false, true, "waiting"]);
  await society.advance(12_000);
  assert.deepEqual([prod.state, prod.mayWrite, dev.state, dev.mayWrite], ["paused", false, "working", true]);
  await dev.release();
  await society.advance(5_000);
  assert.deepEqual([prod.state, dev.mayWrite], ["working", false]);
  await prod.release();
  const left = await society.weather.client.list(LEASES, { namespace: NAMESPACE });
  assert.deepEqual(left.items, [], "who leaves leaves nothing behind");
});

Deno.test("one of higher priority that is killed is waited for until its lease has run out, and then removed", async () => {
  using society = new Society();
  const prod = await society.join("prod", 0);
  await society.join("dev", 666);
  await society.advance(10_000);
  society.kill("dev");
  await society.advance(10_000);
  assert.equal(prod.state, "paused");
  await society.advance(10_000);
  assert.equal(prod.state, "working");
  assert.equal((await society.weather.client.list(LEASES, { namespace: NAMESPACE })).items.length, 1);
});

// FR-185
Deno.test("two of equal priority both pause, say so once, and the one that stays goes on", async () => {
  using society = new Society();
  const said: string[] = [];
  const logger = { ...silentLogger, error: (message: string) => void said.push(message) } as Logger;
  const a = await society.join("a", 3, { logger });
  await society.advance(5_000);
  const b = await society.join("b", 3);
  await society.advance(10_000);
  assert.deepEqual([a.state, b.state], ["paused", "paused"]);
  assert.deepEqual(said, ["another peer has the same priority: both pause"]);
  await b.release();
  await society.advance(5_000);
  assert.equal(a.state, "working");
});

Deno.test("a freeze pauses those up to its priority for its lifetime, which the server's clock counts", async () => {
  using society = new Society();
  const { client } = society.weather;
  const prod = await society.join("prod", 0), dev = { state: "" };
  await society.advance(3_000);
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
  await society.advance(10_000);
  assert.equal(prod.state, "paused");
  const restarted = await society.join("prod-anew", 0, { replicasOf: "x" });
  await society.advance(40_000);
  assert.equal(restarted.state, "paused", "a process that began in the middle counts from the same moment");
  await restarted.release();
  await society.advance(13_000);
  assert.equal(prod.state, "working", dev.state);
  const { items } = await client.list<LeaseObject>(LEASES, { namespace: NAMESPACE });
  assert.deepEqual(items.map((lease) => freezeEndsMs(lease)), [undefined], "a freeze that is over is removed");
});

for (const [how, byMs] of [["ahead of", 3_600_000], ["behind", -3_600_000]] as const) {
  // FR-186
  Deno.test(`a freeze lasts as long as it should for a peer whose clock is an hour ${how} the server's`, async () => {
    using society = new Society();
    const { client } = society.weather;
    const prod = await society.join("prod", 0, { skewMs: byMs });
    await society.advance(3_000);
    await client.create<LeaseObject>(LEASES, {
      metadata: {
        namespace: NAMESPACE,
        name: peerLeaseName(NAME, "ada"),
        labels: { [PEERING_LABEL]: NAME },
        annotations: peerAnnotations(peer("ada", 100, { state: "freeze" })),
      },
      spec: { holderIdentity: "ada", leaseDurationSeconds: 60 },
    });
    await society.advance(5_000);
    society.weather.clockOf("prod").turn(-2 * byMs);
    await society.advance(50_000);
    assert.equal(prod.state, "paused");
    await society.advance(12_000);
    assert.equal(prod.state, "working");
  });
}

// FR-185
Deno.test("a peer that others took for dead stops before they begin, and learns it", async () => {
  using society = new Society();
  const prod = await society.join("prod", 0);
  await society.advance(3_000);
  society.weather.turn("prod", { kind: "hanging" });
  const dev = await society.join("dev", 666);
  await society.advance(9_000);
  assert.equal(prod.mayWrite || dev.mayWrite, prod.mayWrite);
  await society.advance(12_000);
  assert.deepEqual([prod.mayWrite, dev.mayWrite], [false, true]);
  society.weather.turn("prod", { kind: "clear" });
  await society.advance(15_000);
  assert.ok(society.lost.has("prod"));
  assert.equal(dev.mayWrite, true);
});

for (const how of ["refused", "hanging"] as const) {
  // FR-185
  Deno.test(`in an outage (${how}) with nobody else there a peer begins nothing, ends what it has under way, and then goes on`, async () => {
    using society = new Society();
    const drained: number[] = [], changes: boolean[] = [], { clock } = society.weather;
    const prod = await society.join("prod", 0, { drain: () => Promise.resolve(void drained.push(clock.now())) });
    prod.onChange(() => changes.push(prod.covers()));
    const beganMs = clock.now();
    society.weather.turn("prod", { kind: how });
    await society.advance(9_000);
    assert.deepEqual([prod.covers(), prod.mayWrite, drained.length], [true, true, 0]);
    await society.advance(31_000);
    assert.deepEqual([prod.covers(), prod.mayWrite], [false, false], "nobody knows who came meanwhile");
    assert.equal(drained.length, 1);
    assert.ok(drained[0]! - beganMs <= 10_000, "before anybody else may begin");
    society.weather.turn("prod", { kind: "clear" });
    await society.advance(15_000);
    assert.deepEqual([prod.mayWrite, society.lost.size, changes], [true, 0, [false, true]]);
  });
}

// FR-185
Deno.test("a peer whose machine slept ends what it had under way before it goes on, although its lease is still there", async () => {
  using society = new Society();
  const drained: string[] = [],
    prod = await society.join("prod", 0, { drain: () => Promise.resolve(void drained.push("")) });
  await society.advance(3_000);
  society.weather.clockOf("prod").turn(3_600_000);
  assert.deepEqual([prod.covers(), prod.mayWrite], [false, false]);
  await society.advance(6_000);
  assert.deepEqual([prod.covers(), drained.length, society.lost.size], [true, 1, 0]);
});

// FR-185
Deno.test("a peer that is cut off and whose clock is set back stops before the next one begins", async () => {
  using society = new Society();
  const prod = await society.join("prod", 0);
  await society.advance(3_000);
  society.weather.turn("prod", { kind: "hanging" });
  society.weather.clockOf("prod").turn(-3_600_000);
  const dev = await society.join("dev", 666);
  await society.advance(25_000);
  assert.deepEqual([prod.mayWrite, dev.mayWrite], [false, true]);
});

// FR-185
Deno.test("a peer that is cut off and whose machine slept stops at once when it wakes, though its own time stood still", async () => {
  using society = new Society();
  const prod = await society.join("prod", 0);
  await society.advance(3_000);
  society.weather.turn("prod", { kind: "hanging" });
  society.weather.clockOf("prod").turn(3_600_000);
  assert.equal(prod.mayWrite, false);
});

// FR-185
Deno.test("a peer whose clock is set forward takes nobody for dead who renews its lease", async () => {
  using society = new Society();
  const dev = await society.join("dev", 666), prod = await society.join("prod", 0);
  for (let turns = 0; turns < 40; turns++) {
    society.weather.clockOf("prod").turn(3_600_000);
    await society.advance(500);
  }
  assert.deepEqual([dev.mayWrite, prod.state, society.lost.size], [true, "paused", 0]);
});

const JOIN = fc.record({ priority: fc.nat(2), drainMs: fc.constantFrom(0, 1_000, 20_000), skewMs: SKEW_MS });
const MEMBERS_MAX = 5;

// FR-185
Deno.test("of any peers at most one writes at any time, whoever comes, goes, dies, is cut off, late, unanswered or sets its clock", async () => {
  await fc.assert(
    fc.asyncProperty(histories(JOIN, MEMBERS_MAX), async (history) => {
      using society = new Society();
      const stayed = await play(
        history,
        {
          weather: society.weather,
          join: (id, { priority, ...how }) => society.join(id, priority, how),
          leave: (id) => void society.peers.get(id)!.release(),
          kill: (id) => society.kill(id),
          advance: (ms) => society.advance(ms),
        },
        MEMBERS_MAX,
        60_000,
      );
      const there = [...stayed].filter(([id]) => !society.lost.has(id));
      const highest = Math.max(...there.map(([, { priority }]) => priority));
      const first = there.filter(([, { priority }]) => priority === highest);
      if (first.length === 1) assert.equal(society.peers.get(first[0]![0])!.state, "working");
    }),
    { numRuns: 6 },
  );
});
