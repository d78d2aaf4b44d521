import { cutToWidth, formatDuration } from "../base/mod.ts";
import type { DemoView } from "./demo_scenario.ts";
import { paint, type Terminal } from "./terminal.ts";

export interface StepState {
  readonly title: string;
  readonly tookMs?: number;
}

const MARKS = {
  source: ["◆", "cyan"],
  waiting: ["·", "dim"],
  outdated: ["↻", "yellow"],
  current: ["✓", "green"],
} as const;

/** A demo's picture: the steps so far, then every namespace. Never wider than the terminal. */
export function picture(
  terminal: Terminal,
  title: string,
  steps: readonly StepState[],
  view: DemoView | undefined,
): string {
  const width = Math.max(20, terminal.columns() - 1);
  const lines = [paint(terminal, "bold", cutToWidth(title, width)), ""];
  for (const { title, tookMs } of steps) {
    const took = tookMs === undefined ? "" : `  ${formatDuration(tookMs)}`;
    const mark = tookMs === undefined ? paint(terminal, "yellow", "…") : paint(terminal, "green", "✓");
    lines.push(`${mark} ${cutToWidth(title, width - 2 - took.length)}${paint(terminal, "dim", took)}`);
  }
  lines.push("");
  const nameWidth = Math.min(Math.max(0, ...(view?.rows ?? []).map(({ name }) => name.length)), Math.floor(width / 2));
  for (const { name, state, detail } of view?.rows ?? []) {
    const [mark, style] = MARKS[state];
    const text = `${cutToWidth(name, nameWidth).padEnd(nameWidth)}  `;
    lines.push(
      `${paint(terminal, style, mark)} ${text}${paint(terminal, "dim", cutToWidth(detail, width - nameWidth - 4))}`,
    );
  }
  return lines.join("\n");
}
