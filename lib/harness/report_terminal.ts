import { type Clock, cutToWidth, formatDuration, printable, textWidth, type TimerHandle } from "../base/mod.ts";
import { type Paint, scenarioLines } from "./report_lines.ts";
import type { ScenarioOutcome, ScenarioResult } from "./result.ts";
import type { PlannedScenario, RunListener } from "./runner.ts";
import type { StepKind } from "./timeline.ts";

/** A terminal's last lines, which are redrawn, below lines that stay. */
export interface LiveArea {
  /** Replaces the picture. */
  draw(picture: string): void;
  /** Prints lasting lines above; the picture is gone until it is drawn again. */
  print(lines: string): void;
  /** Removes the picture. */
  clear(): void;
  /** Leaves the picture and releases the terminal. */
  end(): void;
}

/** Options of {@linkcode TerminalReporter}. */
export interface TerminalReporterOptions {
  /** Where it draws. */
  readonly area: LiveArea;
  /** Current columns: the terminal may be resized. */
  readonly columns: () => number;
  /** Colors text. */
  readonly paint: Paint;
  /** Turns the spinner and measures durations. */
  readonly clock: Clock;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 120;
/** Running scenarios that are shown; others are counted. */
const SHOWN_MAX = 8;
/** Narrowest picture; a narrower terminal cuts lines itself. */
const WIDTH_MIN = 16;

interface Running {
  readonly startMs: number;
  step: string;
}

export interface Progress {
  readonly stage: string | undefined;
  readonly planned: number;
  readonly ended: Readonly<Record<ScenarioOutcome["kind"], number>>;
  readonly running: readonly { readonly name: string; readonly step: string; readonly tookMs: number }[];
  readonly tookMs: number;
  readonly isEnding: boolean;
}

/**
 * Shows a run on a terminal: a line per ended scenario, failures at length, and below a picture of what runs, with
 * spinner, steps and seconds. Dispose it after every run.
 */
export class TerminalReporter implements RunListener, Disposable {
  readonly #options: TerminalReporterOptions;
  readonly #beganMs: number;
  readonly #running = new Map<PlannedScenario, Running>();
  readonly #ended: Record<ScenarioOutcome["kind"], number> = { passed: 0, failed: 0, skipped: 0, interrupted: 0 };
  #planned = 0;
  #stage: string | undefined;
  #isEnding = false;
  #isOver = false;
  #timer: TimerHandle | undefined;

  /** Draws nothing yet. */
  constructor(options: TerminalReporterOptions) {
    this.#options = options;
    this.#beganMs = options.clock.now();
  }

  /** See {@linkcode RunListener.onBegin}. */
  onBegin(planned: readonly PlannedScenario[]): void {
    this.#planned = planned.length;
    this.#tick();
  }

  /** See {@linkcode RunListener.onStage}. */
  onStage(what: string | undefined): void {
    this.#stage = what;
    this.#draw();
  }

  /** See {@linkcode RunListener.onScenarioBegin}. */
  onScenarioBegin(planned: PlannedScenario): void {
    this.#running.set(planned, { startMs: this.#options.clock.now(), step: "" });
    this.#draw();
  }

  /** See {@linkcode RunListener.onStep}. The next frame shows it: steps may be too fast to read. */
  onStep(planned: PlannedScenario, kind: StepKind, title: string, ended: boolean): void {
    const running = this.#running.get(planned);
    if (running) running.step = ended ? "" : `${kind} ${title}`;
  }

  /** See {@linkcode RunListener.onScenarioEnd}. */
  onScenarioEnd(planned: PlannedScenario, result: ScenarioResult): void {
    this.#running.delete(planned);
    this.#ended[result.outcome.kind]++;
    this.#options.area.print(`${scenarioLines(result, this.#options.paint).join("\n")}\n`);
    this.#draw();
  }

  /** Shows that the run was interrupted: ending takes a while. */
  onInterrupt(): void {
    this.#isEnding = true;
    this.#draw();
  }

  /** Removes the picture and releases the terminal. */
  [Symbol.dispose](): void {
    const { clock, area } = this.#options;
    if (this.#timer) clock.clear(this.#timer);
    this.#timer = undefined;
    this.#isOver = true;
    area.clear();
    area.end();
  }

  #tick(): void {
    this.#draw();
    this.#timer = this.#options.clock.schedule(() => this.#tick(), FRAME_MS);
  }

  #draw(): void {
    if (this.#isOver) return; // after the run, Ctrl-C while reports are written does not redraw
    const { area, clock, columns, paint } = this.#options, nowMs = clock.now();
    const running = [...this.#running].map(([{ suite, scenario }, { startMs, step }]) => ({
      name: `${suite.name}: ${scenario.name}`,
      step,
      tookMs: nowMs - startMs,
    }));
    const tookMs = nowMs - this.#beganMs;
    const progress: Progress = {
      stage: this.#stage,
      planned: this.#planned,
      ended: this.#ended,
      running,
      tookMs,
      isEnding: this.#isEnding,
    };
    area.draw(progressPicture(progress, columns(), paint));
  }
}

/** A picture of a run. Lines are narrower than the terminal; the last column stays free. */
export function progressPicture(progress: Progress, columns: number, paint: Paint): string {
  const width = Math.max(WIDTH_MIN, columns - 1), { running, stage, isEnding } = progress;
  const frame = FRAMES[Math.floor(progress.tookMs / FRAME_MS) % FRAMES.length]!;
  const lines = [`${paint("cyan", frame)} ${counts(progress, width - 2, paint)}`];
  if (isEnding) {
    lines.push(paint("yellow", cutToWidth("  stopping: cleaning up; Ctrl-C again leaves all as it is", width)));
  }
  if (stage !== undefined) lines.push(paint("dim", cutToWidth(`  … ${printable(stage)}`, width)));
  for (const { name, step, tookMs } of running.slice(0, SHOWN_MAX)) {
    const took = `  ${seconds(tookMs)}`, widthLeft = width - 2 - took.length;
    // The step changes, so the name yields space to it.
    const nameWidth = step === ""
      ? widthLeft
      : Math.max(Math.floor(widthLeft / 2), widthLeft - 2 - textWidth(printable(step)));
    const shown = cutToWidth(printable(name), nameWidth);
    const stepWidth = widthLeft - textWidth(shown) - 2;
    const shownStep = step === "" || stepWidth < 4 ? "" : `  ${cutToWidth(printable(step), stepWidth)}`;
    lines.push(`  ${shown}${paint("dim", `${shownStep}${took}`)}`);
  }
  if (running.length > SHOWN_MAX) lines.push(paint("dim", `  and ${running.length - SHOWN_MAX} more`));
  return lines.join("\n");
}

function counts({ planned, ended, running, tookMs }: Progress, width: number, paint: Paint): string {
  const { passed, failed, skipped, interrupted } = ended;
  const left = planned - passed - failed - skipped - interrupted - running.length;
  const parts: [string, Parameters<Paint>[0]][] = [
    [`${passed} passed`, "green"],
    ...(failed > 0 ? [[`${failed} failed`, "red"] as [string, "red"]] : []),
    ...(skipped > 0 ? [[`${skipped} skipped`, "yellow"] as [string, "yellow"]] : []),
    [`${running.length} running`, "bold"],
    [`${left} to go`, "dim"],
    [seconds(tookMs), "dim"],
  ];
  let text = "", used = 0;
  for (const [part, style] of parts) {
    const gap = used === 0 ? 0 : 2;
    if (used + gap + part.length > width) break;
    text += " ".repeat(gap) + paint(style, part);
    used += gap + part.length;
  }
  return text;
}

/** Whole seconds change less often than frames. */
function seconds(ms: number): string {
  return ms < 1_000 ? "0s" : formatDuration(Math.floor(ms / 1_000) * 1_000);
}
