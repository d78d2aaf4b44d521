import type { Random } from "../base/mod.ts";
import { type Fault, formatFault, parseFault, STALE_MS } from "./fault.ts";
import type { CallFate, NetworkFaults, WriteFate } from "./simulated_cluster.ts";
import type { EventFate } from "./watch_delivery.ts";
import { formatTransition, parseTransition, type SpecTransition } from "./spec_transition.ts";
import type { Actor, TracedRequest, TraceRecord } from "./trace.ts";

/** Kinds of plans, in the order in which they are explored. */
export const PLAN_KINDS = [
  "crash",
  "stale",
  "hidden",
  "events",
  "errors",
  "foreign",
  "late",
  "clock",
  "pairs",
  "specs",
] as const;
export type PlanKind = typeof PLAN_KINDS[number];

/** What one run injects. */
export interface Plan {
  readonly kind: PlanKind;
  readonly faults: readonly Fault[];
  /** For `specs`, which have no faults. */
  readonly transition?: SpecTransition;
}

/** How long a delayed event takes: longer than a reconcile and its own events. */
const DELAY_MS = 10_000;
const CLOCK_STEP_MS = 3_600_000;

/** The faults of a plan, for one run. */
export function networkFaults({ faults }: Plan): NetworkFaults {
  const writes = new Map<number, WriteFate>(), events = new Map<number, EventFate>(), crashes = new Set<number>();
  const calls = new Map<number, CallFate>(), lost = new Set<number>();
  let stale: NetworkFaults["stale"];
  for (const fault of faults) {
    if (fault.at === "write") writes.set(fault.nth, fault.fate);
    else if (fault.at === "event") events.set(fault.nth, fault.fate);
    else if (fault.at === "call") calls.set(fault.nth, fault.fate);
    else if (fault.at === "bookmark") lost.add(fault.nth);
    else {
      crashes.add(fault.revision);
      stale = { revision: fault.shows, forMs: STALE_MS };
    }
  }
  return {
    onWrite: ({ nthWrite }) => writes.get(nthWrite!) ?? { kind: "pass" },
    onEvent: ({ nth }) => events.get(nth) ?? { kind: "deliver" },
    onCall: ({ nth }) => calls.get(nth) ?? { kind: "pass" },
    losesBookmark: ({ nth }) => lost.has(nth),
    crashesAt: (revision) => crashes.delete(revision),
    stale,
  };
}

/** What to do about a plan that a scenario lacks. */
export const PLAN_FIX = "take the plan, and its --seed, from the output of `test --explore` for this scenario";

/**
 * By how much the clock is set in all. Set back, what is due at a time of day comes so much later, and that is right;
 * set forward, it comes so much sooner.
 */
export function clockStepMs({ faults }: Plan): number {
  const steps = faults.map((fault) => fault.at === "write" && fault.fate.kind === "clock" ? fault.fate.byMs : 0);
  return steps.reduce((sum, byMs) => sum + byMs, 0);
}

/** The first place of the faults that a reference run lacks, and those that it has; undefined if none is missing. */
export function missingPlace({ faults }: Plan, trace: TraceRecord): string | undefined {
  for (const fault of faults) {
    const places = placesOf(trace, fault.at),
      wanted = fault.at === "revision" ? [fault.revision, fault.shows] : [fault.nth];
    const missing = wanted.find((place) => !places.includes(place));
    if (missing === undefined) continue;
    const has = places.length === 0 ? "it has none" : `it has ${Math.min(...places)} to ${Math.max(...places)}`;
    return `with this seed the scenario has no ${fault.at} ${missing}: ${has}`;
  }
  return undefined;
}

/** The numbers of a run's writes, events, calls, bookmarks or versions. */
function placesOf({ requests, events, calls, bookmarks }: TraceRecord, at: Fault["at"]): readonly number[] {
  const isNumber = (place: number | undefined) => place !== undefined;
  switch (at) {
    case "write":
      return requests.map(({ nthWrite }) => nthWrite).filter(isNumber);
    case "event":
      return events.map(({ nth }) => nth);
    case "call":
      return calls.map(({ nth }) => nth);
    case "bookmark":
      return bookmarks.map(({ nth }) => nth);
    case "revision":
      return requests.filter(({ isEffective }) => isEffective).map(({ revision }) => revision).filter(isNumber);
  }
}

/** The name of a plan, from which {@linkcode parsePlan} makes it again: `write:3:crash:before`. */
export function formatPlan({ faults, transition }: Plan): string {
  if (transition) return formatTransition(transition);
  return faults.map(formatFault).join("+");
}

/** The plan of a name, or undefined. */
export function parsePlan(text: string): Plan | undefined {
  const transition = parseTransition(text);
  if (transition) return { kind: "specs", faults: [], transition };
  const faults = text.split("+").map(parseFault);
  if (!faults.every((fault) => fault !== undefined)) return undefined;
  return { kind: faults.length > 1 ? "pairs" : kindOf(faults[0]!), faults };
}

function kindOf(fault: Fault): PlanKind {
  if (fault.at === "revision") return "stale";
  switch (fault.fate.kind) {
    case "crash":
    case "late":
    case "foreign":
    case "clock":
      return fault.fate.kind;
    case "fail":
      return "errors";
    case "hide":
      return "hidden";
    default:
      return "events";
  }
}

/** Why plans were left out. */
export type PruneReason =
  | "no effect"
  | "in a list"
  | "never superseded"
  | "nothing follows"
  | "released object"
  | "already failed"
  | "refused";

/** The plans for a reference run, and how many were left out, by reason. */
export interface PlanSet {
  readonly plans: readonly Plan[];
  readonly pruned: ReadonlyMap<PruneReason, number>;
}

/** Pairs of faults of one scenario: a sample, as their number grows with the square. */
const PAIRS_MAX = 40;

/** Calls of the world that have faults: some fakes are read often. */
const CALLS_MAX = 40;

/** Makes the plans for `trace`, in order of their kinds; `random` chooses the pairs. */
export function makePlans(trace: TraceRecord, random: Random): PlanSet {
  const plans: Plan[] = [], pruned = new Map<PruneReason, number>();
  const prune = (reason: PruneReason, count = 1) => {
    if (count > 0) pruned.set(reason, (pruned.get(reason) ?? 0) + count);
  };
  const add = (kind: PlanKind, ...faults: Fault[]) => void plans.push({ kind, faults });
  const writes = trace.requests.filter(({ nthWrite }) => nthWrite !== undefined);
  for (const { nthWrite: nth = 0, isEffective } of writes) {
    add("crash", { at: "write", nth, fate: { kind: "crash", moment: "before" } });
    if (!isEffective) {
      prune("no effect", 2);
      continue;
    }
    add("crash", { at: "write", nth, fate: { kind: "crash", moment: "unanswered" } });
    add("crash", { at: "write", nth, fate: { kind: "crash", moment: "answered" } });
  }
  const calls = trace.calls.slice(0, CALLS_MAX);
  for (const { nth } of calls) add("crash", { at: "call", nth, fate: { kind: "crash" } });
  addStale(trace, add, prune);
  addHidden(trace, add, prune);
  for (const { nth } of trace.events) {
    for (
      const fate of [{ kind: "delay", byMs: DELAY_MS }, { kind: "repeat" }, { kind: "cut" }, {
        kind: "expire",
      }] as const
    ) {
      add("events", { at: "event", nth, fate });
    }
  }
  for (const { nth } of trace.bookmarks) add("events", { at: "bookmark", nth, fate: { kind: "lose" } });
  for (const { nthWrite: nth = 0, isEffective } of writes) {
    for (const code of [409, 429, 500, 504]) {
      add("errors", { at: "write", nth, fate: { kind: "fail", code, effect: false } });
    }
    if (!isEffective) prune("no effect", 2);
    else for (const code of [500, 504]) add("errors", { at: "write", nth, fate: { kind: "fail", code, effect: true } });
  }
  for (const { nth } of calls) add("errors", { at: "call", nth, fate: { kind: "fail" } });
  for (const { nthWrite: nth = 0, target } of writes) {
    if (target?.verb !== "create") add("foreign", { at: "write", nth, fate: { kind: "foreign" } });
  }
  for (const { nthWrite: nth = 0 } of writes) add("late", { at: "write", nth, fate: { kind: "late" } });
  for (const { nthWrite: nth = 0 } of writes) {
    for (const byMs of [CLOCK_STEP_MS, -CLOCK_STEP_MS]) {
      add("clock", { at: "write", nth, fate: { kind: "clock", byMs } });
    }
  }
  addPairs(plans, random, add);
  return { plans, pruned };
}

/** Two faults of one run, the second at another place. */
function addPairs(plans: readonly Plan[], random: Random, add: (kind: PlanKind, ...faults: Fault[]) => void): void {
  const singles = plans.flatMap(({ faults }) => faults).filter((fault) => fault.at !== "revision");
  const choose = () => singles[Math.floor(random.next() * singles.length)]!, seen = new Set<string>();
  for (let tries = 0; tries < PAIRS_MAX && singles.length > 1; tries++) {
    const pair = [choose(), choose()] as const,
      [first, second] = pair,
      name = formatPlan({ kind: "pairs", faults: pair });
    if ((first.at === second.at && first.nth === second.nth) || seen.has(name)) continue;
    seen.add(name);
    add("pairs", ...pair);
  }
}

/** The harness removes the operator's webhooks with it. */
function isTeardown(target: TracedRequest["target"]): boolean {
  return target?.verb === "delete" && target.plural.endsWith("webhookconfigurations");
}

/** How far back a process looks: informers of real clusters lag by seconds, not by hours. */
const PAST_MAX = 12;

/** A restart at each change, seeing each of the changes before it. */
function addStale(
  trace: TraceRecord,
  add: (kind: PlanKind, ...faults: Fault[]) => void,
  prune: (reason: PruneReason, count?: number) => void,
): void {
  const { requests } = trace;
  const changes = requests.filter(({ isEffective, target }) => isEffective && !isTeardown(target)),
    revisions = changes.map(({ revision }) => revision!);
  for (const [index, revision] of revisions.entries()) {
    const past = revisions.slice(Math.max(0, index - PAST_MAX), index);
    if (!changes.slice(0, index + 1).some(({ actor }) => actor === "operator")) {
      prune("nothing follows", past.length);
      continue;
    }
    for (const shows of past) {
      if (showsReleased(trace, revision, shows)) prune("released object");
      else add("stale", { at: "revision", revision, shows });
    }
  }
}

/**
 * Whether the view, or an event by which it catches up, shows an object alive that is gone, and of whose name there is
 * no other: the operator released it from its finalizer, or the teardown deleted it. What an operator then does for it
 * stays, unless it asks the server before each effect.
 */
function showsReleased(
  { requests, settledAfter, lifetimes }: TraceRecord,
  revision: number,
  shows: number,
): boolean {
  const lives = [...lifetimes.values()], teardown = requests.slice(settledAfter);
  const isBy = (wanted: Actor, gone: number) => ({ actor, revision, isEffective }: TracedRequest) =>
    actor === wanted && revision === gone && isEffective === true;
  return lives.some(({ place, isHeld, deletedAt = Infinity, gone = Infinity }) =>
    shows < deletedAt && gone <= revision &&
    (isHeld ? requests.some(isBy("operator", gone)) : teardown.some(isBy("scenario", gone))) &&
    !lives.some((other) => other.place === place && other.created > gone && other.created <= revision)
  );
}

/** Each event that a later one of the same object and watch supersedes. A list cannot lack a single object. */
function addHidden(
  { events }: TraceRecord,
  add: (kind: PlanKind, ...faults: Fault[]) => void,
  prune: (reason: PruneReason, count?: number) => void,
): void {
  for (const [index, event] of events.entries()) {
    const isSuperseded = events.slice(index + 1).some(({ watch, namespace, name }) =>
      watch === event.watch && namespace === event.namespace && name === event.name
    );
    if (event.isInitial) prune("in a list");
    else if (isSuperseded) add("hidden", { at: "event", nth: event.nth, fate: { kind: "hide" } });
    else prune("never superseded");
  }
}
