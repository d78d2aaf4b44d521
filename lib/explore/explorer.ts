import { describeError, jsonEqual, SeededRandom } from "../base/mod.ts";
import type { StorageSnapshot } from "../apiserver/mod.ts";
import type { ExploreExceptions, PlannedScenario } from "../harness/mod.ts";
import { type Difference, endState, ReferenceState } from "./end_state.ts";
import { makePlans, networkFaults, type Plan, PLAN_KINDS, type PlanKind, type PruneReason } from "./plan.ts";
import { prepare, runSimulated, type SimulatedRun } from "./simulated_run.ts";
import { leakedSecret } from "./secret_leak.ts";
import type { Trace } from "./trace.ts";

/** Why a run under a plan is a failure. */
export interface Finding {
  readonly kind: "scenario" | "settles" | "state" | "deleted" | "left" | "forbidden" | "secret" | "uncaught";
  readonly message: string;
}

/** A plan under which the operator fails. */
export interface FailedPlan {
  readonly plan: Plan;
  readonly findings: readonly Finding[];
  readonly run: Pick<SimulatedRun, "trace" | "result">;
}

/** What was found about one scenario. */
export interface Exploration {
  readonly planned: PlannedScenario;
  readonly seed: number;
  /** Why nothing was explored, if so. */
  readonly problem?: string;
  /** Why it is not for exploration, if so. */
  readonly skipped?: string;
  readonly requests: number;
  readonly pruned: ReadonlyMap<PruneReason, number>;
  readonly generated: number;
  readonly explored: number;
  readonly exploredKinds: ReadonlySet<PlanKind>;
  readonly failures: readonly FailedPlan[];
  /** Fields that runs without faults disagree on. */
  readonly masked: readonly string[];
  /** Calls that left the simulation. */
  readonly warnings: readonly string[];
  readonly trace?: Trace;
}

/** Options of {@linkcode explore}. */
export interface ExploreOptions {
  readonly seed: number;
  readonly waitMsMax: number;
  readonly signal: AbortSignal;
  /** Explores only these. */
  readonly plan?: Plan;
  readonly plansMax?: number;
  /** Stops after so many failures. */
  readonly failuresMax?: number;
  /** Explores only plans of these kinds. */
  readonly kinds?: readonly PlanKind[];
  /** Called after each plan. */
  readonly onPlan?: (plan: Plan, findings: readonly Finding[]) => void;
}

const NOTHING = {
  requests: 0,
  pruned: new Map(),
  generated: 0,
  explored: 0,
  exploredKinds: new Set<PlanKind>(),
  failures: [],
  masked: [],
  warnings: [],
};
/** Runs without faults whose differences are masked. */
const REFERENCES = 3;

/**
 * Explores one scenario: reference runs, then one run for each plan. Stops at the signal with what it has found.
 */
export async function explore(planned: PlannedScenario, options: ExploreOptions): Promise<Exploration> {
  const { seed, signal, waitMsMax } = options, base = { ...NOTHING, planned, seed };
  if (planned.scenario.options.inProcess) return { ...base, skipped: "it drives the operator's process itself" };
  const run = { seed, waitMsMax, signal }, references: SimulatedRun[] = [];
  let prepared: StorageSnapshot;
  try {
    prepared = await prepare(planned, run);
    for (let nth = 0; nth < REFERENCES; nth++) {
      references.push(await runSimulated(planned, { ...run, seed: seed + nth, prepared }));
      const { outcome } = references.at(-1)!.result;
      if (signal.aborted) return base;
      if (outcome.kind === "skipped") return { ...base, skipped: outcome.reason };
      if (outcome.kind === "failed") throw new Error(outcome.message);
    }
  } catch (error) {
    return { ...base, problem: `it fails without a fault: ${describeError(error)}` };
  }
  const [first] = references as [SimulatedRun], oracle = new Oracle(prepared, references, planned.suite.explore);
  const { plans, pruned } = makePlans(first.trace, new SeededRandom(seed));
  const result = await runPlans(plansOf(options, plans), {
    ...options,
    execute: (plan) => runSimulated(planned, { ...run, prepared, faults: networkFaults(plan) }),
    judge: (ended) => oracle.judge(ended),
  });
  return {
    ...base,
    ...result,
    requests: first.trace.requests.length,
    pruned: result.held > 0 ? new Map([...pruned, ["holds a failure" as const, result.held]]) : pruned,
    generated: plans.length,
    masked: [...oracle.state.masked].sort(),
    warnings: [...new Set(references.flatMap(({ warnings }) => warnings))],
    trace: first.trace,
  };
}

function plansOf(
  { plan, plansMax = Infinity, kinds = PLAN_KINDS }: ExploreOptions,
  plans: readonly Plan[],
): readonly Plan[] {
  return plan ? [plan] : plans.filter(({ kind }) => kinds.includes(kind)).slice(0, plansMax);
}

interface PlanRuns extends Pick<ExploreOptions, "signal" | "failuresMax" | "onPlan"> {
  execute(plan: Plan): Promise<SimulatedRun>;
  judge(run: SimulatedRun): Finding[];
}

/** Runs plans one after the other; `held` counts pairs that hold a fault which fails alone. */
async function runPlans(plans: readonly Plan[], { signal, failuresMax = Infinity, onPlan, execute, judge }: PlanRuns) {
  const failures: FailedPlan[] = [], exploredKinds = new Set<PlanKind>();
  let explored = 0, held = 0;
  for (const plan of plans) {
    if (signal.aborted || failures.length >= failuresMax) break;
    if (holdsFailure(plan, failures)) {
      held++;
      continue;
    }
    const run = await execute(plan);
    if (signal.aborted) break; // what it found is the interruption's
    const findings = judge(run);
    explored++;
    exploredKinds.add(plan.kind);
    if (findings.length > 0) failures.push({ plan, findings, run: { trace: run.trace, result: run.result } });
    onPlan?.(plan, findings);
  }
  return { failures, exploredKinds, explored, held };
}

/** Whether one of a pair's faults fails alone: the shortest plan is known. */
function holdsFailure({ faults }: Plan, failures: readonly FailedPlan[]): boolean {
  if (faults.length < 2) return false;
  return faults.some((fault) =>
    failures.some(({ plan }) => plan.faults.length === 1 && jsonEqual(plan.faults[0], fault))
  );
}

/** Compares runs with the reference. */
class Oracle {
  readonly state: ReferenceState;
  readonly #left: ReferenceState;
  readonly #settles: boolean;
  readonly #forbids: boolean;
  readonly #leaks: boolean;
  readonly #references: readonly SimulatedRun[];
  readonly #prepared: StorageSnapshot;

  constructor(
    prepared: StorageSnapshot,
    references: readonly SimulatedRun[],
    exceptions: ExploreExceptions,
  ) {
    this.#prepared = prepared;
    this.state = new ReferenceState(references.map((run) => endState(prepared, run.settled)), exceptions);
    this.#left = new ReferenceState(references.map((run) => endState(prepared, run.left)), exceptions);
    this.#settles = references.every(({ isSettled }) => isSettled);
    this.#forbids = references.some(isForbidden);
    this.#leaks = references.some((run) => leakedSecret(run) !== undefined);
    this.#references = references;
  }

  judge(run: SimulatedRun): Finding[] {
    const findings: Finding[] = [], { outcome } = run;
    if (outcome.kind === "failed") findings.push({ kind: "scenario", message: outcome.message });
    if (this.#settles && !run.isSettled) {
      findings.push({ kind: "settles", message: "the operator never comes to rest" });
    }
    for (const each of this.state.differences(endState(this.#prepared, run.settled))) {
      findings.push({ kind: "state", message: describeDifference(each) });
    }
    const [reference] = this.#references as [SimulatedRun], sinceRevision = run.trace.faultRevision ?? Infinity;
    for (const object of run.trace.deletions(sinceRevision).difference(reference.trace.deletions(sinceRevision))) {
      findings.push({ kind: "deleted", message: `the operator deleted ${object}, which it keeps without a fault` });
    }
    for (const each of this.#left.differences(endState(this.#prepared, run.left))) {
      findings.push({ kind: "left", message: `after the deletion: ${describeDifference(each)}` });
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

function isForbidden({ trace }: SimulatedRun): boolean {
  return trace.requests.some(({ actor, code }) => actor === "operator" && code === 403);
}

/** A difference in words. */
export function describeDifference({ object, path, expected, actual }: Difference): string {
  if (path === undefined) {
    if (expected === undefined) return `${object} should not exist`;
    return actual === undefined ? `${object} is missing` : `${object}: ${actual} objects instead of ${expected}`;
  }
  return `${object} ${path}: ${text(actual)} instead of ${text(expected)}`;
}

function text(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
