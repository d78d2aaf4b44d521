import { hangingLines } from "../base/mod.ts";
import type { StepRecord } from "../harness/mod.ts";
import type { Exploration, FailedPlan } from "./explorer.ts";
import { describeEvent, describeFault, describeRequest, type Fault } from "./fault.ts";
import type { Plan } from "./plan.ts";
import { describeTransition } from "./spec_transition.ts";
import type { TracedRequest, TraceRecord } from "./trace.ts";

/** Moments of a story before and after its fault. */
const BEFORE_MAX = 6, AFTER_MAX = 10;
const FINDINGS_MAX = 5;

/** One thing that happened in a run. */
interface Moment {
  /** Since the beginning of the run. */
  readonly atMs: number;
  /** `scenario`, or a process of the operator. */
  readonly process: string;
  /** As `patch deployments home/shop`. */
  readonly what: string;
  /** The answer's code, or why there is none; absent for events and calls. */
  readonly answer?: string;
  readonly isFault: boolean;
  /** Whether the cluster is compared with that of a run without a fault. */
  readonly isComparison?: boolean;
}

const COMPARED = ["at rest", "after the teardown"].map((when) => `${when}: compared with the runs without a fault`);

/** A failed plan for people: what happened in order, the fault marked, and what was different in the end. */
export function failureStory(exploration: Exploration, failure: FailedPlan): string[] {
  const { findings } = failure;
  const shown = findings.slice(0, FINDINGS_MAX).flatMap(({ message }) => hangingLines(`  failed: ${message}`, "    "));
  const more = findings.length - shown.length;
  return [
    ...describePlan(exploration, failure.plan),
    ...storyOf(failure),
    ...shown,
    ...more > 0 ? [`  and ${more} more`] : [],
  ];
}

/** At most so many failed plans to tell: the first of each difference before any other of it. */
export function failuresToTell(failures: readonly FailedPlan[], countMax: number): FailedPlan[] {
  const differences = Map.groupBy(failures, ({ findings }) => findings[0]!.message);
  const firsts = new Set([...differences.values()].map(([first]) => first!));
  return [...firsts, ...failures.filter((failure) => !firsts.has(failure))].slice(0, countMax);
}

/** The faults of a failed plan, as steps of its run: each is red in the report. */
export function faultSteps(exploration: Exploration, failure: FailedPlan): StepRecord[] {
  const titles = describePlan(exploration, failure.plan), { startMs } = failure.run.result;
  return momentsOf(failure).filter(({ isFault }) => isFault).map(({ atMs, what }, nth) => {
    const at = startMs + atMs;
    return { kind: "fault", title: titles[nth] ?? what, startMs: at, order: -1, endMs: at, failure: "" };
  });
}

/** What a plan changes, a line each. */
function describePlan({ trace }: Exploration, { faults, transition }: Plan): string[] {
  return transition ? [describeTransition(transition)] : faults.map((fault) => describeFault(fault, trace!));
}

/**
 * What happened around the faults: writes, changes of the scenario, calls of its world, and events that have a fault.
 * Without a fault the specs change, which they do once the scenario's body has ended.
 */
function momentsOf({ plan: { faults }, run: { trace } }: FailedPlan): Moment[] {
  const moments = [...requestMoments(trace, faults), ...otherMoments(trace, faults)].sort((a, b) => a.atMs - b.atMs);
  const first = Math.max(0, moments.findIndex(({ isFault }) => isFault));
  const last = Math.max(first, moments.findLastIndex(({ isFault }) => isFault));
  const to = Math.min(last, first + AFTER_MAX) + AFTER_MAX;
  return moments.slice(Math.max(0, first - BEFORE_MAX), to);
}

/** The moments, and when the cluster was compared: at rest, and after the teardown if that showed something. */
function storyOf(failure: FailedPlan): string[] {
  const { plan, findings, run: { trace } } = failure, moments = momentsOf(failure);
  if (plan.transition) return moments.map(lineOf); // specs are compared after each change, which findings name
  const isAfterTeardown = findings.some(({ kind }) => kind === "remains");
  const compared = trace.comparedMs.slice(0, isAfterTeardown ? 2 : 1).map((atMs, nth): Moment => {
    return { atMs, process: "", what: COMPARED[nth]!, isFault: false, isComparison: true };
  });
  // In the same millisecond the teardown begins.
  return [...compared, ...moments].sort((one, other) => one.atMs - other.atMs).map(lineOf);
}

function lineOf({ isFault, isComparison, atMs, process, what, answer }: Moment): string {
  const mark = isFault ? ">" : isComparison ? "=" : " ", seconds = (atMs / 1_000).toFixed(1).padStart(7);
  return `  ${mark}${seconds} s  ${isComparison ? "" : `${process.padEnd(10)}  `}${what}${answer ? `  ${answer}` : ""}`;
}

/** What the sender got; beside it the server's answer, where a fault took that away or changed it. */
function answerOf({ received, code }: TracedRequest): string {
  const got = `${received ?? "no answer"}`;
  return code === undefined || code === received ? got : `${got} (the server answered ${code})`;
}

function requestMoments(trace: TraceRecord, faults: readonly Fault[]): Moment[] {
  const specs = new Set(faults.length > 0 ? [] : trace.requests.slice(trace.settledAfter).filter(isSpecChange));
  const crash = faults.find(({ at }) => at === "revision"),
    crashed = crash &&
      trace.requests.find(({ isEffective, revision = 0 }) =>
        isEffective && crash.at === "revision" && revision >= crash.revision
      );
  return trace.requests.filter((request) => request.nthWrite !== undefined || isChange(request)).map((request) => ({
    atMs: request.atMs,
    process: request.process,
    what: describeRequest(request),
    answer: answerOf(request),
    isFault: request === crashed || specs.has(request) ||
      faults.some((fault) => fault.at === "write" && fault.nth === request.nthWrite),
  }));
}

function otherMoments({ events, calls }: TraceRecord, faults: readonly Fault[]): Moment[] {
  const has = (at: Fault["at"], nth: number) =>
    faults.some((fault) => fault.at === at && "nth" in fault && fault.nth === nth);
  const faulty = events.filter(({ nth }) => has("event", nth)).map((event) => ({
    atMs: event.atMs,
    process: event.process,
    what: `event ${describeEvent(event)}`,
    isFault: true,
  }));
  const called = calls.map(({ atMs, process, name, nth }) => ({
    atMs,
    process,
    what: name,
    isFault: has("call", nth),
  }));
  return [...faulty, ...called];
}

function isChange({ actor, isEffective }: TracedRequest): boolean {
  return actor === "scenario" && isEffective === true;
}

function isSpecChange({ actor, method, target }: TracedRequest): boolean {
  return actor === "scenario" && method === "PATCH" && target?.subresource === undefined;
}
