import assert from "node:assert/strict";
import { type Clock, SeededRandom, settle, silentLogger, type Transport, VirtualClock } from "../../lib/base/mod.ts";
import { EmbeddedApiServer } from "../../lib/apiserver/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { fencedTransport, LeaderElector, type LeaseObject, LEASES, type LeaseTiming } from "../../lib/election/mod.ts";
import { SkewedClock } from "./skewed_clock.ts";

const KEY = { namespace: "default", name: "widgets" };

/** Candidates for one lease, on a clock that only the test turns; each can be cut off from the server. */
class Candidates implements Disposable {
  readonly clock = new VirtualClock();
  readonly server = new EmbeddedApiServer({ clock: this.clock, random: new SeededRandom(3) });
  readonly client = new Client(this.server.transport(), { fieldManager: "test", clock: this.clock });
  /** Candidates that are cut off from the server; `unanswered`: writes arrive, their answers do not. */
  readonly cut = new Map<string, "refused" | "hanging" | "unanswered">();
  readonly #stop = new AbortController();
  requests = 0;

  candidate(identity: string, clock: Clock = this.clock, timing: Partial<LeaseTiming> = {}): LeaderElector {
    const inner = this.server.transport();
    const transport: Transport = {
      fetch: async (path, request) => {
        this.requests++;
        const cut = this.cut.get(identity), isWrite = request?.method !== "GET";
        const how = cut === "unanswered" && !isWrite ? undefined : cut;
        if (how === "refused") throw new TypeError("connection refused");
        if (how === "unanswered") await inner.fetch(path, request);
        if (how) {
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

  /** Begins to acquire the lease; `won` returns whether it has. */
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

Deno.test("the first candidate leads at once, and the lease holds its identity, its times and its duration", async () => {
  using candidates = new Candidates();
  const a = candidates.candidate("a");
  const { won } = await candidates.run(a);
  assert.ok(won() && a.isLeader);
  const { spec } = await candidates.lease();
  assert.equal(spec?.holderIdentity, "a");
  assert.equal(spec?.leaseDurationSeconds, 15);
  assert.equal(spec?.leaseTransitions, 0);
  assert.match(spec?.renewTime ?? "", /^\d{4}-.*T.*\.\d{6}Z$/);
  await a.release();
});

// FR-180
Deno.test("of two candidates one leads for as long as it renews, and renewing costs one request each time", async () => {
  using candidates = new Candidates();
  const a = candidates.candidate("a"), b = candidates.candidate("b");
  await candidates.run(a);
  const second = await candidates.run(b);
  for (let seconds = 0; seconds < 60; seconds += 3) {
    await candidates.clock.advance(3_000);
    assert.ok(a.isLeader && !b.isLeader && !second.won(), `after ${seconds} s`);
  }
  assert.equal(b.holder, "a");
  const before = candidates.requests;
  await candidates.clock.advance(60_000);
  const perMinute = candidates.requests - before;
  assert.ok(perMinute <= 60, `${perMinute} requests a minute of two candidates`);
  await a.release();
});

Deno.test("a leader that stops gracefully hands over without waiting for its lease to expire", async () => {
  using candidates = new Candidates();
  const a = candidates.candidate("a"), b = candidates.candidate("b");
  await candidates.run(a);
  const second = await candidates.run(b);
  await a.release();
  assert.ok(!a.isLeader);
  await candidates.clock.advance(2_500);
  assert.ok(second.won() && b.isLeader);
  assert.equal((await candidates.lease()).spec?.leaseTransitions, 1);
  await b.release();
});

for (const how of ["refused", "hanging"] as const) {
  // FR-180
  Deno.test(`a leader that is cut off (${how}) stops leading before another one begins`, async () => {
    using candidates = new Candidates();
    const a = candidates.candidate("a"), b = candidates.candidate("b");
    await candidates.run(a);
    const second = await candidates.run(b);
    await candidates.clock.advance(5_000);
    candidates.cut.set("a", how);
    let lost: Error | undefined, idleMs = 0;
    void a.lost.then((error) => lost = error);
    for (let passedMs = 0; passedMs < 40_000 && !second.won(); passedMs += 500) {
      await candidates.clock.advance(500);
      assert.ok(!(a.isLeader && b.isLeader), "never two");
      if (!a.isLeader && !b.isLeader) idleMs += 500;
    }
    assert.ok(second.won(), "the other one takes over");
    assert.ok(idleMs >= 2_000, `no leader for ${idleMs} ms: requests in flight have time to arrive`);
    assert.match(lost?.message ?? "", /lease default\/widgets is lost: it could not be renewed in time/);
    await b.release();
  });
}

// FR-180
Deno.test("a leader that stops while its renewal is in flight gives the lease up", async () => {
  using candidates = new Candidates();
  const a = candidates.candidate("a");
  await candidates.run(a);
  candidates.cut.set("a", "unanswered");
  await candidates.clock.advance(3_000); // the server has renewed the lease, and the answer is still to come
  const renewed = (await candidates.lease()).metadata?.resourceVersion;
  candidates.cut.delete("a");
  await a.release();
  const { metadata, spec } = await candidates.lease();
  assert.equal(spec?.holderIdentity, "");
  assert.notEqual(metadata?.resourceVersion, renewed);
});

for (const before of ["absent", "released"] as const) {
  // FR-470
  Deno.test(`a candidate that stops while it takes a lease (${before}) gives it up, and the next one leads at once`, async () => {
    using candidates = new Candidates();
    if (before === "released") {
      const former = candidates.candidate("former");
      await candidates.run(former);
      await former.release();
    }
    const a = candidates.candidate("a"), b = candidates.candidate("b"), stop = new AbortController();
    candidates.cut.set("a", "unanswered");
    const acquiring = assert.rejects(a.acquire(stop.signal), /stopped/);
    await settle();
    assert.equal((await candidates.lease()).spec?.holderIdentity, "a", "the server has carried out the write");
    stop.abort(new Error("stopped"));
    await acquiring;
    candidates.cut.delete("a");
    await a.release();
    assert.equal((await candidates.lease()).spec?.holderIdentity, "");
    assert.ok((await candidates.run(b)).won());
    await b.release();
  });
}

// FR-470
Deno.test("a candidate that stops without having tried to take the lease sends no request for it", async () => {
  using candidates = new Candidates();
  const a = candidates.candidate("a"), b = candidates.candidate("b");
  await candidates.run(a);
  const waiting = await candidates.run(b);
  const before = candidates.requests;
  await b.release();
  assert.deepEqual([candidates.requests, waiting.won(), a.isLeader], [before, false, true]);
  await a.release();
});

Deno.test("a leader that stops leaves a lease alone that another identity has taken", async () => {
  using candidates = new Candidates();
  const a = candidates.candidate("a");
  await candidates.run(a);
  const lease = await candidates.lease();
  await candidates.client.replace(LEASES, { ...lease, spec: { ...lease.spec, holderIdentity: "someone" } });
  await a.release();
  assert.equal((await candidates.lease()).spec?.holderIdentity, "someone");
});

Deno.test("a leader that is cut off and whose clock is set back does not lead longer", async () => {
  using candidates = new Candidates();
  const { clock } = candidates, skewed = new SkewedClock(clock);
  const a = candidates.candidate("a", skewed);
  const b = candidates.candidate("b");
  await candidates.run(a);
  const second = await candidates.run(b);
  candidates.cut.set("a", "hanging");
  skewed.shift(-3_600_000);
  for (let passedMs = 0; passedMs < 40_000 && !second.won(); passedMs += 500) {
    await clock.advance(500);
    assert.ok(!(a.isLeader && b.isLeader), "never two");
  }
  assert.ok(second.won() && !a.isLeader);
  await b.release();
});

// FR-180
Deno.test("a candidate whose clock is set forward takes no lease from a leader that renews it", async () => {
  using candidates = new Candidates();
  const { clock } = candidates, skewed = new SkewedClock(clock);
  const a = candidates.candidate("a");
  const b = candidates.candidate("b", skewed, { retryPeriodMs: 500 });
  await candidates.run(a);
  const second = await candidates.run(b);
  for (let turns = 0; turns < 40; turns++) {
    skewed.shift(3_600_000);
    await clock.advance(500);
  }
  assert.ok(a.isLeader && !second.won());
  await a.release();
});

Deno.test("a leader keeps its lease through a short outage", async () => {
  using candidates = new Candidates();
  const a = candidates.candidate("a");
  await candidates.run(a);
  candidates.cut.set("a", "refused");
  await candidates.clock.advance(6_000);
  candidates.cut.delete("a");
  await candidates.clock.advance(60_000);
  assert.ok(a.isLeader);
  await a.release();
});

// FR-180
Deno.test("a lease that another identity takes is lost at the next renewal", async () => {
  using candidates = new Candidates();
  const a = candidates.candidate("a");
  await candidates.run(a);
  const { spec } = await candidates.lease();
  await candidates.client.patch(LEASES, KEY, {
    type: "merge",
    body: { spec: { ...spec, holderIdentity: "thief" } } as never,
  });
  await candidates.clock.advance(2_500);
  assert.ok(!a.isLeader);
  assert.match((await a.lost).message, /thief has it/);
});

Deno.test("a deleted lease is created again by its holder, and another writer's label on it is no loss", async () => {
  using candidates = new Candidates();
  const a = candidates.candidate("a");
  await candidates.run(a);
  await candidates.client.patch(LEASES, KEY, { type: "merge", body: { metadata: { labels: { team: "x" } } } as never });
  await candidates.clock.advance(5_000);
  await candidates.client.delete(LEASES, KEY);
  await candidates.clock.advance(5_000);
  assert.ok(a.isLeader);
  assert.equal((await candidates.lease()).spec?.holderIdentity, "a");
  await a.release();
});

// FR-355
Deno.test("a deleted lease is taken by another candidate only after its holder has stopped relying on it", async () => {
  using candidates = new Candidates();
  const a = candidates.candidate("a"), b = candidates.candidate("b");
  await candidates.run(a);
  const waiting = await candidates.run(b);
  await candidates.clock.advance(5_000);
  candidates.cut.set("a", "refused");
  await candidates.client.delete(LEASES, KEY);
  for (let passedMs = 0; !waiting.won(); passedMs += 100) {
    assert.ok(passedMs < 30_000, "it is taken at last");
    await candidates.clock.advance(100);
    assert.ok(!(a.isLeader && b.isLeader), `two lead after ${passedMs} ms`);
  }
  await b.release();
});

// FR-181
Deno.test("only the leader's writes pass the fence; reads and access reviews always do", async () => {
  using candidates = new Candidates();
  let leading = false;
  const transport = fencedTransport(candidates.server.transport(), () => leading);
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
