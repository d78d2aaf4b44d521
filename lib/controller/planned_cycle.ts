import type { Logger } from "../base/log.ts";
import type { Mask } from "../base/mask.ts";
import { formatKey, keyOf, type KubeObject, type ObjectKey } from "../apimachinery/object.ts";
import type { ApiResource } from "../apimachinery/resource.ts";
import type { Client } from "../client/mod.ts";
import { detectCause } from "../handling/cause.ts";
import { type Outcome, outcomeOfError } from "../handling/outcome.ts";
import { Cycle, type CycleHost } from "./cycle.ts";
import type { EventPoster, EventSink } from "./event_recorder.ts";
import { KeyMemory } from "./key_memory.ts";
import { type PlannedWrite, PlanningClient } from "./planning_client.ts";

/** An Event that a cycle would post about its object. */
export interface PlannedEvent {
  /** Whether something is wrong. */
  readonly type: "Normal" | "Warning";
  /** CamelCase word for programs. */
  readonly reason: string;
  /** The same for people. */
  readonly message: string;
}

/** What one reconcile of one object would do. */
export interface PlannedCycle {
  /** The kind of the object. */
  readonly kind: ApiResource;
  /** Which object. */
  readonly key: ObjectKey;
  /** Whether it would be converged or, since it is being deleted, cleaned up after. */
  readonly cause: "reconcile" | "delete";
  /** Every write, in order. */
  readonly writes: readonly PlannedWrite[];
  /** Every Event, in order. */
  readonly events: readonly PlannedEvent[];
  /** How the reconcile would end. */
  readonly outcome: Outcome;
}

/**
 * Runs one cycle with a client whose writes are dry runs, and tells what it would have written. Its handlers run for real: what they
 * do to anything but the cluster happens, unless they heed `context.dryRun`. Undefined where the object is none of the operator's
 * business.
 *
 * @throws the signal's reason where it aborts.
 */
export async function planCycle<T extends KubeObject, Spec, Status extends object>(
  host: CycleHost<T, Spec, Status>,
  object: T,
  client: Client,
  log: Logger,
  signal: AbortSignal,
): Promise<PlannedCycle | undefined> {
  const { declaration: { kind }, finalizer, takesOver } = host;
  const cause = detectCause(object, { finalizer, takesOver, needsFinalizer: host.holds(object) });
  if (cause.kind === "gone") return undefined;
  const memory = new KeyMemory(object, host.clock.now());
  const planning = new PlanningClient(client, signal), events = new PlannedEvents(), key = keyOf(object);
  const plan = {
    key: formatKey(key),
    object,
    cause,
    reasons: new Set(["plan"]),
    reconcile: true,
    timers: [],
    stalled: false,
    reports: [],
    // As in an operator that runs already: what it resumed, it resumed long ago.
    pass: { resumed: true, resuming: {}, cleaned: false },
    memo: <M>(create: () => M) => memory.memo(create),
  };
  const outcome = await new Cycle({ ...host, events }, plan, planning, log, signal).run()
    .then((report) => report.outcome, (error) => {
      signal.throwIfAborted();
      return outcomeOfError(error);
    });
  // What is planned is printed: values of Secrets stand in other kinds, in messages and Events as well.
  const { mask } = client, writes = planning.planned.map((write) => ({ ...write, changes: mask.json(write.changes) }));
  return {
    kind,
    key,
    cause: cause.kind,
    writes,
    events: mask.json(events.planned),
    outcome: maskOutcome(outcome, mask),
  };
}

function maskOutcome(outcome: Outcome, mask: Mask): Outcome {
  return "message" in outcome ? { ...outcome, message: mask.text(outcome.message) } : outcome;
}

/** Keeps what would be posted. */
class PlannedEvents implements EventSink {
  readonly planned: PlannedEvent[] = [];

  poster(): { poster: EventPoster; flush: () => Promise<void> } {
    const add = (type: PlannedEvent["type"]) => (reason: string, message: string) =>
      void this.planned.push({ type, reason, message });
    return { poster: { normal: add("Normal"), warning: add("Warning") }, flush: () => Promise.resolve() };
  }
}
