import assert from "node:assert/strict";
import { type Clock, SeededRandom, settle, silentLogger, type Transport, VirtualClock } from "../../lib/base/mod.ts";
import { EmbeddedApiServer } from "../../lib/apiserver/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { fencedTransport, LeaderElector, type LeaseObject, LEASES, type LeaseTiming } from "../../lib/election/mod.ts";
import { TurnedClock } from "./turned_clock.ts";

const KEY = { namespace: "default", name: "widgets" };

/** Candidates for one lease, on a clock that only the test turns; each can be cut off from the server. */
class Electorate implements Disposable {
  readonly clock = new VirtualClock();
  readonly server = new EmbeddedApiServer({ clock: this.clock, random: new SeededRandom(3) });
  readonly client = new Client(this.server.transport(), { fieldManager: "test", clock: this.clock });
  readonly cut = new Map<string, "refused" | "hanging" | "unanswered">();
  readonly #stop = new AbortController();
  requests = 0;

  candidate(identity: string, clock: Clock = this.clock, timing: Partial<LeaseTiming> = {}): LeaderElector {
    const inner = this.server.transport();
    const transport: Transport = {
      fetch: async (path, request) => {
        this.requests++;
        const how = this.cut.get(identity);
        if (how === "refused") throw new TypeError("connection refused");
        if (how === "unanswered") await inner.fetch(path, request);
        if (how === "hanging" || how === "unanswered") {
          await new Promise((_, reject) => {
            request?.signal?.addEventListener("abort", () => reject(request.signal!.reason), { once: true });
          });
        }
        return await inner.fetch(path, request);
      },
      close: () => inner.close(),
    };
    const client = new Client(transport, { fieldManager: identity, clock, retriesMax: 0 });
    const random = new SeededRandom(identity.length);
    return new LeaderElector({ client, clock, random, logger: silentLogger, lease: KEY, identity, ...timing });
  }

  /** Begins an election; the promise says when it is won. */
  async run(elector: LeaderElector): Promise<{ readonly won: () => boolean; readonly acquired: Promise<void> }> {
    let won = false;
    const acquired = elector.acquire(this.#stop.signal).then(() => void (won = true));
    acquired.catch(() => {});
    await settle();
    return { won: () => won, acquired };
  }

  lease(): Promise<LeaseObject> {
    return this.client.get<LeaseObject>(LEASES, KEY);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.server.close();
  }
}

Deno.test("the first candidate leads at once, and the lease says who, since when and for how long", async () => {
  using electorate = new Electorate();
  const a = electorate.candidate("a");
  const { won } = await electorate.run(a);
  assert.ok(won() && a.isLeader);
  const { spec } = await electorate.lease();
  assert.equal(spec?.holderIdentity, "a");
  assert.equal(spec?.leaseDurationSeconds, 15);
  assert.equal(spec?.leaseTransitions, 0);
  assert.match(spec?.renewTime ?? "", /^\d{4}-.*T.*\.\d{6}Z$/);
  await a.release();
});

// FR-180
Deno.test("of two candidates one leads for as long as it renews, and renewing costs one request each time", async () => {
  using electorate = new Electorate();
  const a = electorate.candidate("a"), b = electorate.candidate("b");
  await electorate.run(a);
  const second = await electorate.run(b);
  for (let seconds = 0; seconds < 60; seconds += 3) {
    await electorate.clock.advance(3_000);
    assert.ok(a.isLeader && !b.isLeader && !second.won(), `after ${seconds} s`);
  }
  assert.equal(b.holder, "a");
  const before = electorate.requests;
  await electorate.clock.advance(60_000);
  const perMinute = electorate.requests - before;
  assert.ok(perMinute <= 60, `${perMinute} requests a minute of two candidates`);
  await a.release();
});

Deno.test("a leader that stops gracefully hands over without waiting for its lease to expire", async () => {
  using electorate = new Electorate();
  const a = electorate.candidate("a"), b = electorate.candidate("b");
  await electorate.run(a);
  const second = await electorate.run(b);
  await a.release();
  assert.ok(!a.isLeader);
  await electorate.clock.advance(2_500);
  assert.ok(second.won() && b.isLeader);
  assert.equal((await electorate.lease()).spec?.leaseTransitions, 1);
  await b.release();
});

for (const how of ["refused", "hanging"] as const) {
  // FR-180
  Deno.test(`a leader that is cut off (${how}) stops leading before anybody else begins`, async () => {
    using electorate = new Electorate();
    const a = electorate.candidate("a"), b = electorate.candidate("b");
    await electorate.run(a);
    const second = await electorate.run(b);
    await electorate.clock.advance(5_000);
    electorate.cut.set("a", how);
    let lost: Error | undefined, idleMs = 0;
    void a.lost.then((error) => lost = error);
    for (let passedMs = 0; passedMs < 40_000 && !second.won(); passedMs += 500) {
      await electorate.clock.advance(500);
      assert.ok(!(a.isLeader && b.isLeader), "never two");
      if (!a.isLeader && !b.isLeader) idleMs += 500;
    }
    assert.ok(second.won(), "the other one takes over");
    assert.ok(idleMs >= 2_000, `nobody led for ${idleMs} ms: requests under way have time to arrive`);
    assert.match(lost?.message ?? "", /lease default\/widgets is lost: it could not be renewed in time/);
    await b.release();
  });
}

// FR-180
// FR-180
Deno.test("a leader that stops while its renewal is under way gives the lease up all the same", async () => {
  using electorate = new Electorate();
  const a = electorate.candidate("a");
  await electorate.run(a);
  electorate.cut.set("a", "unanswered");
  await electorate.clock.advance(3_000); // the server has renewed the lease, and the answer is still to come
  const renewed = (await electorate.lease()).metadata?.resourceVersion;
  electorate.cut.delete("a");
  await a.release();
  const { metadata, spec } = await electorate.lease();
  assert.equal(spec?.holderIdentity, "");
  assert.notEqual(metadata?.resourceVersion, renewed);
});

Deno.test("a leader that stops leaves a lease alone that another identity has taken", async () => {
  using electorate = new Electorate();
  const a = electorate.candidate("a");
  await electorate.run(a);
  const lease = await electorate.lease();
  await electorate.client.replace(LEASES, { ...lease, spec: { ...lease.spec, holderIdentity: "someone" } });
  await a.release();
  assert.equal((await electorate.lease()).spec?.holderIdentity, "someone");
});

Deno.test("a leader that is cut off and whose clock is set back leads no longer for it", async () => {
  using electorate = new Electorate();
  const { clock } = electorate, turned = new TurnedClock(clock);
  const a = electorate.candidate("a", turned);
  const b = electorate.candidate("b");
  await electorate.run(a);
  const second = await electorate.run(b);
  electorate.cut.set("a", "hanging");
  turned.turn(-3_600_000);
  for (let passedMs = 0; passedMs < 40_000 && !second.won(); passedMs += 500) {
    await clock.advance(500);
    assert.ok(!(a.isLeader && b.isLeader), "never two");
  }
  assert.ok(second.won() && !a.isLeader);
  await b.release();
});

// FR-180
Deno.test("a candidate whose clock is set forward takes no lease from a leader that renews it", async () => {
  using electorate = new Electorate();
  const { clock } = electorate, turned = new TurnedClock(clock);
  const a = electorate.candidate("a");
  const b = electorate.candidate("b", turned, { retryMs: 500 });
  await electorate.run(a);
  const second = await electorate.run(b);
  for (let turns = 0; turns < 40; turns++) {
    turned.turn(3_600_000);
    await clock.advance(500);
  }
  assert.ok(a.isLeader && !second.won());
  await a.release();
});

Deno.test("a short outage costs nobody the lease", async () => {
  using electorate = new Electorate();
  const a = electorate.candidate("a");
  await electorate.run(a);
  electorate.cut.set("a", "refused");
  await electorate.clock.advance(6_000);
  electorate.cut.delete("a");
  await electorate.clock.advance(60_000);
  assert.ok(a.isLeader);
  await a.release();
});

// FR-180
Deno.test("a lease that somebody takes away is lost as soon as it is seen", async () => {
  using electorate = new Electorate();
  const a = electorate.candidate("a");
  await electorate.run(a);
  const { spec } = await electorate.lease();
  await electorate.client.patch(LEASES, KEY, {
    type: "merge",
    body: { spec: { ...spec, holderIdentity: "thief" } } as never,
  });
  await electorate.clock.advance(2_500);
  assert.ok(!a.isLeader);
  assert.match((await a.lost).message, /thief has it/);
});

Deno.test("a deleted lease is made anew by its holder, and somebody's label on it is no loss", async () => {
  using electorate = new Electorate();
  const a = electorate.candidate("a");
  await electorate.run(a);
  await electorate.client.patch(LEASES, KEY, { type: "merge", body: { metadata: { labels: { team: "x" } } } as never });
  await electorate.clock.advance(5_000);
  await electorate.client.delete(LEASES, KEY);
  await electorate.clock.advance(5_000);
  assert.ok(a.isLeader);
  assert.equal((await electorate.lease()).spec?.holderIdentity, "a");
  await a.release();
});

// FR-355
Deno.test("a lease that somebody deletes is taken by another candidate only when its holder has stopped to rely on it", async () => {
  using electorate = new Electorate();
  const a = electorate.candidate("a"), b = electorate.candidate("b");
  await electorate.run(a);
  const waiting = await electorate.run(b);
  await electorate.clock.advance(5_000);
  electorate.cut.set("a", "refused");
  await electorate.client.delete(LEASES, KEY);
  for (let passedMs = 0; !waiting.won(); passedMs += 100) {
    assert.ok(passedMs < 30_000, "it is taken at last");
    await electorate.clock.advance(100);
    assert.ok(!(a.isLeader && b.isLeader), `two lead after ${passedMs} ms`);
  }
  await b.release();
});

// FR-181
Deno.test("only the leader's writes pass the fence; reads and access reviews always do", async () => {
  using electorate = new Electorate();
  let leading = false;
  const transport = fencedTransport(electorate.server.transport(), () => leading);
  const write = () =>
    transport.fetch("/api/v1/namespaces", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ metadata: { name: "made" } }),
    });
  await assert.rejects(write(), /LeaseLostError: POST \/api\/v1\/namespaces is not sent/);
  assert.equal((await transport.fetch("/api/v1/namespaces/default")).status, 200);
  const review = { spec: { resourceAttributes: { verb: "get", resource: "pods" } } };
  const answer = await transport.fetch("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(review),
  });
  assert.equal(answer.status, 201);
  assert.equal((await transport.fetch("/api/v1/namespaces/made")).status, 404, "nothing was sent");
  leading = true;
  assert.equal((await write()).status, 201);
});
