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

const BEGIN = "<!-- conformance: written by `deno task conformance --recorded --write-docs` -->";
const END = "<!-- /conformance -->";

/** The page with the figures of these results between its marks. */
export function withSection(page: string, results: readonly Compared[]): string {
  const before = page.slice(0, page.indexOf(BEGIN) + BEGIN.length), after = page.slice(page.indexOf(END));
  return `${before}\n${section(results)}${after}`;
}

function section(results: readonly Compared[]): string {
  const open = results.filter((result) => !agrees(result) && result.accepted === "open");
  const reasons = new Map<string, number>();
  for (const { difference, accepted } of results) {
    if (difference && accepted && accepted !== "open") reasons.set(accepted, (reasons.get(accepted) ?? 0) + 1);
  }
  const lenient = open.filter(({ difference }) => difference?.kind === "lenient").length;
  return [
    `${results.filter(agrees).length} of ${results.length} cases are answered as by kube-apiserver 1.37.2:`,
    "",
    "| area | cases | agree |",
    "|---|--:|--:|",
    ...[...new Set(results.map(({ area }) => area))].map((area) => {
      const own = results.filter((result) => result.area === area);
      return `| ${area.replaceAll("_", " ")} | ${own.length} | ${own.filter(agrees).length} |`;
    }),
    "",
    ...reasons.size > 0 ? ["These differences are accepted:", ""] : [],
    ...[...reasons].map(([reason, count]) => `- ${reason}${count > 1 ? ` (${count} cases)` : ""}`),
    ...reasons.size > 0 ? [""] : [],
    ...open.length > 0
      ? [
        `${open.length} other differences are open, listed in \`tests/conformance/open_differences.json\`. In ${lenient} of them`,
        "the embedded server accepts what a cluster refuses.",
        "",
      ]
      : [],
  ].join("\n");
}
