import assert from "node:assert/strict";
import { settle, type Transport, VirtualClock } from "../../lib/base/mod.ts";
import { liveness, readiness } from "../../lib/cli/health_checks.ts";
import type { RunningOperator } from "../../lib/operator/mod.ts";
import { applyCrds } from "../../lib/operator/installation.ts";
import { VirtualWorld } from "../virtual_world.ts";
import { configMapOperator, widgetKind } from "../widget.ts";

const STALENESS_MS_MAX = 300_000;

/** A server that can go away, its open streams with it, and come back. */
class Leaving implements Transport {
  #inner!: Transport;
  #cut = new AbortController();
  away = false;

  of(inner: Transport): this {
    this.#inner = inner;
    return this;
  }

  leave(): void {
    this.away = true;
    this.#cut.abort(new TypeError("connection reset"));
    this.#cut = new AbortController();
  }

  fetch: Transport["fetch"] = (path, request = {}) => {
    if (this.away) return Promise.reject(new TypeError("connection refused"));
    const signals = [request.signal, this.#cut.signal].filter((signal) => signal !== undefined);
    return this.#inner.fetch(path, { ...request, signal: AbortSignal.any(signals) });
  };

  close(): void {}
}

// FR-102
Deno.test("readiness fails once a watch has been silent for too long, gives the reason, and recovers with the server", async () => {
  await using world = VirtualWorld.embedded();
  const operator = configMapOperator(widgetKind("healthchecks")),
    transport = new Leaving().of(world.cluster.transport());
  await applyCrds(world.client, operator);
  assert.equal(readiness(() => undefined, STALENESS_MS_MAX)[0]!.check(), "it is starting");
  await world.start(operator, { transport });
  const problems = () => readiness(() => world.running, STALENESS_MS_MAX).map(({ check }) => check());
  assert.deepEqual(problems(), [undefined, undefined]);
  await world.advance(2 * STALENESS_MS_MAX, 10_000);
  assert.deepEqual(problems(), [undefined, undefined], "bookmarks are enough");
  transport.leave();
  await settle();
  await world.advance(STALENESS_MS_MAX - 60_000, 10_000);
  assert.deepEqual(problems(), [undefined, undefined], "not yet");
  await world.advance(61_000, 1_000);
  const [, problem] = problems();
  assert.match(problem!, /^the watch of \S+ has been silent for 5m.*cannot .*connection was refused/);
  transport.away = false;
  await world.advance(60_000, 1_000);
  assert.deepEqual(problems(), [undefined, undefined]);
});

// FR-256
Deno.test("where objects are converted neither stores that fill nor a silent watch keep calls away, and a stop does", async () => {
  await using world = VirtualWorld.embedded();
  const operator = configMapOperator(widgetKind("converting")), transport = new Leaving().of(world.cluster.transport());
  await applyCrds(world.client, operator);
  const problems = (running: () => RunningOperator | undefined) =>
    readiness(running, STALENESS_MS_MAX, { converts: true }).map(({ check }) => check());
  assert.deepEqual(problems(() => undefined), [undefined]);
  await world.start(operator, { transport });
  const running = world.running;
  transport.leave();
  await settle();
  await world.advance(2 * STALENESS_MS_MAX, 10_000);
  assert.deepEqual(problems(() => running), [undefined]);
  transport.away = false;
  await running.stop(0);
  assert.deepEqual(problems(() => running), ["it is stopped"]);
});

// FR-354
Deno.test("readiness fails while the API server refuses the credentials, and reports it", () => {
  const transport: { refused?: string } = {};
  const check = () => {
    const { name, check } = readiness(() => undefined, STALENESS_MS_MAX, { transport }).at(-1)!;
    return [name, check()];
  };
  assert.deepEqual(check(), ["authentication", undefined]);
  transport.refused = "the API server refuses the credentials (401): renew them";
  assert.deepEqual(check(), ["authentication", transport.refused]);
  const converting = readiness(() => undefined, STALENESS_MS_MAX, { transport, converts: true });
  assert.deepEqual(converting.map(({ name }) => name), ["operator"], "conversions ask no API server");
});

// FR-102
Deno.test("liveness fails for a pass that outlived its timeout by far, and for nothing else", async () => {
  const clock = new VirtualClock(), startMs = clock.now(), timeoutMs = 10_000;
  const working = { kinds: [{ workingSinceMs: [startMs] }] } as unknown as RunningOperator;
  const problem = (running: RunningOperator | undefined) => liveness(() => running, clock, timeoutMs)[0]!.check();
  await clock.advance(80_000);
  assert.equal(problem(working), undefined);
  await clock.advance(1_000);
  assert.match(problem(working)!, /a reconcile has been running for 1m21s/);
  assert.equal(problem(undefined), undefined);
});
