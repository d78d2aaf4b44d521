import { type ApiResource, keyOf, type KubeObject } from "../apimachinery/mod.ts";
import {
  type Cause,
  detectCause,
  matchesFilter,
  type ObjectFilter,
  tickDueMs,
  type TimerOptions,
} from "../handling/mod.ts";
import {
  coolDown,
  hotTargets,
  initialState,
  isKnown,
  type KeyState,
  type KnownState,
  pausedUntilMs,
  reasonKind,
  sourceOf,
  type StateRules,
  targetOf,
  withTimers,
} from "./key_state.ts";

/**
 * Why a key is reconciled: `changed`, `resume` (initial load), `requested`, `relist` (a watch
 * missed events and listed again), or a related object: `owned`, `mapped`,
 * `dependency`, which name the object if this key wrote it: `owned configmaps home/w`. `daemon` and `report` concern
 * the status. All others mean that something in the state is due.
 */
type Reason = string;

/** Reasons from the cluster or a person. They cause a pass at once, whatever the backoff. */
const FRESH: ReadonlySet<string> = new Set([
  "changed",
  "resume",
  "requested",
  "owned",
  "mapped",
  "dependency",
  "plan",
]);

/** Reasons that concern the status alone. */
const STATUS: ReadonlySet<string> = new Set(["daemon", "report"]);

export interface DecisionRules<T extends KubeObject, Timer> extends StateRules<Timer & TimerOptions & { id: string }> {
  readonly kind: ApiResource;
  readonly finalizer: string;
  /** Finalizers of operators that this one replaces. */
  readonly legacyFinalizers: readonly string[];
  /** Whether something must run before a deletion. */
  needsFinalizer(object: T): boolean;
  reconciles(object: T): boolean;
  /** Whether optional delete handlers run for an object that another finalizer holds. */
  wantsDeletion(object: T): boolean;
}

interface DecisionInput<T extends KubeObject> {
  /** From a store that holds this key's writes; undefined if gone or not ours to handle. */
  readonly object: T | undefined;
  readonly state: KeyState;
  readonly reasons: ReadonlySet<Reason>;
  readonly elapsedMs: number;
  /** Rewinds of the server's history by now. */
  readonly rollbacks: number;
}

export interface PassDecision<Timer> {
  readonly kind: "pass";
  readonly cause: Exclude<Cause, { kind: "gone" }>;
  /** Whether the due change handlers run: create, update, field, resume or delete. */
  readonly changes: boolean;
  readonly reconcile: boolean;
  readonly timers: readonly Timer[];
  /** Without reasons that wait until a contested object has rested. */
  readonly reasons: ReadonlySet<Reason>;
  /** The same for handlers: `changed`, `owned`, `timer`, without their objects. */
  readonly words: ReadonlySet<string>;
  /** Whether some reason is fresh. */
  readonly fresh: boolean;
  /** The state that the pass begins with. */
  readonly state: KnownState;
}

export type Decision<Timer> =
  /** Forget the key: the object is gone, or was never ours. */
  | { readonly kind: "forget" }
  /** Nothing: we are done with the object, which another finalizer holds. */
  | { readonly kind: "leave" }
  /** Nothing yet: see `nextDue` of the state. */
  | { readonly kind: "wait"; readonly cause: Exclude<Cause, { kind: "gone" }>; readonly state: KnownState }
  | PassDecision<Timer>;

/**
 * Decides when and why handlers run. Pure and level-triggered: it depends on the object and the key's state, not on
 * past events; reasons only name what changed since.
 *
 * - Change handlers and `reconcile` run for every fresh reason, and at the times they requested.
 * - A timer ticks at its time while the object exists, matches its filter, and has been idle long enough.
 * - The echo of what a pass wrote is no reason.
 * - After a failed pass, only a fresh reason runs anything before the backoff ends.
 * - After a pass whose object the server no longer had, nothing runs until the store shows that.
 * - An unreadable spec is read again when the object changes.
 * - Changes of a contested object wait until it has rested; everything else goes on.
 * - A deletion runs the delete handlers after the daemons have ended.
 */
export function decide<T extends KubeObject, Timer extends TimerOptions & ObjectFilter<T> & { readonly id: string }>(
  rules: DecisionRules<T, Timer>,
  { object, state: former, reasons, elapsedMs, rollbacks }: DecisionInput<T>,
): Decision<Timer> {
  if (!object) return { kind: "forget" };
  if (isReleased(former, object, rollbacks)) return { kind: "leave" };
  const cause = causeOf(rules, object, former);
  if (cause.kind === "gone") return { kind: former.phase === "released" ? "leave" : "forget" };
  const known = isKnown(former) ? former : initialState(object, elapsedMs);
  if (isOutdated(known, object, { elapsedMs, rollbacks })) {
    return { kind: "wait", cause, state: { ...known, outstanding: { changes: true, reconcile: true } } };
  }
  const wasHot = hotTargets(known, rules.hotLoop).length > 0;
  const state = currentState(rules, { ...known, outdated: undefined }, { object, cause, elapsedMs });
  const hasCooled = wasHot && hotTargets(state, rules.hotLoop).length === 0;
  const { counting, held } = withoutHeld(rules, state, {
    reasons: withoutEcho(state, object, reasons, rollbacks).map((reason) => attributed(rules.kind, object, reason)),
    elapsedMs,
  });
  const next = { ...state, held };
  const deleting = cause.kind === "delete", words = new Set([...counting].map(reasonKind));
  // A deletion waits for the daemons to end.
  const fresh = [...words].some((word) => FRESH.has(word) || (deleting && word === "daemon"));
  if (!fresh && backsOff(next, elapsedMs)) return { kind: "wait", cause, state: next };
  const due = (dueMs: number | undefined) => dueMs !== undefined && dueMs <= elapsedMs;
  const { outstanding, reconcileDueMs, reconcileFailure, changesDueMs, unsaved } = next;
  const changes = fresh || outstanding.changes || due(changesDueMs) || unsaved !== undefined;
  // A relist is no change: what has failed waits for its time, or for a change.
  const relisted = words.has("relist") && reconcileFailure === undefined;
  const isDue = outstanding.reconcile || relisted || due(reconcileDueMs);
  const reconcile = rules.reconciles(object) && (fresh || isDue);
  const timers = deleting ? [] : rules.timers.filter((timer) => {
    const tick = next.ticks[timer.id];
    return tick !== undefined && due(tickDueMs(timer, tick, next.changedMs));
  });
  // A pass after the backoff reports whether the failure persists.
  const recovers = next.phase === "failing" || (next.phase === "deleting" && next.untilMs !== undefined);
  const forStatus = recovers || hasCooled || [...words].some((word) => STATUS.has(word));
  if (!changes && !reconcile && timers.length === 0 && !forStatus) return { kind: "wait", cause, state: next };
  return { kind: "pass", cause, changes, reconcile, timers, reasons: counting, words, fresh, state: next };
}

/**
 * Whether our finalizer was removed from this very object; a watch may still show earlier versions. A finalizer cannot
 * be added during deletion, so ours in them is outdated.
 */
function isReleased(state: KeyState, { metadata }: KubeObject, rollbacks: number): boolean {
  return state.phase === "released" && state.uid === metadata?.uid && state.rollbacks === rollbacks &&
    metadata?.deletionTimestamp !== undefined;
}

/** Whether the server has told a pass that it no longer has this object, and the store does not show that yet. */
function isOutdated(
  { outdated }: KnownState,
  { metadata }: KubeObject,
  { elapsedMs, rollbacks }: Pick<DecisionInput<KubeObject>, "elapsedMs" | "rollbacks">,
): boolean {
  return outdated !== undefined && elapsedMs < outdated.untilMs && outdated.version === metadata?.resourceVersion &&
    outdated.rollbacks === rollbacks;
}

/** With an optional delete handler, a deletion counts even if only another finalizer holds the object. */
function causeOf<T extends KubeObject, Timer>(
  { finalizer, legacyFinalizers, ...rules }: DecisionRules<T, Timer>,
  object: T,
  state: KeyState,
): Cause {
  const needsFinalizer = rules.needsFinalizer(object);
  const cause = detectCause(object, { finalizer, legacyFinalizers: legacyFinalizers, needsFinalizer });
  const wanted = cause.kind === "gone" && state.phase !== "released" && rules.wantsDeletion(object);
  return wanted ? { kind: "delete" } : cause;
}

/** In the phase that the cause requires, with the timers that match now, cooled down. */
function currentState<T extends KubeObject, Timer extends TimerOptions & ObjectFilter<T> & { readonly id: string }>(
  { timers, hotLoop, ...rules }: DecisionRules<T, Timer>,
  state: KnownState,
  { object, cause, elapsedMs }: { readonly object: T; readonly cause: Cause; readonly elapsedMs: number },
): KnownState {
  const matching = timers.filter((timer) => matchesFilter(timer, object));
  const known = rules.reconciles(object) ? state : withoutReconcile(state);
  const next = coolDown(withTimers(known, matching, elapsedMs), elapsedMs, hotLoop);
  if (cause.kind !== "delete" || next.phase === "deleting") return next;
  // Retries and requeues from before the deletion no longer matter.
  const { reconcileDueMs: _, changesDueMs: __, unsaved: ___, ...rest } = next;
  return {
    ...rest,
    phase: "deleting",
    cleaned: false,
    untilMs: undefined,
    outstanding: { changes: true, reconcile: false },
  };
}

/** Drops requeue, retry and failure of a `reconcile` whose filter does not match. */
function withoutReconcile(state: KnownState): KnownState {
  const { reconcileDueMs, reconcileFailure, outstanding } = state;
  if (reconcileDueMs === undefined && !reconcileFailure && !outstanding.reconcile) return state;
  return {
    ...state,
    reconcileDueMs: undefined,
    reconcileFailure: undefined,
    outstanding: { ...outstanding, reconcile: false },
  };
}

/** Drops `changed` if the store shows what the last pass left: the pass has dealt with all of it. */
function withoutEcho(
  { handled }: KnownState,
  { metadata }: KubeObject,
  reasons: ReadonlySet<Reason>,
  rollbacks: number,
): Reason[] {
  const isEcho = handled !== undefined && handled.version === metadata?.resourceVersion &&
    handled.rollbacks === rollbacks;
  return [...reasons].filter((reason) => !(isEcho && reason === "changed"));
}

/** Held in the state: a delay of the queue ends when the key runs for another reason, such as its echo. */
function withoutHeld(
  { hotLoop }: StateRules<TimerOptions & { readonly id: string }>,
  state: KnownState,
  { reasons, elapsedMs }: { readonly reasons: readonly Reason[]; readonly elapsedMs: number },
): { counting: ReadonlySet<Reason>; held: ReadonlySet<Reason> } {
  const all = state.held.size > 0 ? [...state.held, ...reasons] : reasons;
  const rests = (reason: Reason) => {
    const source = sourceOf(reason);
    return source !== undefined && pausedUntilMs(state, source, hotLoop) > elapsedMs;
  };
  const held = all.filter(rests);
  if (held.length === 0) return { counting: new Set(all), held: state.held.size > 0 ? new Set() : state.held };
  return { counting: new Set(all.filter((reason) => !rests(reason))), held: new Set(held) };
}

/** Whether only a fresh reason runs anything now. */
function backsOff(state: KnownState, elapsedMs: number): boolean {
  if (state.phase === "givenUp") return true;
  const untilMs = state.phase === "failing" || state.phase === "deleting" ? state.untilMs : undefined;
  return untilMs !== undefined && elapsedMs < untilMs;
}

function attributed(kind: ApiResource, object: KubeObject, reason: Reason): Reason {
  if (reason !== "changed") return reason;
  return `changed ${targetOf(kind, keyOf(object), object.metadata?.generation)}`;
}
