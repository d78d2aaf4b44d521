import { formatJson } from "../../lib/base/mod.ts";
import type { DifferenceKind } from "./agreement.ts";
import type { Compared } from "./comparison.ts";
import type { Step } from "./script.ts";

const KINDS: readonly DifferenceKind[] = ["lenient", "strict", "code", "message", "content"];
const VALUE_MAX = 400;

/** The first difference, on some lines. */
export function describeDifference({ area, script, difference }: Compared): string {
  if (!difference) return `${area}: ${script.name}: agrees`;
  const { step, kind, path, real, embedded } = difference;
  return [
    `${area}: ${script.name}`,
    `  ${kind}, step ${step} (${stepText(script.steps[step - 1]!)}), ${path}`,
    `  real:     ${shown(real)}`,
    `  embedded: ${shown(embedded)}`,
  ].join("\n");
}

function stepText(step: Step): string {
  if ("method" in step) return `${step.method} ${step.path}`;
  if ("watch" in step) return `watch ${step.path}`;
  return "events" in step ? `events of ${step.events}` : `until ${step.until}`;
}

function shown(value: unknown): string {
  const text = value === undefined ? "absent" : formatJson(value);
  return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX)}…` : text;
}

/** A line per area: how many scripts agree, and how the others differ. */
export function areaTable(results: readonly Compared[]): string[] {
  const rows = [["area", "cases", "agree", ...KINDS]];
  for (const area of new Set(results.map(({ area }) => area))) {
    const own = results.filter((result) => result.area === area);
    const count = (kind: DifferenceKind) => String(own.filter(({ difference }) => difference?.kind === kind).length);
    rows.push([area, String(own.length), String(own.filter(agrees).length), ...KINDS.map(count)]);
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join("  ")
  );
}

export function agrees({ difference }: Compared): boolean {
  return difference === undefined;
}
