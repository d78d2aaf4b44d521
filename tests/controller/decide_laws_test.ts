import assert from "node:assert/strict";
import fc from "fast-check";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { decide, type DecisionRules, type PassDecision } from "../../lib/controller/decide.ts";
import {
  after,
  backsOff,
  hotTargets,
  isKnown,
  type KeyState,
  nextDue,
  PENDING,
  targetOf,
} from "../../lib/controller/key_state.ts";
import { setEngineConditions } from "../../lib/controller/conditions.ts";
import { type HandlersReport, logFailure, type PassReport } from "../../lib/controller/report.ts";
import { StatusDraft } from "../../lib/controller/status_draft.ts";
import type { HandlerFailure, Outcome } from "../../lib/handling/outcome.ts";
import { WorkQueue } from "../../lib/queue/mod.ts";
import { type LogFields, type Logger, PermanentError, SeededRandom, VirtualClock } from "../../lib/base/mod.ts";

/*
 * Laws of the controller (docs/decisions/019-what-ready-means.md), over all ways in which a pass can end, in all
 * orders. What needs a server is in tests/controller/controller_faults_test.ts. A failure prints its seed and path:
 * `fc.assert(…, { seed, path })` runs it again.
 */

const KIND = { group: "laws.test.pintle.dev", version: "v1", kind: "Widget", plural: "widgets", namespaced: true };
const KEY = { namespace: "home", name: "w" }, CHILD = targetOf({ ...KIND, plural: "children" }, KEY);
const HOT_LOOP = { writesInARowMax: 3, windowMs: 10_000, pauseMsMax: 60_000 };
const BACKOFF = { initialMs: 500, maxMs: 60_000 };
const HOUR_MS = 3_600_000;

type Timer = { readonly id: string; readonly interval: number; readonly idle?: number };
const TIMERS: readonly Timer[] = [{ id: "fast", interval: 10 }, { id: "slow", interval: 60_000 }, {
  id: "idle",
  interval: 1_000,
  idle: 5_000,
}];

const RULES: DecisionRules<KubeObject, Timer> = {
  kind: KIND,
  finalizer: "laws.test.pintle.dev/widgets",
  legacyFinalizers: [],
  timers: TIMERS,
  hotLoop: HOT_LOOP,
  needsFinalizer: () => false,
  wantsDeletion: () => false,
  reconciles: () => true,
};

/** How handlers end, where they run. */
interface Handlers {
  readonly changes: Outcome;
  readonly reconcile: Outcome;
  readonly tick: Outcome;
  readonly resume: "done" | Record<string, never>;
}

/** How a pass ends. */
interface Ending extends Handlers {
  readonly kind: "written" | "refused" | "threw" | "aborted" | "gone";
  readonly unreadable?: Exclude<Outcome, { kind: "done" }>;
  readonly echo: boolean;
  readonly writesChild: boolean;
  readonly tookMs: number;
}

const FAILURE = { reason: "Error", message: "oops", error: new Error("oops") };
const OUTCOME: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constant<Outcome>({ kind: "done" }),
  fc.integer({ min: 0, max: 5_000 }).map((requeueAfterMs): Outcome => ({ kind: "done", requeueAfterMs })),
  fc.constant<Outcome>({ kind: "retry", ...FAILURE }),
  fc.integer({ min: 0, max: HOUR_MS }).map((delayMs): Outcome => ({ kind: "retry", delayMs, ...FAILURE })),
  fc.constant<Outcome>({ kind: "failed", ...FAILURE }),
);
const CHANGES = OUTCOME.map((outcome): Outcome =>
  outcome.kind === "retry" ? { ...outcome, delayMs: outcome.delayMs ?? 0 } : outcome
);
const ENDING: fc.Arbitrary<Ending> = fc.record({
  kind: fc.constantFrom("written", "refused", "threw", "aborted"),
  changes: CHANGES,
  reconcile: OUTCOME,
  tick: OUTCOME,
  resume: fc.constantFrom("done" as const, {}),
  unreadable: fc.option(
    fc.constantFrom({ kind: "failed" as const, ...FAILURE }, { kind: "retry" as const, ...FAILURE }),
    { nil: undefined, freq: 5 },
  ),
  echo: fc.boolean(),
  writesChild: fc.boolean(),
  tookMs: fc.integer({ min: 0, max: 50 }),
});

/** Something that brings a key back in between, so long after the last pass. */
interface Interruption {
  readonly reason: string;
  readonly afterMs: number;
}
const CLOCK_WORDS = ["timer", "retry", "requeue", "rested", "cooled", "daemon", "report"] as const;
const INTERRUPTION = (reasons: readonly string[]): fc.Arbitrary<Interruption> =>
  fc.record({ reason: fc.constantFrom(...reasons), afterMs: fc.integer({ min: 0, max: 3_000 }) });

/** One pass as a simulation saw it. */
interface Seen {
  readonly atMs: number;
  readonly decision: PassDecision<Timer>;
  readonly report: PassReport;
  /** The key's backoff after it. */
  readonly backoffMs: number;
  readonly state: KeyState;
}

/** A key, its object and its queue, on a clock that turns to whatever is due next. */
class Simulation {
  readonly seen: Seen[] = [];
  state: KeyState = PENDING;
  elapsedMs = 0;
  rollbacks = 0;
  version = 1;
  generation = 1;
  #failures = 0;
  #reasons = new Set<string>(["resume"]);

  get object(): KubeObject {
    const { generation } = this;
    return { metadata: { ...KEY, uid: "1", generation, resourceVersion: `${this.version}` } };
  }

  change(): void {
    this.version++;
    this.generation++;
    this.#reasons.add("changed");
  }

  add(reason: string): void {
    this.#reasons.add(reason);
  }

  /** Decides, and carries out as `ending` says; whether a pass ran. */
  look(ending: Ending): boolean {
    const { object, state, elapsedMs, rollbacks } = this, reasons = this.#reasons;
    this.#reasons = new Set();
    const decision = decide(RULES, { object, state, reasons, elapsedMs, rollbacks });
    assert.ok(decision.kind === "wait" || decision.kind === "pass", decision.kind);
    this.state = decision.state;
    if (decision.kind === "wait") return false;
    const startMs = this.elapsedMs;
    this.elapsedMs += ending.tookMs;
    const report = this.#report(decision, ending, startMs);
    const backoffMs = backsOff(report) ? Math.min(BACKOFF.initialMs * 2 ** this.#failures++, BACKOFF.maxMs) : 0;
    const pauseMs = (failures: number) => Math.min(BACKOFF.initialMs * 2 ** (failures - 1), BACKOFF.maxMs);
    const version = `${this.version}`, moment = { elapsedMs: this.elapsedMs, version, rollbacks: 0, pauseMs };
    this.state = after(RULES, decision, report, { ...moment, backoffMs });
    if (report.kind === "written" && !backsOff(report)) this.#failures = 0;
    this.seen.push({ atMs: startMs, decision, report, backoffMs, state: this.state });
    return true;
  }

  /** Turns the clock to what is due next, or to an interruption before that; false where nothing is due any more. */
  next(interruption?: Interruption): boolean {
    const due = nextDue(RULES, this.state), dueMs = due && Math.max(due.dueMs, this.elapsedMs);
    const interruptedMs = interruption && this.elapsedMs + interruption.afterMs;
    if (interruptedMs !== undefined && (dueMs === undefined || interruptedMs < dueMs)) {
      this.elapsedMs = interruptedMs;
      this.add(interruption!.reason);
      return true;
    }
    if (dueMs === undefined) return false;
    this.elapsedMs = dueMs;
    this.add(due!.reason);
    return true;
  }

  #report({ changes, reconcile, timers, fresh }: PassDecision<Timer>, ending: Ending, startMs: number): PassReport {
    const { kind, unreadable, echo, tookMs } = ending, runs = kind !== "threw" && unreadable === undefined;
    const handlers: HandlersReport = {
      ticks: runs ? timers.map(({ id }) => ({ id, outcome: ending.tick, startMs, endMs: startMs + tookMs })) : [],
      startTimes: {},
      ...(unreadable && kind !== "threw" ? { unreadable } : {}),
      ...(runs && reconcile ? { reconcile: ending.reconcile } : {}),
      ...(runs && changes
        ? {
          changes: {
            outcome: ending.changes,
            state: {},
            finished: ending.changes.kind !== "retry",
            acted: fresh,
            resume: ending.resume,
            handlerFailures: [],
            concerned: true,
            edit: {},
          },
        }
        : {}),
    };
    const targets = new Set(runs && ending.writesChild ? [CHILD] : []),
      version = { version: `${this.version}`, rollbacks: 0 };
    if (kind === "written") {
      return { kind, handlers, targets, object: this.object, handlerFailures: [], ...(echo ? { echo: version } : {}) };
    }
    if (kind === "refused") return { kind, handlers, targets, error: FAILURE.error, unsaved: { state: {} } };
    if (kind === "threw") return { kind, handlers, targets, error: FAILURE.error };
    return { kind, handlers, targets };
  }
}

/** Whether nothing but a fresh reason may follow before the pass's backoff is over. */
function failed({ report, state }: Seen): boolean {
  return report.kind === "refused" || report.kind === "threw" || state.phase === "failing";
}

// FR-304
Deno.test("backoff holds: after a pass that failed nothing runs before its time, whatever timers, requeues and daemons there are", () => {
  const property = fc.property(
    fc.array(fc.tuple(ENDING, fc.option(INTERRUPTION(CLOCK_WORDS))), { minLength: 1, maxLength: 30 }),
    (steps) => {
      const key = new Simulation();
      for (const [ending, interruption] of steps) {
        for (let looks = 0; !key.look(ending); looks++) {
          assert.ok(looks < 20, "looked at again and again without a pass");
          if (!key.next()) return;
        }
        if (!key.next(interruption ?? undefined)) break;
      }
      key.seen.slice(1).forEach((pass, index) => {
        const before = key.seen[index]!, gapMs = pass.atMs - before.atMs;
        if (failed(before) && !pass.decision.fresh) {
          assert.ok(gapMs >= before.backoffMs, `${gapMs} < ${before.backoffMs}`);
        }
      });
    },
  );
  fc.assert(property, { numRuns: 2_000 });
});

// FR-304
Deno.test("backoff holds: no way in which a pass can end leaves work without a time, or a key that cannot be due", () => {
  const property = fc.property(fc.array(ENDING, { minLength: 1, maxLength: 10 }), (endings) => {
    const key = new Simulation();
    for (const ending of endings) {
      if (!key.look(ending)) break;
      const { state, report } = key.seen.at(-1)!, due = nextDue(RULES, state);
      const unreadable = report.handlers.unreadable?.kind === "failed" && report.kind === "written";
      if (report.kind === "aborted") return; // the process ends, or another replica works on it
      assert.ok(unreadable || due !== undefined, `${report.kind}: nothing is due`);
      if (unreadable) assert.equal(state.phase, "givenUp");
      if (isKnown(state) && state.unsaved) assert.equal(state.phase, "failing");
      if (!key.next()) return;
    }
  });
  fc.assert(property, { numRuns: 2_000 });
});

Deno.test("backoff holds: a hundred thousand looks at a key that fails make no more passes than its backoff allows", () => {
  for (const kind of ["refused", "threw"] as const) {
    const key = new Simulation();
    const ending: Ending = {
      kind,
      changes: { kind: "done" },
      reconcile: { kind: "done", requeueAfterMs: 1 },
      tick: { kind: "done" },
      resume: "done",
      echo: false,
      writesChild: false,
      tookMs: 0,
    };
    while (key.elapsedMs < HOUR_MS / 6) {
      key.look(ending);
      key.next({ reason: "report", afterMs: 5 });
    }
    assert.ok(key.seen.length < 25, `${key.seen.length} passes in ten minutes`);
  }
});

// FR-561
Deno.test("an object that the server no longer has gets no pass until the store shows it, or half a minute is over", () => {
  const gone: Ending = {
    kind: "gone",
    changes: { kind: "done" },
    reconcile: { kind: "done", requeueAfterMs: 1 },
    tick: { kind: "done" },
    resume: "done",
    echo: false,
    writesChild: true,
    tookMs: 0,
  };
  const property = fc.property(
    fc.array(INTERRUPTION(["owned", "mapped", ...CLOCK_WORDS]), { minLength: 1, maxLength: 50 }),
    (interruptions) => {
      const key = new Simulation();
      key.look(gone);
      const startMs = key.elapsedMs;
      for (const interruption of interruptions) {
        key.next(interruption);
        if (key.elapsedMs >= startMs + 30_000) break;
        assert.equal(key.look(gone), false, "the store shows the same version");
      }
      if (key.elapsedMs < startMs + 30_000) assert.ok(key.next(), "what came meanwhile has a time");
      assert.ok(key.elapsedMs >= startMs + 30_000, "and not before");
      assert.equal(key.look(gone), true, "a wrong 404 does not stop the object");
    },
  );
  fc.assert(property, { numRuns: 500 });
  const changed = new Simulation();
  changed.look(gone);
  changed.version++;
  changed.add("changed");
  assert.equal(changed.look(gone), true, "the store shows another version");
});

// FR-29, FR-517
Deno.test("a relist reconciles what has converged, and nothing that failed for good or backs off", () => {
  const calm: Ending = {
    kind: "written",
    changes: { kind: "done" },
    reconcile: { kind: "done" },
    tick: { kind: "done" },
    resume: "done",
    echo: true,
    writesChild: false,
    tookMs: 0,
  };
  for (
    const [reconcile, runs] of [
      [{ kind: "done" }, true],
      [{ kind: "failed", ...FAILURE }, false],
      [{ kind: "retry", delayMs: HOUR_MS, ...FAILURE }, false],
    ] as const
  ) {
    const key = new Simulation();
    key.look({ ...calm, reconcile });
    key.add("relist");
    const before = key.seen.length;
    key.look(calm);
    assert.equal(key.seen.slice(before).some(({ decision }) => decision.reconcile), runs, reconcile.kind);
  }
});

// FR-305
Deno.test("success is kept: what could not be written brings a pass that writes, and no handler that succeeded", () => {
  const property = fc.property(fc.array(ENDING, { maxLength: 6 }), ENDING, (endings, last) => {
    const key = new Simulation();
    for (const ending of endings) {
      if (!key.look(ending) || !key.next()) return;
    }
    const done: Ending = {
      ...last,
      kind: "refused",
      changes: { kind: "done" },
      reconcile: { kind: "done" },
      tick: { kind: "done" },
      unreadable: undefined,
    };
    if (!key.look(done)) return;
    const { decision: before } = key.seen.at(-1)!;
    if (!key.next() || !key.look({ ...done, kind: "written" })) return;
    const { decision } = key.seen.at(-1)!;
    assert.equal(decision.changes, true, "the record is written");
    if (before.reconcile) assert.equal(decision.reconcile, false, "reconcile succeeded");
    const former = isKnown(decision.state) && decision.state.unsaved;
    assert.ok(former, "the Ready condition is not lost");
  });
  fc.assert(property, { numRuns: 1_000 });
});

// FR-305
Deno.test("success is kept: a handler that requested an hour gets it, whatever fails beside it", () => {
  const property = fc.property(fc.array(ENDING, { minLength: 1, maxLength: 20 }), (endings) => {
    const key = new Simulation();
    const patient = { kind: "retry", delayMs: HOUR_MS, ...FAILURE } as const;
    const calm: Outcome = { kind: "done" };
    let askedMs: number | undefined;
    for (const ending of endings) {
      const quiet: Ending = {
        ...ending,
        kind: ending.kind === "aborted" ? "threw" : ending.kind,
        unreadable: undefined,
      };
      if (!key.look({ ...quiet, changes: patient, reconcile: calm })) return;
      const { decision, report, atMs } = key.seen.at(-1)!;
      if (decision.fresh && report.handlers.changes) askedMs ??= atMs + quiet.tookMs;
      if (askedMs !== undefined && isKnown(key.state)) {
        assert.ok(key.state.changesDueMs! >= askedMs + HOUR_MS, "the delay is kept");
      }
      if (!key.next()) return;
      if (askedMs !== undefined && key.elapsedMs >= askedMs + HOUR_MS) return;
    }
  });
  fc.assert(property, { numRuns: 500 });
});

// FR-306
Deno.test("repair is noticed: after any history a change of the object has every handler decided again", () => {
  const property = fc.property(fc.array(ENDING, { maxLength: 15 }), ENDING, (endings, last) => {
    const key = new Simulation();
    for (const ending of endings) {
      if (!key.look(ending) || !key.next()) break;
    }
    key.change();
    assert.ok(key.look({ ...last, kind: "written", unreadable: undefined }), "a pass at once");
    const { decision, state } = key.seen.at(-1)!;
    assert.deepEqual([decision.changes, decision.reconcile], [true, true]);
    assert.equal(state.phase, "converging");
  });
  fc.assert(property, { numRuns: 1_000 });
});

// FR-307
Deno.test("stale reads fail closed: an echo is skipped only at its own version, in the history in which it was written", () => {
  const property = fc.property(ENDING, fc.boolean(), fc.boolean(), fc.boolean(), (ending, echo, foreign, restored) => {
    const key = new Simulation();
    const calm: Outcome = { kind: "done" };
    assert.ok(key.look({ ...ending, kind: "written", unreadable: undefined, changes: calm, reconcile: calm, echo }));
    if (foreign) key.version++;
    if (restored) key.rollbacks++;
    const moment = { object: key.object, state: key.state, elapsedMs: key.elapsedMs, rollbacks: key.rollbacks };
    const decision = decide(RULES, { ...moment, reasons: new Set(["changed"]) });
    const fresh = decision.kind === "pass" && decision.fresh;
    assert.equal(fresh, !echo || foreign || restored);
  });
  fc.assert(property);
});

// FR-308
Deno.test("blame is local: a contested child is slowed down alone, and a change of anything else runs at once", () => {
  const others = [
    "changed",
    "owned",
    "mapped",
    "owned children.laws.test.pintle.dev home/other",
    "resume",
    "requested",
  ];
  const property = fc.property(fc.constantFrom(...others), fc.integer({ min: 4, max: 30 }), (other, rounds) => {
    const key = new Simulation();
    const calm: Outcome = { kind: "done" };
    const writing: Ending = {
      kind: "written",
      changes: calm,
      reconcile: calm,
      tick: calm,
      resume: "done",
      echo: true,
      writesChild: true,
      tookMs: 0,
    };
    key.look(writing);
    let ran = 0;
    for (let round = 0; round < rounds; round++) {
      key.elapsedMs += 100;
      key.add(`owned ${CHILD}`);
      key.look(writing);
      if (key.seen.at(-1)!.atMs === key.elapsedMs && key.seen.at(-1)!.decision.fresh) ran++;
    }
    assert.deepEqual(hotTargets(key.state, HOT_LOOP), [CHILD]);
    assert.ok(ran < 9, `${ran} of ${rounds} rounds`);
    const passes = key.seen.length;
    if (other === "changed") key.change();
    else key.add(other);
    assert.ok(key.look(writing) && key.seen.length === passes + 1, `${other} waits for the contested child`);
    const { decision } = key.seen.at(-1)!;
    assert.deepEqual([decision.changes, decision.reconcile], [true, true]);
    const due = nextDue(RULES, key.state);
    assert.ok(
      due !== undefined && due.dueMs - key.elapsedMs <= HOT_LOOP.pauseMsMax,
      "its own change is held, not lost",
    );
  });
  fc.assert(property);
});

// FR-308
Deno.test("blame is local: what one source changes again and again is written again and again, and is no loop", () => {
  const key = new Simulation(), calm: Outcome = { kind: "done" };
  for (let round = 0; round < 100; round++) {
    key.elapsedMs += 100;
    key.add("mapped");
    assert.ok(
      key.look({
        kind: "written",
        changes: calm,
        reconcile: calm,
        tick: calm,
        resume: "done",
        echo: true,
        writesChild: true,
        tookMs: 0,
      }),
    );
  }
  assert.deepEqual(hotTargets(key.state, HOT_LOOP), []);
});

// FR-303
Deno.test("blame is local: in a queue a fresh change waits for no tick, retry or first look at another object", async () => {
  const property = fc.asyncProperty(
    fc.array(fc.record({ kind: fc.constantFrom("due", "low"), delayMs: fc.integer({ min: 0, max: 20 }) }), {
      maxLength: 100,
    }),
    async (others) => {
      const queue = new WorkQueue({ clock: new VirtualClock(0), random: new SeededRandom(1), backoff: BACKOFF });
      others.forEach(({ kind }, index) => {
        if (kind === "due") queue.addAfter(`o${index}`, 0, "timer");
        else queue.add(`o${index}`, "resume", "low");
      });
      queue.add("fresh", "changed");
      assert.equal((await queue.take())!.key, "fresh");
      queue.close();
    },
  );
  await fc.assert(property);
});

// FR-300
Deno.test("durations use elapsed time: a decision depends on nothing but what has elapsed since", () => {
  const property = fc.property(
    fc.array(ENDING, { minLength: 1, maxLength: 10 }),
    fc.integer({ min: -1_000_000, max: 1_000_000 }),
    (endings, shiftMs) => {
      const [one, other] = [new Simulation(), new Simulation()];
      other.elapsedMs += shiftMs;
      for (const ending of endings) {
        assert.equal(one.look(ending), other.look(ending));
        assert.equal(one.next(), other.next());
        assert.equal(other.elapsedMs - one.elapsedMs, shiftMs);
      }
    },
  );
  fc.assert(property, { numRuns: 500 });
});

/** A logger that keeps its lines. */
function keptLines(): { readonly log: Logger; readonly lines: { message: string; fields: LogFields }[] } {
  const lines: { message: string; fields: LogFields }[] = [];
  const add = (message: string, fields: LogFields = {}) => void lines.push({ message, fields });
  const log: Logger = { debug: add, info: add, warn: add, error: add, with: () => log };
  return { log, lines };
}

const HANDLER = fc.constantFrom("create", "update", "reconcile", "every-minute", "constructor", "a/b");
const TROUBLE: fc.Arbitrary<HandlerFailure> = fc.record({
  handler: HANDLER,
  reason: fc.constantFrom("Failed", "Timeout", "PermanentError"),
  message: fc.string({ maxLength: 40 }),
  gaveUp: fc.boolean(),
});

// FR-302
Deno.test("nothing fails silently: Ready names every handler in trouble, and claims no generation that none has seen", () => {
  const property = fc.property(
    fc.array(TROUBLE, { maxLength: 5 }),
    fc.record({
      generation: fc.integer({ min: 1, max: 3 }),
      seen: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      settled: fc.boolean(),
      ran: fc.boolean(),
      stale: fc.boolean(),
    }),
    (handlerFailures, facts) => {
      const draft = new StatusDraft<object>({}, facts.generation, 0);
      setEngineConditions(draft, { ...facts, handlerFailures, ready: undefined, hot: [] });
      const ready = draft.current.conditions?.find(({ type }) => type === "Ready");
      if (handlerFailures.length > 0) {
        assert.equal(ready?.status, "False");
        for (const { handler, message } of handlerFailures) {
          assert.ok(ready!.message.includes(message), message);
          if (handlerFailures.length > 1) assert.ok(ready!.message.includes(`${handler}: `), handler);
        }
      }
      assert.equal(ready?.observedGeneration, ready && facts.seen);
      if (facts.seen !== facts.generation) assert.equal(draft.current.observedGeneration, undefined);
    },
  );
  fc.assert(property, { numRuns: 1_000 });
});

// FR-302
Deno.test("nothing fails silently: each failed attempt is one line with its handler, whatever was thrown, and of bounded length", () => {
  const thrown = fc.oneof(
    fc.anything(),
    fc.string({ maxLength: 20 }).map((message) => new Error(message)),
    fc.string({ maxLength: 20 }).map((message) => new PermanentError(message)),
    fc.constant(new Error("x".repeat(5_000_000))),
  );
  const property = fc.property(
    HANDLER,
    thrown,
    fc.option(fc.nat(), { nil: undefined }),
    (handler, error, retryInMs) => {
      const { log, lines } = keptLines();
      logFailure(log, { handler, error, reason: "Failed", retryInMs });
      assert.equal(lines.length, 1);
      const { fields } = lines[0]!;
      assert.equal(fields.handler, handler);
      assert.ok(String(fields.error).length > 0);
      assert.ok(JSON.stringify([fields.error, fields.stack]).length < 100_000);
      assert.equal(fields.stack !== undefined, error instanceof Error && !(error instanceof PermanentError));
    },
  );
  fc.assert(property, { numRuns: 500 });
});

Deno.test("success is kept: an object whose finalizer was removed is left alone, whatever version of it a watch shows", () => {
  const finalizers = [RULES.finalizer, "another.test.pintle.dev/theirs"], deletionTimestamp = "2026-01-01T00:00:00Z";
  const object = (uid: string) => ({ metadata: { ...KEY, uid, finalizers, deletionTimestamp, resourceVersion: "1" } });
  const state: KeyState = { phase: "released", uid: "1", rollbacks: 0 }, reasons = new Set(["changed"]);
  const decided = (uid: string, rollbacks: number) =>
    decide(RULES, { object: object(uid), state, reasons, elapsedMs: 0, rollbacks }).kind;
  assert.equal(decided("1", 0), "leave");
  assert.equal(decided("2", 0), "pass", "its successor");
  assert.equal(decided("1", 1), "pass", "a restored backup has the finalizer again");
});
