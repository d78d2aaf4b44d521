import { formatDuration, formatJson } from "../base/mod.ts";
import { html, type Markup } from "./report_html_markup.ts";
import type { ReportBudget } from "./report_html_budget.ts";
import type { ScenarioResult } from "./result.ts";

/** Kinds of rows: each has a word, a filter with a label, and a color. */
export const ROW_KINDS = {
  step: { word: "step", label: "steps" },
  operator: { word: "operator", label: "operator's writes" },
  scenario: { word: "scenario", label: "scenario's writes" },
  event: { word: "Event", label: "Events" },
  error: { word: "error", label: "log: error" },
  warn: { word: "warn", label: "log: warn" },
  info: { word: "info", label: "log: info" },
  debug: { word: "debug", label: "log: debug" },
} as const;

type RowKind = keyof typeof ROW_KINDS;

interface TimelineRow {
  readonly kind: RowKind;
  readonly startMs: number;
  /** Orders what happened in the same millisecond. */
  readonly order: number;
  readonly endMs?: number;
  readonly what: string;
  /** Computed only if shown: most of a long record is not. */
  readonly more: () => string | undefined;
  readonly isFailure: boolean;
}

/** What the bars of a timeline are drawn on. */
interface Axis {
  readonly startMs: number;
  readonly spanMs: number;
}

const TEXT_LENGTH_MAX = 2_000;
const AXIS_WIDTH = 1_000;
const BAR_MIN = 4;

/** Events come last in their millisecond, because other processes time them. */
export function rowsOf(result: ScenarioResult): TimelineRow[] {
  const { steps, writes, logs, events } = result, recordEndMs = recordEndOf(result);
  const rows: TimelineRow[] = [
    ...steps.map(({ kind, title, startMs, order, endMs: ended, failure }) => ({
      kind: "step" as const,
      startMs,
      order,
      endMs: ended ?? recordEndMs,
      what: `${kind} ${title}`,
      more: () => failure ?? (ended === undefined ? "it did not finish" : undefined),
      isFailure: failure !== undefined,
    })),
    ...writes.map(({ by, method, path, name, status, atMs, order, tookMs }) => ({
      kind: by,
      startMs: atMs,
      order,
      endMs: atMs + tookMs,
      what: `${method} ${path.replace(/(?<=[?&])fieldManager=[^&]*&?|[?&]fieldManager=[^&]*$/, "")}`,
      more: () => `${name ? `${name} ` : ""}${status ?? "no response"}`,
      isFailure: status === undefined || status >= 400,
    })),
    ...events.map(({ type, reason, note, regarding, atMs }) => ({
      kind: "event" as const,
      startMs: atMs,
      order: Number.MAX_SAFE_INTEGER,
      what: `${reason}: ${note}`,
      more: () => regarding,
      isFailure: type === "Warning",
    })),
    ...logs.map(({ level, message, fields, atMs, order }) => ({
      kind: level,
      startMs: atMs,
      order,
      what: message,
      more: () => Object.entries(fields).map(([key, value]) => `${key}=${fieldText(value)}`).join(" "),
      isFailure: level === "error",
    })),
  ];
  return rows.sort((a, b) => a.startMs - b.startMs || a.order - b.order);
}

/** The timeline within the budget: all steps, and the first and last of the other rows. */
export function timelineTable(result: ScenarioResult, budget: ReportBudget): Markup {
  const all = rowsOf(result),
    rows = within(all, budget.rowsOf(result)),
    leftOut = all.length - rows.length + result.dropped,
    axis = { startMs: result.startMs, spanMs: Math.max(1, recordEndOf(result) - result.startMs) };
  if (all.length === 0) return html`<p class="quiet">Nothing was recorded.</p>`;
  return html`
    <table class="timeline">
      <thead>
        <tr>
          <th scope="col">at</th>
          <th scope="col">kind</th>
          <th scope="col">what</th>
          <th scope="col">from 0 to ${formatDuration(axis.spanMs)}</th>
        </tr>
      </thead>
      <tbody>${rows.map((row) => rowMarkup(row, axis, budget))}</tbody>
    </table>${leftOut > 0 ? html`<p class="quiet">${leftOut} more entries are left out.</p>` : ""}
  `;
}

function rowMarkup(row: TimelineRow, axis: Axis, budget: ReportBudget): Markup {
  const { kind, startMs, endMs, what, isFailure } = row, more = row.more();
  const took = kind === "step" ? html`<span class="took">${formatDuration(endMs! - startMs)}</span>` : "";
  return html`
    <tr class="row-${kind}${isFailure ? " bad" : ""}">
      <td class="at">${offset(startMs - axis.startMs)}</td>
      <td class="kind">${ROW_KINDS[kind].word}</td>
      <td class="what"><span>${budget.text(what, TEXT_LENGTH_MAX)}</span>${took}${more
        ? html`<span class="more">${budget.text(more, TEXT_LENGTH_MAX)}</span>`
        : ""}</td>
      <td class="axis">${bar(row, axis)}</td>
    </tr>
  `;
}

/** Drawn by attributes, because the page's policy forbids styles. */
function bar({ startMs, endMs }: TimelineRow, axis: Axis): Markup {
  const at = (ms: number) =>
    Math.min(AXIS_WIDTH, Math.max(0, Math.round(((ms - axis.startMs) / axis.spanMs) * AXIS_WIDTH)));
  const width = Math.max(BAR_MIN, at(endMs ?? startMs) - at(startMs)), x = Math.min(at(startMs), AXIS_WIDTH - width);
  return html`
    <svg viewBox="0 0 ${AXIS_WIDTH} 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" y="4.5" width="${AXIS_WIDTH}" height="1" />
      <rect x="${x}" width="${width}" height="10" />
    </svg>
  `;
}

function recordEndOf({ endMs, recordEndMs = endMs }: ScenarioResult): number {
  return recordEndMs;
}

function within(rows: readonly TimelineRow[], rowsMax: number): readonly TimelineRow[] {
  const steps = rows.filter(({ kind }) => kind === "step").slice(0, rowsMax), rest = rowsMax - steps.length;
  const others = rows.filter(({ kind }) => kind !== "step");
  if (others.length <= rest) return rows;
  const half = Math.ceil(rest / 2);
  const kept = new Set<TimelineRow>([
    ...steps,
    ...others.slice(0, half),
    ...(rest > half ? others.slice(half - rest) : []),
  ]);
  return rows.filter((row) => kept.has(row));
}

function offset(ms: number): string {
  return `+${(ms / 1_000).toFixed(3)}`;
}

function fieldText(value: unknown): string {
  return typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : formatJson(value);
}
