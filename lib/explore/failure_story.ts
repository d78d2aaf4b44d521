import type { Exploration, FailedPlan } from "./explorer.ts";
import { describeFault, describeRequest, type Fault } from "./plan.ts";
import { describeTransition } from "./spec_transition.ts";
import type { TracedRequest } from "./trace.ts";

/** Lines of a story before and after its fault. */
const BEFORE_MAX = 6, AFTER_MAX = 10;
const FINDINGS_MAX = 5;

/** A failed plan for people: what happened in order, the fault marked, and what was different in the end. */
export function failureStory({ trace }: Exploration, { plan, findings, run }: FailedPlan): string[] {
  const faults = plan.transition
    ? [describeTransition(plan.transition)]
    : plan.faults.map((fault) => describeFault(fault, trace!));
  const shown = findings.slice(0, FINDINGS_MAX).map(({ message }) => `  failed: ${message.replaceAll("\n", "\n    ")}`);
  const more = findings.length - shown.length;
  return [...faults, ...eventsOf(run, plan.faults[0]), ...shown, ...more > 0 ? [`  and ${more} more`] : []];
}

/** Without a fault the specs change, which they do once the scenario's body has ended. */
function eventsOf({ trace }: FailedPlan["run"], fault: Fault | undefined): string[] {
  const specs = new Set(trace.requests.slice(trace.settledAfter).filter(isSpecChange));
  const changes = trace.requests.filter((request) => request.nthWrite !== undefined || isChange(request));
  const isMarked = (request: TracedRequest) => fault ? isFaulty(request, fault) : specs.has(request);
  const at = Math.max(0, changes.findIndex(isMarked));
  const from = Math.max(0, at - BEFORE_MAX), lines = changes.slice(from, at + AFTER_MAX);
  return lines.map((request) => {
    const mark = isMarked(request) ? ">" : " ", seconds = (request.atMs / 1_000).toFixed(1).padStart(7);
    return `  ${mark}${seconds} s  ${request.process.padEnd(10)}  ${describeRequest(request)}  ${
      request.code ?? "no answer"
    }`;
  });
}

function isChange({ actor, isEffective }: TracedRequest): boolean {
  return actor === "scenario" && isEffective === true;
}

function isSpecChange({ actor, method, target }: TracedRequest): boolean {
  return actor === "scenario" && method === "PATCH" && target?.subresource === undefined;
}

function isFaulty({ nthWrite, revision }: TracedRequest, fault: Fault): boolean {
  if (fault.at === "write") return nthWrite === fault.nth;
  return fault.at === "revision" && revision !== undefined && revision >= fault.revision;
}
