import { cutText } from "../base/mod.ts";
import type { HandlerFailure } from "../handling/mod.ts";
import type { ReadyCondition } from "./report.ts";
import type { StatusDraft } from "./status_draft.ts";

/** The reason of Ready where the server refuses the status; it ends with the next status that is written. */
export const STATUS_REFUSED = "StatusRefused";
/** The API takes 32,768 characters; a list of handlers should stay readable. */
const MESSAGE_LENGTH_MAX = 8_192;

interface ConditionFacts {
  /** Current failures, those of change handlers first. */
  readonly handlerFailures: readonly HandlerFailure[];
  readonly generation: number | undefined;
  /** The generation that the handlers have seen or do not match. */
  readonly seen: number | undefined;
  /** Whether every matching handler is decided for this generation, and none waits. */
  readonly settled: boolean;
  /** Whether a handler ran in this pass, or before a status that could not be written; it may set Ready itself. */
  readonly ran: boolean;
  /** The Ready that handlers set in their last run. */
  readonly ready: ReadyCondition | undefined;
  /** Whether the present Ready may report handlers that no longer fail. */
  readonly stale: boolean;
  /** Objects written again and again without converging. */
  readonly hot: readonly string[];
}

/**
 * Sets Ready, Stalled and `observedGeneration` (docs/decisions/019-what-ready-means.md).
 *
 * Ready is False while handlers fail or have given up, and names them all. Else it is what handlers set, or True. Its
 * generation is the one that the handlers have seen: no newer one is reported before.
 */
export function setEngineConditions<Status extends object>(draft: StatusDraft<Status>, facts: ConditionFacts): void {
  const { handlerFailures, seen, generation, settled, ran, ready, hot } = facts;
  const present = presentReady(draft),
    stale = facts.stale || present?.reason === STATUS_REFUSED,
    observed = seen ?? present?.observedGeneration;
  if (handlerFailures.length > 0) {
    draft.conditionOf(observed, { type: "Ready", status: "False", ...describeFailures(handlerFailures) });
  } else if (settled && !draft.hasSet("Ready")) {
    if (ready && (ran || stale)) draft.conditionOf(observed, { type: "Ready", ...ready });
    else if (ran || stale || !present) {
      draft.conditionOf(observed, { type: "Ready", status: "True", reason: "Reconciled", message: "" });
    } else draft.conditionOf(observed, { ...present, message: present.message ?? "" });
  }
  if (hot.length > 0) {
    const names = hot.slice(0, 5).join(", ") + (hot.length > 5 ? ` and ${hot.length - 5} more` : "");
    draft.condition({
      type: "Stalled",
      status: true,
      reason: "HotLoop",
      message: `written again and again without converging: ${names}`,
    });
  } else if (draft.conditions.some((each) => each.type === "Stalled" && each.reason === "HotLoop")) {
    draft.removeCondition("Stalled");
  }
  if (settled && seen === generation) draft.observe();
}

/** A single handler's own words, or all with their names. */
function describeFailures(handlerFailures: readonly HandlerFailure[]): { reason: string; message: string } {
  const [first] = handlerFailures, several = handlerFailures.length > 1;
  const texts = handlerFailures.map(({ handler, message }) =>
    several && !message.startsWith(`${handler}: `) ? `${handler}: ${message}` : message
  );
  return { reason: first!.reason, message: cutText(texts.join("; "), MESSAGE_LENGTH_MAX) };
}

function presentReady<Status extends object>(draft: StatusDraft<Status>) {
  return draft.conditions.find(({ type }) => type === "Ready");
}
