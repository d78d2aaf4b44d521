import { isWrite } from "../harness/operator_under_test.ts";
import type { Fault } from "./fault.ts";
import { networkFaults, type Plan } from "./plan.ts";
import type { Actor, TracedRequest, TraceRecord } from "./trace.ts";

/** A write or an event by what it does, and how often the same came before: other clusters keep no other order. */
export interface Moment {
  readonly name: string;
  /** From 1. */
  readonly nth: number;
}

/** A fault of a plan, at a moment that another run of the scenario has, too. */
export type PlacedFault =
  | { readonly at: "write"; readonly moment: Moment; readonly fate: Extract<Fault, { at: "write" }>["fate"] }
  | { readonly at: "event"; readonly moment: Moment; readonly fate: Extract<Fault, { at: "event" }>["fate"] }
  /** The operator dies after the write `dies`; lists show the cluster after `shows`, for a while. */
  | { readonly at: "revision"; readonly dies: Moment; readonly shows: Moment; readonly forMs: number };

export function isAt(expected: Moment, { name, nth }: Moment): boolean {
  return expected.name === name && expected.nth === nth;
}

export function writeName(actor: Actor, target: NonNullable<TracedRequest["target"]>): string {
  const { verb, group, plural, subresource = "", namespace = "", name = "" } = target;
  return `${actor}: ${verb} ${plural}.${group}/${subresource} ${namespace}/${name}`;
}

/** `watch` is the watch's path, `key` the object's namespace and name. */
export function eventName(watch: string, type: string, key: string): string {
  return `${type} ${watch} ${key}`;
}

/** The name that a simulated run, whose names begin with `run-`, has for the same. */
export function simulatedName(name: string, prefix: string): string {
  return name.replaceAll(`${prefix}-`, "run-");
}

/** Finds the moments of a plan's faults in the simulated run without faults; undefined for one that it lacks. */
export function placeFaults(plan: Plan, trace: TraceRecord): (PlacedFault | undefined)[] {
  const { stale } = networkFaults(plan);
  return plan.faults.map((fault) => {
    if (fault.at === "write") {
      const moment = momentOf(trace.requests, writeNameOf, ({ nthWrite }) => nthWrite === fault.nth);
      return moment && { at: "write", moment, fate: fault.fate };
    }
    if (fault.at === "event") {
      const nameOf = (each: TraceRecord["events"][number]) =>
        eventName(each.watch, each.type, `${each.namespace}/${each.name}`);
      const moment = momentOf(trace.events, nameOf, ({ nth }) => nth === fault.nth);
      return moment && { at: "event", moment, fate: fault.fate };
    }
    if (fault.at === "call" || fault.at === "bookmark") return undefined;
    const after = (revision: number) =>
      momentOf(trace.requests, writeNameOf, (each) => each.isEffective === true && each.revision === revision);
    const dies = after(fault.revision), shows = after(fault.shows);
    return dies && shows && { at: "revision", dies, shows, forMs: stale!.forMs };
  });
}

function writeNameOf(request: TracedRequest): string | undefined {
  const { actor, target } = request;
  return target && isWrite(request) ? writeName(actor, target) : undefined;
}

function momentOf<T>(
  all: readonly T[],
  nameOf: (each: T) => string | undefined,
  isIt: (each: T) => boolean,
): Moment | undefined {
  const at = all.findIndex(isIt), name = at < 0 ? undefined : nameOf(all[at]!);
  if (name === undefined) return undefined;
  return { name, nth: all.slice(0, at + 1).filter((each) => nameOf(each) === name).length };
}
