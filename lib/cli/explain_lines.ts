import { formatDuration } from "../base/mod.ts";
import { formatGroupResource, formatKey } from "../apimachinery/mod.ts";
import type { JournalEntry, JournalRead, JournalWrite } from "../controller/mod.ts";
import type { Explanation } from "./explain_route.ts";
import { FIELD, fieldText } from "./plan_lines.ts";
import { paint, type Terminal } from "./terminal.ts";

/** What one process said. */
export interface Answer {
  readonly place: string;
  readonly explanation: Explanation;
}

type Style = Parameters<typeof paint>[1];

interface Line {
  readonly text: string;
  readonly style?: Style;
}

/** One block per reconcile, the newest last. Whole lines, which terminals wrap: what is cut off may be the cause. */
export function explanationLines(
  object: string,
  answers: readonly Answer[],
  terminal: Pick<Terminal, "color">,
): string[] {
  const lines: Line[] = answers.flatMap(({ place, explanation }) => stateLines(object, explanation, place));
  const passes = answers.flatMap(({ place, explanation: { entries } }) =>
    entries.map((entry) => ({ entry, place: answers.length > 1 ? place : undefined }))
  ).sort((one, other) => one.entry.startMs - other.entry.startMs);
  for (const { entry, place } of passes) lines.push({ text: "" }, ...passLines(entry, place));
  return lines.map(({ text, style }) => style ? paint(terminal, style, text) : text);
}

const PHASES = {
  pending: "not reconciled yet",
  converging: "reconciled",
  failing: "failing",
  givenUp: "given up until it changes",
  deleting: "being deleted",
  released: "left to another finalizer",
} as const;

function stateLines(object: string, { present, entries, dropped, nowMs }: Explanation, place: string): Line[] {
  const phase = present ? PHASES[present.phase] : "not handled now";
  const lines: Line[] = [{ text: `${object}: ${phase}, by ${place}`, style: "bold" }];
  const { next, hot = [] } = present ?? {};
  if (present) {
    lines.push({ text: field("next", next ? `${next.reason} ${whenText(next.atMs, nowMs)}` : "only a change") });
  }
  for (const target of hot) lines.push({ text: field("hot", `written again and again: ${target}`), style: "red" });
  if (dropped > 0) lines.push({ text: field("before", `${count(dropped, "earlier reconcile")} forgotten`) });
  if (entries.length === 0) lines.push({ text: field("before", "no reconcile is remembered") });
  return lines;
}

function passLines(entry: JournalEntry, place: string | undefined): Line[] {
  const { startMs, durationMs, cause, reasons, reads, writes, omitted = 0, result, error, failures, next } = entry;
  const isBad = error !== undefined, took = formatDuration(Math.round(durationMs));
  const by = place ? `, by ${place}` : "";
  const lines: Line[] = [
    { text: `${timeText(startMs)} ${cause}: ${RESULTS[result]} in ${took}${by}`, style: isBad ? "red" : "green" },
    ...labelled("why", reasons.length > 0 ? reasons : ["its own state was due"]),
    ...labelled("read", reads.map(readText)),
    ...writes.flatMap(writeLines),
  ];
  if (writes.length === 0) lines.push({ text: field("wrote", "nothing") });
  if (omitted > 0) lines.push({ text: field("", `${omitted} more not shown`) });
  if (error) lines.push({ text: field("failed", error), style: "red" });
  if (failures > 0) lines.push({ text: field("retries", count(failures, "failure") + " in a row") });
  lines.push({
    text: field("next", next ? `${next.reason} ${whenText(next.atMs, startMs + durationMs)}` : "only a change"),
  });
  return lines;
}

/** Controller-runtime's words are for dashboards. */
const RESULTS = {
  success: "done",
  requeue_after: "done, and due again",
  error: "failed, to be tried again",
  failed: "failed for good",
  interrupted: "interrupted",
} as const;

function readText({ object, from, version, count: objects, error }: JournalRead): string {
  const where = from === "cache" ? "in memory" : "from the server";
  if (error) return `${object} ${where}: ${error}`;
  if (objects !== undefined) return `${object}: ${count(objects, "object")} ${where}`;
  return version === null ? `${object}: none ${where}` : `${object} at ${version ?? "an unknown version"} ${where}`;
}

function writeLines({ verb, name, namespace, subresource, before, version, isNew, ...write }: JournalWrite): Line[] {
  const object = `${formatGroupResource(write)} ${formatKey({ namespace, name })}${
    subresource ? `/${subresource}` : ""
  }`;
  const versions = isNew ? `new at ${version}` : [before, version].filter(Boolean).join(" → ");
  const note = write.error ? "" : verb === "delete" ? "" : versions && ` (${versions})`;
  const lines: Line[] = [{ text: field("wrote", `${verb} ${object}${note}`), style: write.error ? "red" : "cyan" }];
  if (write.error) lines.push({ text: field("", `refused: ${write.error}`), style: "red" });
  const { changes = [], isSent } = write;
  if (changes.length === 0 && !write.error && verb !== "delete" && !isSent) {
    lines.push({ text: field("", "  changed nothing") });
  }
  for (const change of changes) {
    const { sign, style } = FIELD[change.operation];
    const hidden = change.old === undefined && change.next === undefined;
    const text = hidden ? `${change.path.join(".")} (you may not read its value)` : fieldText(change);
    lines.push({ text: field("", `  ${isSent ? "sent" : sign} ${text}`), style });
  }
  return lines;
}

function labelled(label: string, texts: readonly string[]): Line[] {
  return texts.map((text, index) => ({ text: field(index === 0 ? label : "", text) }));
}

function field(label: string, text: string): string {
  return `  ${label.padEnd(8)}${text}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** UTC, as logs have it. */
function timeText(atMs: number): string {
  return new Date(atMs).toISOString().replace("T", " ").replace("Z", "");
}

function whenText(atMs: number, nowMs: number): string {
  const inMs = atMs - nowMs;
  return inMs <= 0 ? "now" : `in ${formatDuration(Math.round(inMs))}`;
}
