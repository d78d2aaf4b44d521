import type { StorageSnapshot } from "../apiserver/mod.ts";
import type { PlannedScenario } from "../harness/mod.ts";
import { type Difference, endState, type ExploreExceptions, ReferenceState } from "./end_state.ts";
import { makePlans, networkFaults, type Plan, PLAN_KINDS, type PlanKind, type PruneReason } from "./plan.ts";
import { prepare, runSimulated, type SimulatedRun } from "./simulated_run.ts";
import { leakedSecret } from "./secret_leak.ts";
import type { Trace } from "./trace.ts";

/** Why a run under a plan is a failure. */
export interface Finding {
  readonly kind: "scenario" | "settles" | "state" | "deleted" | "left" | "forbidden" | "secret";
  readonly message: string;
}

/** A plan under which the operator fails. */
export interface FailedPlan {
  readonly plan: Plan;
  readonly findings: readonly Finding[];
  readonly run: SimulatedRun;
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
  readonly exceptions?: ExploreExceptions;
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

const NOTHING = { requests: 0, pruned: new Map(), generated: 0, explored: 0, failures: [], masked: [], warnings: [] };
/** Runs without faults whose differences are masked. */
const REFERENCES = 3;

/**
 * Explores one scenario: reference runs, then one run for each plan. Stops at the signal with what it has found.
 */
export async function explore(planned: PlannedScenario, options: ExploreOptions): Promise<Exploration> {
  const { seed, signal, exceptions, plansMax = Infinity, failuresMax = Infinity, onPlan, kinds = PLAN_KINDS } = options,
    { waitMsMax } = options;
  if (planned.scenario.options.inProcess) {
    return { ...NOTHING, planned, seed, skipped: "it drives the operator's process itself" };
  }
  const references: SimulatedRun[] = [], prepared = await prepare(planned, { seed, waitMsMax, signal });
  for (let nth = 0; nth < REFERENCES; nth++) {
    const run = await runSimulated(planned, { seed: seed + nth, prepared, waitMsMax, signal });
    if (run.result.outcome.kind !== "passed") {
      const { outcome } = run.result, why = "message" in outcome ? outcome.message : outcome.kind;
      return {
        ...NOTHING,
        planned,
        seed,
        requests: run.trace.requests.length,
        problem: `it fails without a fault: ${why}`,
      };
    }
    references.push(run);
  }
  const [first] = references as [SimulatedRun], oracle = new Oracle(prepared, references, exceptions);
  const { plans, pruned } = makePlans(first.trace), failures: FailedPlan[] = [];
  let explored = 0;
  for (
    const plan of options.plan ? [options.plan] : plans.filter(({ kind }) => kinds.includes(kind)).slice(0, plansMax)
  ) {
    if (signal.aborted || failures.length >= failuresMax) break;
    const run = await runSimulated(planned, { seed, prepared, waitMsMax, signal, faults: networkFaults(plan) });
    if (signal.aborted) break; // what it found is the interruption's
    const findings = oracle.judge(run);
    explored++;
    if (findings.length > 0) failures.push({ plan, findings, run });
    onPlan?.(plan, findings);
  }
  return {
    planned,
    seed,
    requests: first.trace.requests.length,
    pruned,
    generated: plans.length,
    explored,
    failures,
    masked: [...oracle.state.masked].sort(),
    warnings: [...new Set(references.flatMap(({ warnings }) => warnings))],
    trace: first.trace,
  };
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
    exceptions: ExploreExceptions | undefined,
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
    for (const object of run.trace.deletions(sinceRevision)) {
      if (reference.trace.deletions(sinceRevision).has(object)) continue;
      findings.push({ kind: "deleted", message: `the operator deleted ${object}, which it keeps without a fault` });
    }
    for (const each of this.#left.differences(endState(this.#prepared, run.left))) {
      findings.push({ kind: "left", message: `after the deletion: ${describeDifference(each)}` });
    }
    if (!this.#forbids && isForbidden(run)) {
      findings.push({ kind: "forbidden", message: "a request of the operator is forbidden: a rule is missing" });
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
function describeDifference({ object, path, expected, actual }: Difference): string {
  if (path === undefined) {
    if (expected === undefined) return `${object} should not exist`;
    return actual === undefined ? `${object} is missing` : `${object}: ${actual} objects instead of ${expected}`;
  }
  return `${object} ${path}: ${text(actual)} instead of ${text(expected)}`;
}

function text(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
