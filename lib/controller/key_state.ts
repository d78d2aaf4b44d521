import {
  afterRepeatedWrite,
  cooled,
  coolMs,
  firstTick,
  type HandlerFailure,
  type HandlerProgress,
  type HotLoopOptions,
  type HotLoopState,
  isHot,
  nextTick,
  type Outcome,
  pauseMs as restMs,
  type StartTimes,
  tickDueMs,
  type TimerOptions,
} from "../handling/mod.ts";
import {
  type ApiResource,
  formatGroupResource,
  formatKey,
  keyOf,
  type KubeObject,
  type ObjectKey,
} from "../apimachinery/mod.ts";
import type { WriteRecord } from "../client/mod.ts";
import type { PassReport, ReadyCondition, TickReport, Unsaved, Version } from "./report.ts";

/** One timer of an object; the object stores nothing of it. */
interface TickState {
  /** Elapsed time. */
  readonly dueMs: number;
  /** Consecutive failures. */
  readonly failures: number;
  readonly failure?: HandlerFailure;
}

/** What is known in every phase. All times are elapsed time. May be lost with the process. */
interface Known {
  readonly uid: string | undefined;
  /** Last change of spec or metadata that this process saw. */
  readonly changedMs: number;
  /** Timers that match the object. */
  readonly ticks: Readonly<Record<string, TickState>>;
  /** Set after a requeue or failure. */
  readonly reconcileDueMs?: number;
  readonly reconcileFailure?: HandlerFailure;
  readonly changesDueMs?: number;
  readonly changeFailures: readonly HandlerFailure[];
  readonly startTimes: StartTimes;
  /** `done` once this process has run the `resume` handlers; until then their progress. */
  readonly resume: "done" | Readonly<Record<string, HandlerProgress>>;
  /** The generation that the handlers have seen. */
  readonly seen?: number;
  /** The Ready that handlers set in their last run. */
  readonly ready?: ReadyCondition;
  /** Whether the last written status reported a failure. */
  readonly hasFailed: boolean;
  readonly unsaved?: Unsaved;
  /** The version that a whole pass has dealt with, its own writes included. */
  readonly handled?: Version;
  /** The version that a pass saw of an object that the server no longer had: no pass runs for it until then. */
  readonly outdated?: Version & { readonly untilMs: number };
  /** Writes of the last pass that wrote more than status. */
  readonly written: ReadonlySet<string>;
  /** Objects that change again after each of our writes, by target. */
  readonly contested: Readonly<Record<string, HotLoopState>>;
  /** Reasons that wait until a contested object has rested. */
  readonly held: ReadonlySet<string>;
  /** What a failed pass still owes. */
  readonly outstanding: { readonly changes: boolean; readonly reconcile: boolean };
}

/** What a controller knows of a key between passes. */
export type KeyState =
  /** This process has not seen the object, or has lost its key. */
  | { readonly phase: "pending" }
  /** The last pass completed; each handler waits for a change or its due time. */
  | Known & { readonly phase: "converging" }
  /** The last pass failed: without a change nothing runs before `untilMs`. */
  | Known & { readonly phase: "failing"; readonly untilMs: number }
  /** The spec cannot be read: nothing runs before the object changes. */
  | Known & { readonly phase: "givenUp" }
  /** Waits for its delete handlers, then (`cleaned`) for the removal of its finalizer. */
  | Known & { readonly phase: "deleting"; readonly cleaned: boolean; readonly untilMs?: number }
  /** Our finalizer is off or was never on; another one holds the object. */
  | { readonly phase: "released"; readonly uid: string | undefined; readonly rollbacks: number };

export type KnownState = Exclude<KeyState, { phase: "pending" } | { phase: "released" }>;

export const PENDING: KeyState = { phase: "pending" };

/** How long a key waits for the store to show that its object is gone. A wrong 404 must not stop it for good. */
const OUTDATED_MS_MAX = 30_000;

const NOTHING_OUTSTANDING = { changes: false, reconcile: false };

export function isKnown(state: KeyState): state is KnownState {
  return state.phase !== "pending" && state.phase !== "released";
}

export function initialState(object: KubeObject, elapsedMs: number): KnownState {
  return {
    phase: "converging",
    uid: object.metadata?.uid,
    changedMs: elapsedMs,
    ticks: {},
    changeFailures: [],
    startTimes: {},
    resume: {},
    hasFailed: false,
    written: new Set(),
    contested: {},
    held: new Set(),
    outstanding: NOTHING_OUTSTANDING,
  };
}

/** Spec or metadata changed: timers with `idle` wait from now on. */
export function changed(state: KeyState, elapsedMs: number): KeyState {
  return isKnown(state) ? { ...state, changedMs: elapsedMs } : state;
}

export interface StateRules<Timer extends TimerOptions & { readonly id: string }> {
  readonly timers: readonly Timer[];
  readonly hotLoop: HotLoopOptions;
}

interface DecidedPass {
  readonly state: KnownState;
  readonly changes: boolean;
  readonly reconcile: boolean;
  readonly reasons: ReadonlySet<string>;
}

interface AfterOptions {
  readonly elapsedMs: number;
  /** Version of the object, and rewinds of the server's history, when the pass began. */
  readonly version: string;
  readonly rollbacks: number;
  /** The key's own backoff, if {@linkcode backsOff} holds. */
  readonly backoffMs: number;
  /** The pause after consecutive failures of one timer. */
  readonly pauseMs: (failures: number) => number;
}

/** Whether the key's own backoff, which doubles per failure, follows the pass. */
export function backsOff(report: PassReport): boolean {
  const hasNoDelay = (outcome: Outcome | undefined) => outcome?.kind === "retry" && outcome.delayMs === undefined;
  if (report.kind === "refused" || report.kind === "threw") return true;
  return report.kind === "written" && [report.handlers.reconcile, report.handlers.unreadable].some(hasNoDelay);
}

/** The state of a key after a pass: pure, and defined for every end of a pass. */
export function after<Timer extends TimerOptions & { readonly id: string }>(
  rules: StateRules<Timer>,
  { state, ...decision }: DecidedPass,
  report: PassReport,
  moment: AfterOptions,
): KeyState {
  const { elapsedMs, backoffMs, version, rollbacks } = moment, { handlers } = report;
  const next: KnownState = {
    ...state,
    ...handled(rules, state, report, moment),
    ...loopsAfter(rules, state, report, { reasons: decision.reasons, elapsedMs }),
  };
  const ran = { changes: handlers.changes !== undefined, reconcile: handlers.reconcile !== undefined };
  const outstanding = {
    changes: decision.changes && !ran.changes,
    reconcile: decision.reconcile && !ran.reconcile,
  };
  switch (report.kind) {
    case "gone":
      // An object deleted before it was handled is forgotten at its watch event; a successor gets a new state.
      if (state.phase !== "deleting") {
        const outdated = { version, rollbacks, untilMs: elapsedMs + OUTDATED_MS_MAX };
        return { ...next, phase: "converging", handled: undefined, outdated, outstanding: NOTHING_OUTSTANDING };
      }
      return { phase: "released", uid: state.uid, rollbacks };
    case "aborted":
      return { ...next, phase: state.phase === "deleting" ? state.phase : "converging", outstanding } as KnownState;
    case "threw":
      return failing(next, elapsedMs + backoffMs, { outstanding });
    case "refused":
      return failing(next, elapsedMs + backoffMs, {
        outstanding: NOTHING_OUTSTANDING,
        unsaved: report.unsaved,
        handled: report.echo,
      });
    case "written": {
      const settled = {
        ...next,
        outstanding: NOTHING_OUTSTANDING,
        unsaved: undefined,
        handled: report.echo,
        hasFailed: report.handlerFailures.length > 0,
      };
      const { unreadable } = handlers;
      if (settled.phase === "deleting") return { ...settled, untilMs: undefined };
      if (unreadable?.kind === "failed") return { ...settled, phase: "givenUp" };
      if (!unreadable) return { ...settled, phase: "converging" };
      return failing(settled, elapsedMs + (unreadable.delayMs ?? backoffMs), { outstanding, handled: report.echo });
    }
    default:
      return report satisfies never;
  }
}

function failing(state: KnownState, untilMs: number, more: Partial<Known>): KnownState {
  const phase = state.phase === "deleting" ? {} : { phase: "failing" };
  return { ...state, handled: undefined, ...more, ...phase, untilMs } as KnownState;
}

/** Each handler keeps its own time, whether or not others or the writes failed. */
function handled<Timer extends TimerOptions & { readonly id: string }>(
  { timers }: StateRules<Timer>,
  state: KnownState,
  { handlers, kind }: PassReport,
  { elapsedMs, backoffMs, pauseMs }: AfterOptions,
): Partial<Known> & { cleaned?: boolean } {
  const { changes, reconcile, ticks, startTimes, seen, ready } = handlers;
  const ticked = ticks.map((tick) => {
    const timer = timers.find(({ id }) => id === tick.id)!;
    return [tick.id, afterTick(timer, tick, state.ticks[tick.id], pauseMs)] as const;
  });
  return {
    ...(ticked.length > 0 ? { ticks: { ...state.ticks, ...Object.fromEntries(ticked) } } : {}),
    ...(reconcile
      ? {
        reconcileDueMs: dueAfter(reconcile, elapsedMs, backoffMs),
        reconcileFailure: failureOf("reconcile", reconcile),
      }
      : {}),
    ...(changes
      ? {
        changesDueMs: dueAfter(changes.outcome, elapsedMs, backoffMs),
        changeFailures: changes.handlerFailures,
        resume: changes.resume,
        ...(state.phase === "deleting" && changes.finished ? { cleaned: true } : {}),
      }
      : {}),
    ...(kind === "threw" ? {} : { startTimes }),
    ...(ready === undefined ? {} : { ready: ready ?? undefined }),
    ...(seen === undefined ? {} : { seen }),
  };
}

/** A failed tick returns at its next time, or after its backoff if that is later. */
function afterTick(
  timer: TimerOptions & { readonly id: string },
  { id, outcome, startMs, endMs }: TickReport,
  former: TickState | undefined,
  pauseMs: (failures: number) => number,
): TickState {
  const { dueMs } = nextTick(timer, startMs, endMs);
  if (outcome.kind === "done") return { dueMs, failures: 0 };
  const failures = (former?.failures ?? 0) + 1;
  const delayMs = outcome.kind === "retry" && outcome.delayMs !== undefined ? outcome.delayMs : pauseMs(failures);
  return { dueMs: Math.max(dueMs, endMs + delayMs), failures, failure: failureOf(id, outcome) };
}

function dueAfter(outcome: Outcome, elapsedMs: number, backoffMs: number): number | undefined {
  if (outcome.kind === "failed") return undefined;
  if (outcome.kind === "retry") return elapsedMs + (outcome.delayMs ?? backoffMs);
  return outcome.requeueAfterMs === undefined ? undefined : elapsedMs + outcome.requeueAfterMs;
}

export function failureOf(handler: string, outcome: Outcome): HandlerFailure | undefined {
  if (outcome.kind === "done") return undefined;
  return { handler, reason: outcome.reason, message: outcome.message, gaveUp: outcome.kind === "failed" };
}

/**
 * Counts what was written again because it had changed. A pass caused by another object, such as the source of copies,
 * is no loop: only objects that cause their own next write are contested.
 */
function loopsAfter<Timer extends TimerOptions & { readonly id: string }>(
  { hotLoop }: StateRules<Timer>,
  state: KnownState,
  { targets }: PassReport,
  { reasons, elapsedMs }: { readonly reasons: ReadonlySet<string>; readonly elapsedMs: number },
): Pick<Known, "written" | "contested"> {
  if (targets.size === 0) return { written: state.written, contested: state.contested };
  const sources = new Set([...reasons].map(sourceOf));
  const again = [...targets].filter((target) => state.written.has(target) || Object.hasOwn(state.contested, target))
    .filter((target) => sources.has(target));
  if (again.length === 0) return { written: targets, contested: state.contested };
  const counted = again.map((target) =>
    [target, afterRepeatedWrite(state.contested[target], elapsedMs, hotLoop)] as const
  );
  return { written: targets, contested: { ...state.contested, ...Object.fromEntries(counted) } };
}

/** The objects written again and again without converging. */
export function hotTargets(state: KeyState, hotLoop: HotLoopOptions): string[] {
  if (!isKnown(state)) return [];
  return Object.entries(state.contested).filter(([, each]) => isHot(each, hotLoop)).map(([target]) => target);
}

/** Drops targets that have converged. */
export function coolDown(state: KnownState, elapsedMs: number, hotLoop: HotLoopOptions): KnownState {
  const entries = Object.entries(state.contested);
  const hot = entries.filter(([, each]) => cooled(each, elapsedMs, hotLoop) !== undefined);
  return hot.length === entries.length ? state : { ...state, contested: Object.fromEntries(hot) };
}

/** When changes of a contested object count again. */
export function pausedUntilMs(state: KnownState, target: string, hotLoop: HotLoopOptions): number {
  const contested = Object.hasOwn(state.contested, target) ? state.contested[target] : undefined;
  return contested ? contested.lastMs + restMs(contested, hotLoop) : 0;
}

/** Keeps the timers that match the object now, each with a time. */
export function withTimers<Timer extends TimerOptions & { readonly id: string }>(
  state: KnownState,
  timers: readonly Timer[],
  elapsedMs: number,
): KnownState {
  const same = Object.keys(state.ticks).length === timers.length &&
    timers.every(({ id }) => Object.hasOwn(state.ticks, id));
  if (same) return state;
  const ticks = timers.map((timer) => {
    const { id } = timer;
    return [id, Object.hasOwn(state.ticks, id) ? state.ticks[id]! : { ...firstTick(timer, elapsedMs), failures: 0 }];
  });
  return { ...state, ticks: Object.fromEntries(ticks) };
}

interface Due {
  readonly dueMs: number;
  readonly reason: "retry" | "requeue" | "timer" | "rested" | "cooled";
}

/** When a key is due without a change; undefined if only a change enqueues it. */
export function nextDue<Timer extends TimerOptions & { readonly id: string }>(
  { timers, hotLoop }: StateRules<Timer>,
  state: KeyState,
): Due | undefined {
  if (!isKnown(state)) return undefined;
  const dues: Due[] = [];
  for (const target of hotTargets(state, hotLoop)) {
    dues.push({ dueMs: coolMs(state.contested[target]!, hotLoop), reason: "cooled" });
  }
  for (const reason of state.held) {
    dues.push({ dueMs: pausedUntilMs(state, sourceOf(reason)!, hotLoop), reason: "rested" });
  }
  // A backoff covers everything else that is due.
  const backoffMs = state.phase === "failing" || state.phase === "deleting" ? state.untilMs : undefined;
  const untilMs = state.outdated?.untilMs ?? backoffMs;
  if (untilMs !== undefined) dues.push({ dueMs: untilMs, reason: "retry" });
  else if (state.phase !== "givenUp") {
    const { reconcileDueMs, changesDueMs, reconcileFailure } = state;
    if (reconcileDueMs !== undefined) {
      dues.push({ dueMs: reconcileDueMs, reason: reconcileFailure ? "retry" : "requeue" });
    }
    if (changesDueMs !== undefined) dues.push({ dueMs: changesDueMs, reason: "retry" });
    for (const timer of state.phase === "deleting" ? [] : timers) {
      const tick = state.ticks[timer.id];
      if (tick) dues.push({ dueMs: tickDueMs(timer, tick, state.changedMs), reason: "timer" });
    }
  }
  return dues.reduce<Due | undefined>((first, due) => first && first.dueMs <= due.dueMs ? first : due, undefined);
}

/**
 * A written object's name in reasons: `configmaps home/w`. The reconciled object adds its generation: a new one is
 * work, no loop.
 */
export function targetOf(resource: ApiResource, key: ObjectKey, generation?: number): string {
  const target = `${formatGroupResource(resource)} ${formatKey(key)}`;
  return generation === undefined ? target : `${target}@${generation}`;
}

/** What handlers wrote. The echo of a status write is never handled, so it cannot drive a loop. */
export function targetsOf(kind: ApiResource, object: KubeObject, writes: readonly WriteRecord[]): ReadonlySet<string> {
  const own = targetOf(kind, keyOf(object)), generation = object.metadata?.generation;
  const targets = writes.filter(({ subresource }) => subresource !== "status")
    .map(({ resource, key }) => targetOf(resource, key));
  return new Set(targets.map((target) => target === own ? targetOf(kind, keyOf(object), generation) : target));
}

export function reasonKind(reason: string): string {
  const space = reason.indexOf(" ");
  return space < 0 ? reason : reason.slice(0, space);
}

/** The object that caused a reason, if known. */
export function sourceOf(reason: string): string | undefined {
  const space = reason.indexOf(" ");
  return space < 0 ? undefined : reason.slice(space + 1);
}
