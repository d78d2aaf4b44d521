import { formatDuration, formatJson, truncate } from "../base/mod.ts";
import { formatKey } from "../apimachinery/mod.ts";
import type { ObjectChange, PlannedPass, PlannedWrite } from "../controller/mod.ts";
import type { Outcome } from "../handling/mod.ts";
import { paint, type Terminal } from "./terminal.ts";

const VALUE_LENGTH_MAX = 160;

type Effect = "create" | "change" | "delete" | "nothing";

const SIGNS = { create: "+", change: "~", delete: "-", nothing: "=" } as const satisfies Record<Effect, string>;
const STYLES = { create: "green", change: "yellow", delete: "red", nothing: "dim" } as const satisfies Record<
  Effect,
  string
>;
export const FIELD = {
  add: { sign: "+", style: "green" },
  change: { sign: "~", style: "yellow" },
  remove: { sign: "-", style: "red" },
} as const;

function effectOf({ verb, exists, changes }: PlannedWrite): Effect {
  if (verb === "delete") return "delete";
  if (!exists) return "create";
  return changes.length > 0 ? "change" : "nothing";
}

export function passLines(pass: PlannedPass, terminal: Pick<Terminal, "color">): string[] {
  const { kind, key, cause, writes, events, outcome } = pass, ending = endingOf(outcome);
  if (writes.length === 0 && events.length === 0 && outcome.kind === "done") return [];
  const lines = [paint(terminal, "bold", `${kind.kind.toLowerCase()} ${formatKey(key)}: ${cause}`)];
  for (const write of writes) lines.push(...writeLines(write, terminal));
  for (const { type, reason, message, about } of events) {
    lines.push(`  event ${type} ${reason}${about ? ` about ${about}` : ""}: ${message}`);
  }
  if (ending) lines.push(`  ${paint(terminal, outcome.kind === "done" ? "dim" : "red", ending)}`);
  return lines;
}

function writeLines(write: PlannedWrite, terminal: Pick<Terminal, "color">): string[] {
  const { resource, key, subresource, changes, checked } = write, effect = effectOf(write);
  const notes = [
    subresource,
    checked ? undefined : "not checked by the server",
    ...effect === "nothing" ? ["a write that changes nothing"] : [],
  ]
    .filter((note) => note !== undefined);
  const name = `${resource.kind.toLowerCase()} ${formatKey(key)}${notes.length > 0 ? ` (${notes.join(", ")})` : ""}`;
  const fields = changes.map((change) => {
    const { sign, style } = FIELD[change.operation];
    return `      ${paint(terminal, style, `${sign} ${fieldText(change)}`)}`;
  });
  return [`  ${paint(terminal, STYLES[effect], SIGNS[effect])} ${name}`, ...fields];
}

/** `data.size: "1" → "2"`; quotes a key that has a dot. */
export function fieldText({ operation, path, old, next }: ObjectChange): string {
  const at = path.map((key) => /^[\w-]+$/.test(key) ? key : formatJson(key)).join(".");
  const values = { add: [next], remove: [old], change: [old, next] }[operation].map(valueText);
  return `${at}: ${values.join(" → ")}`;
}

function valueText(value: unknown): string {
  const text = formatJson(value);
  return text.length > VALUE_LENGTH_MAX ? `${truncate(text, VALUE_LENGTH_MAX)}… (${text.length} characters)` : text;
}

function endingOf(outcome: Outcome): string | undefined {
  if (outcome.kind === "done") {
    return outcome.requeueAfterMs === undefined ? undefined : `again after ${formatDuration(outcome.requeueAfterMs)}`;
  }
  const next = outcome.kind === "failed" ? "not tried again until it changes" : "tried again later";
  return `fails: ${outcome.reason}: ${outcome.message} (${next})`;
}

/** `3 objects: 2 to create, 1 to change; nothing was written`. */
export function planSummary(passes: readonly PlannedPass[]): string {
  const writes = passes.flatMap((pass) => pass.writes.map(effectOf));
  const parts = (["create", "change", "delete"] as const).flatMap((effect) => {
    const count = writes.filter((each) => each === effect).length;
    return count > 0 ? [`${count} to ${effect}`] : [];
  });
  const useless = writes.filter((each) => each === "nothing").length;
  if (useless > 0) parts.push(`${useless} written without need`);
  const failing = passes.filter(({ outcome }) => outcome.kind !== "done").length;
  if (failing > 0) parts.push(`${failing} failing`);
  const objects = `${passes.length} object${passes.length === 1 ? "" : "s"} checked`;
  return `${objects}: ${parts.length > 0 ? parts.join(", ") : "nothing to do"}; nothing was written`;
}
