import { describeError, jsonEqual, type Random, SeededRandom } from "../base/mod.ts";
import type { StorageSnapshot } from "../apiserver/mod.ts";
import { type ExploreExceptions, mergedUse, type PlannedScenario, type RbacUse } from "../harness/mod.ts";
import { controlAmbientCalls } from "./ambient_calls.ts";
import { describeDifference, type EndState, endState, overwritten, ReferenceState } from "./end_state.ts";
import {
  clockStepMs,
  makePlans,
  missingPlace,
  networkFaults,
  type Plan,
  PLAN_FIX,
  PLAN_KINDS,
  type PlanKind,
  type PruneReason,
} from "./plan.ts";
import { firstDifference } from "./repeatable.ts";
import { reducePlan } from "./reduced_plan.ts";
import { type Restart, restartAtRest } from "./restart_writes.ts";
import { prepare, runSimulated, type SimulatedRun } from "./simulated_run.ts";
import { describeRequest } from "./fault.ts";
import { leakedSecret } from "./secret_leak.ts";
import { SpecSearch } from "./spec_search.ts";
import { hasOutdatedWorkload } from "./workload_controllers.ts";
import { cutTrace, type TraceRecord } from "./trace.ts";

/** Why a run under a plan is a failure. */
export interface Finding {
  readonly kind:
    | "scenario"
    | "settles"
    | "state"
    | "overwritten"
    | "deleted"
    | "remains"
    | "forbidden"
    | "secret"
    | "uncaught";
  readonly message: string;
}

/** A plan under which the operator fails. */
export interface FailedPlan {
  readonly plan: Plan;
  readonly findings: readonly Finding[];
  readonly run: Pick<SimulatedRun, "result"> & { readonly trace: TraceRecord };
}

/** What was found about one scenario. */
export interface Exploration {
  /** Why nothing was explored, if so. */
  readonly problem?: string;
  /** What to do, where the problem is that the wanted plan is none of this scenario. */
  readonly planFix?: string;
  /** Why it is not for exploration, if so. */
  readonly skipped?: string;
  /** Whether the signal ended it before its last plan. */
  readonly isInterrupted: boolean;
  readonly requests: number;
  readonly pruned: ReadonlyMap<PruneReason, number>;
  readonly generated: number;
  readonly explored: number;
  /** Of these, by kind. */
  readonly exploredKinds: ReadonlyMap<PlanKind, number>;
  readonly failures: readonly FailedPlan[];
  /** Fields that runs without faults disagree on. */
  readonly masked: readonly string[];
  /** Calls that left the simulation. */
  readonly warnings: readonly string[];
  /** What the operator writes when it starts again at rest, without a fault. */
  readonly restartWrites: readonly string[];
  /** What is wrong without a fault, although the scenario passes. It is no failure of a plan. */
  readonly faultless: readonly string[];
  /** What its runs needed together, if that is recorded. */
  readonly rbac?: RbacUse;
  readonly trace?: TraceRecord;
}

/** Options of {@linkcode explore}. */
export interface ExploreOptions {
  readonly seed: number;
  readonly waitMsMax: number;
  readonly signal: AbortSignal;
  /** Explores only these. */
  readonly plan?: Plan;
  readonly plansMax?: number;
  /** Records which RBAC rules the operator uses, under faults too. */
  readonly recordsRbac?: boolean;
  /** Stops after so many failures. */
  readonly failuresMax?: number;
  /** Explores only plans of these kinds. */
  readonly kinds?: readonly PlanKind[];
  /** Called before the first plan, and after each: `done` of `all` have run, and so many failed. */
  readonly onPlan?: (progress: { readonly done: number; readonly all: number; readonly failed: number }) => void;
}

export const NOTHING_EXPLORED: Exploration = {
  isInterrupted: false,
  requests: 0,
  pruned: new Map(),
  generated: 0,
  explored: 0,
  exploredKinds: new Map(),
  failures: [],
  masked: [],
  warnings: [],
  restartWrites: [],
  faultless: [],
};
export const INTERRUPTED: Exploration = { ...NOTHING_EXPLORED, isInterrupted: true };
/** Runs without faults whose differences are masked. */
const REFERENCES = 3;
const REVISIONS_STEP = 1_013;
const SPEC_FIX = "name fields of the kind's schema, or take the plan from the output of `test --specs`";
/** An operator that never comes to rest has plans until so long after the scenario's body: then it repeats itself. */
const RESTLESS_MS = 60_000;

/**
 * Explores one scenario: reference runs, then one run for each plan. Stops at the signal with what it has found.
 */
export async function explore(planned: PlannedScenario, options: ExploreOptions): Promise<Exploration> {
  const { seed, signal, waitMsMax, recordsRbac } = options;
  using _controlled = controlAmbientCalls(); // once, and not for each run
  if (planned.scenario.options.inProcess) {
    return { ...NOTHING_EXPLORED, skipped: "it drives the operator's process itself" };
  }
  const run = { seed, waitMsMax, signal, recordsRbac }, references: SimulatedRun[] = [];
  let prepared: StorageSnapshot;
  try {
    prepared = await prepare(planned, run);
    for (let nth = 0; nth < REFERENCES; nth++) {
      // Other numbers for versions: what quotes an old one differs, too.
      const begin = { ...prepared, revision: prepared.revision + nth * REVISIONS_STEP };
      references.push(await runSimulated(planned, { ...run, seed: seed + nth, prepared: begin }));
      const { outcome } = references.at(-1)!.result;
      if (signal.aborted) return INTERRUPTED;
      if (outcome.kind === "skipped") return { ...NOTHING_EXPLORED, skipped: outcome.reason };
      if (outcome.kind === "failed") throw new Error(outcome.message);
    }
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    const problem = `it fails without a fault: ${describeError(error)}`;
    return { ...NOTHING_EXPLORED, problem, warnings: warningsOf(references) };
  }
  if (options.plan?.transition || options.kinds?.includes("specs")) {
    return { ...NOTHING_EXPLORED, ...await exploreSpecs(planned, options, { prepared, references }) };
  }
  const [first] = references as [SimulatedRun], missing = options.plan && missingPlace(options.plan, first.trace);
  if (missing !== undefined) return { ...NOTHING_EXPLORED, problem: missing, planFix: PLAN_FIX };
  const trace = first.isSettled ? first.trace : cutTrace(first.trace, RESTLESS_MS);
  const { plans, pruned } = makePlans(trace, new SeededRandom(seed));
  const restart = await restartAtRest(planned, { ...run, prepared });
  const parts = { prepared, restart, exceptions: planned.suite.explore }, oracle = new Oracle({ ...parts, references });
  const later = new Map<number, Promise<Oracle>>();
  const laterOracle = (laterMs: number): Promise<Oracle> =>
    later.getOrInsertComputed(laterMs, async () => {
      return new Oracle({ ...parts, references, later: await runSimulated(planned, { ...run, prepared, laterMs }) });
    });
  const hasControllers = !references.some(({ settled }) => hasOutdatedWorkload(settled));
  const result = await runPlans(plansOf(options, plans), references, {
    ...options,
    examine: async (plan) => {
      const examined = async (laterMs: number) => {
        const more = { prepared, faults: networkFaults(plan), hasControllers, laterMs };
        const ended = await runSimulated(planned, { ...run, ...more });
        return { run: ended, findings: oracle.findingsOf(ended) };
      };
      const result = await examined(0), stepMs = clockStepMs(plan);
      if (stepMs === 0 || result.findings.length === 0) return result;
      return stepMs < 0
        ? await examined(-stepMs)
        : { ...result, findings: (await laterOracle(stepMs)).findingsOf(result.run) };
    },
  });
  return {
    ...NOTHING_EXPLORED,
    ...result,
    requests: first.trace.requests.length,
    pruned: result.held > 0 ? new Map([...pruned, ["already failed" as const, result.held]]) : pruned,
    generated: plans.length,
    masked: [...oracle.state.masked].sort(),
    warnings: warningsOf(references, firstDifference(first, restart.run)),
    restartWrites: options.plan ? [] : restart.writes,
    faultless: faultless(references),
    trace: first.trace,
  };
}

function faultless(runs: readonly SimulatedRun[]): string[] {
  const restless = runs.find(({ isSettled }) => !isSettled);
  const last = restless?.trace.requests.slice(0, restless.trace.settledAfter).findLast(({ actor, isEffective }) =>
    actor === "operator" && isEffective
  );
  const errors = new Set(runs.flatMap(({ uncaught }) => uncaught));
  return [
    ...restless ? [`the operator never comes to rest${last ? `, and still sends ${describeRequest(last)}` : ""}`] : [],
    ...[...errors].map((error) => `an error that no code handles: ${error}`),
  ];
}

/** Calls that left the simulation; `difference` is what two runs of one seed differ in. */
function warningsOf(runs: readonly SimulatedRun[], difference?: string): string[] {
  const calls = new Set(runs.flatMap(({ warnings }) => warnings));
  return [...calls, ...difference === undefined ? [] : [`what makes two runs of one seed differ in ${difference}`]];
}

/** Explores plans of the kind `specs`, and no others. */
async function exploreSpecs(
  planned: PlannedScenario,
  options: ExploreOptions,
  { prepared, references }: { readonly prepared: StorageSnapshot; readonly references: readonly SimulatedRun[] },
): Promise<Partial<Exploration>> {
  const [first] = references as [SimulatedRun], { plan } = options;
  const search = await SpecSearch.open(planned, first, { ...options, prepared }, plan?.transition);
  if (search.plans.length === 0) {
    if (plan) return { problem: "the scenario leaves no object of this plan's kind and name", planFix: PLAN_FIX };
    return { skipped: "it leaves no object whose kind and spec the operator declares" };
  }
  const unknown = plan ? search.unknownFields(plan.transition!) : [];
  if (unknown.length > 0) {
    return { problem: `${plan!.transition!.kind} has no field ${unknown.join(", ")}`, planFix: SPEC_FIX };
  }
  const result = await runPlans(plan ? [plan] : plansOf(options, search.plans), references, {
    ...options,
    examine: ({ transition }) => search.run(transition!),
  });
  return {
    ...result,
    requests: first.trace.requests.length,
    pruned: search.refused > 0 ? new Map([["refused", search.refused]]) : new Map(),
    generated: search.plans.length + search.refused,
    masked: search.masked,
    warnings: warningsOf(references),
    trace: first.trace,
  };
}

function plansOf(
  { plan, plansMax = Infinity, kinds = PLAN_KINDS, seed }: ExploreOptions,
  plans: readonly Plan[],
): readonly Plan[] {
  return plan ? [plan] : sample(plans.filter(({ kind }) => kinds.includes(kind)), plansMax, new SeededRandom(seed));
}

/** At most so many plans, in their order: as many of each kind, where it has them, chosen by `random`. */
function sample(plans: readonly Plan[], plansMax: number, random: Random): readonly Plan[] {
  if (plans.length <= plansMax) return plans;
  const byKind = Map.groupBy(plans, ({ kind }) => kind), queues = [...byKind.values()], chosen = new Set<Plan>();
  for (let turn = 0; chosen.size < plansMax; turn++) {
    const queue = queues[turn % queues.length]!;
    if (queue.length > 0) chosen.add(queue.splice(Math.floor(random.next() * queue.length), 1)[0]!);
  }
  return plans.filter((plan) => chosen.has(plan));
}

interface PlanRuns extends Pick<ExploreOptions, "signal" | "failuresMax" | "onPlan"> {
  examine(plan: Plan): Promise<{ readonly run: SimulatedRun; readonly findings: readonly Finding[] }>;
}

/** Runs plans one after the other; `held` counts pairs of which one fault has failed alone. */
async function runPlans(
  plans: readonly Plan[],
  references: readonly SimulatedRun[],
  { signal, failuresMax = Infinity, onPlan, examine }: PlanRuns,
) {
  let rbac = mergedUse(references.flatMap(({ result }) => result.rbac ?? []));
  const failures: FailedPlan[] = [], exploredKinds = new Map<PlanKind, number>();
  let explored = 0, held = 0;
  const report = () => onPlan?.({ done: explored + held, all: plans.length, failed: failures.length });
  report();
  const failureOf = async (plan: Plan): Promise<FailedPlan | undefined> => {
    const { run, findings } = await examine(plan);
    if (signal.aborted) return undefined;
    rbac = mergedUse([rbac, run.result.rbac].filter((each) => each !== undefined));
    return findings.length > 0 ? { plan, findings, run: { trace: run.trace, result: run.result } } : undefined;
  };
  for (const plan of plans) {
    if (signal.aborted || failures.length >= failuresMax) break;
    if (hasFailedAlone(plan, failures)) {
      held++;
      continue;
    }
    const failed = await failureOf(plan);
    if (signal.aborted) break; // what it found is the interruption's
    explored++;
    exploredKinds.set(plan.kind, (exploredKinds.get(plan.kind) ?? 0) + 1);
    if (failed) failures.push(await reducePlan(failed, failureOf));
    report();
  }
  const isInterrupted = signal.aborted && explored + held < plans.length;
  return { failures, exploredKinds, explored, held, isInterrupted, rbac };
}

/** Whether one of a pair's faults has failed alone: the shortest plan is known. */
function hasFailedAlone({ faults }: Plan, failures: readonly FailedPlan[]): boolean {
  if (faults.length < 2) return false;
  return faults.some((fault) =>
    failures.some(({ plan }) => plan.faults.length === 1 && jsonEqual(plan.faults[0], fault))
  );
}

/** Compares runs with the reference. */
class Oracle {
  readonly state: ReferenceState;
  readonly #cleared: ReferenceState;
  readonly #settles: boolean;
  readonly #forbids: boolean;
  readonly #leaks: boolean;
  readonly #references: readonly SimulatedRun[];
  readonly #later: SimulatedRun | undefined;
  readonly #prepared: StorageSnapshot;

  /** `later` is a reference that had more time: what it did in that time may be done. */
  constructor({ prepared, references, later, restart, exceptions }: {
    readonly prepared: StorageSnapshot;
    readonly references: readonly SimulatedRun[];
    readonly later?: SimulatedRun;
    readonly restart: Restart;
    readonly exceptions: ExploreExceptions;
  }) {
    this.#prepared = prepared;
    const runs = later ? [...references, later] : references;
    const states = runs.map((run) => settledState(prepared, run));
    this.state = new ReferenceState(states, exceptions, endState(prepared, restart.settled));
    this.#cleared = new ReferenceState(runs.map((run) => clearedState(prepared, run)), exceptions);
    this.#settles = references.every(({ isSettled }) => isSettled);
    this.#forbids = references.some(isForbidden);
    this.#leaks = references.some((run) => leakedSecret(run) !== undefined);
    this.#references = references;
    this.#later = later;
  }

  findingsOf(run: SimulatedRun): Finding[] {
    const findings: Finding[] = [], { outcome } = run;
    if (outcome.kind === "failed") findings.push({ kind: "scenario", message: outcome.message });
    if (this.#settles && !run.isSettled) {
      findings.push({ kind: "settles", message: "the operator never comes to rest" });
    }
    for (const each of this.state.differences(settledState(this.#prepared, run))) {
      findings.push({ kind: "state", message: describeDifference(each) });
    }
    for (const object of overwritten(run)) {
      findings.push({ kind: "overwritten", message: `the operator undid a change of another client to ${object}` });
    }
    const [reference] = this.#references as [SimulatedRun], sinceRevision = run.trace.faultRevision ?? Infinity;
    const dueToo = (this.#later ?? reference).trace.deletions(sinceRevision);
    for (const object of run.trace.deletions(sinceRevision).difference(dueToo)) {
      findings.push({ kind: "deleted", message: `the operator deleted ${object}, which it keeps without a fault` });
    }
    for (const each of this.#cleared.differences(clearedState(this.#prepared, run))) {
      findings.push({ kind: "remains", message: `after the deletion: ${describeDifference(each)}` });
    }
    if (!this.#forbids && isForbidden(run)) {
      findings.push({ kind: "forbidden", message: "a request of the operator is forbidden: a rule is missing" });
    }
    const known = this.#references.flatMap(({ uncaught }) => uncaught);
    for (const error of run.uncaught.filter((each) => !known.includes(each))) {
      findings.push({ kind: "uncaught", message: `an error that no code handles: ${error}` });
    }
    const leaked = this.#leaks ? undefined : leakedSecret(run);
    if (leaked) findings.push({ kind: "secret", message: leaked });
    return findings;
  }
}

function settledState(prepared: StorageSnapshot, { settled, worlds }: SimulatedRun): EndState {
  return endState(prepared, settled, worlds.settled);
}

function clearedState(prepared: StorageSnapshot, { cleared, worlds }: SimulatedRun): EndState {
  return endState(prepared, cleared, worlds.cleared);
}

function isForbidden({ trace }: SimulatedRun): boolean {
  return trace.requests.some(({ actor, code }) => actor === "operator" && code === 403);
}
