import { type Clock, cutToWidth, formatDuration, printable } from "../base/mod.ts";
import type { ExploreOptions } from "../explore/mod.ts";
import type { LiveArea } from "../harness/mod.ts";

/** Time between two pictures. */
const REDRAW_MS = 200;
/** A shorter name tells nothing. */
const NAME_MIN = 8;

interface ExploreProgressOptions {
  readonly area: LiveArea;
  /** Current columns: the terminal may be resized. */
  readonly columns: () => number;
  readonly clock: Clock;
  /** How many are explored, one after the other. */
  readonly scenarios: number;
}

/** Plans of one scenario. */
type ExploredPlans = Parameters<NonNullable<ExploreOptions["onPlan"]>>[0];

/** How far an exploration is: plans, plans per second, failures and time left, on the terminal's last line. */
export class ExploreProgress implements Disposable {
  readonly #options: ExploreProgressOptions;
  readonly #startMs: number;
  #drawnMs = -Infinity;
  /** Scenarios that have ended, and their plans. */
  #ended = 0;
  #plans = 0;
  #failed = 0;

  constructor(options: ExploreProgressOptions) {
    this.#options = options;
    this.#startMs = options.clock.elapsed();
  }

  /** Called after each plan of a scenario. */
  update(name: string, { done, all, failed }: ExploredPlans): void {
    const { clock, area, columns, scenarios } = this.#options, nowMs = clock.elapsed();
    if (nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    const ran = this.#plans + done, perMs = ran / Math.max(1, nowMs - this.#startMs);
    // Scenarios that have not begun count with the mean of the others.
    const expected = (this.#plans + all) / (this.#ended + 1) * scenarios, leftMs = (expected - ran) / perMs;
    const counts = `${done}/${all} plans, ${Math.round(perMs * 1_000)} plans/s, ${this.#failed + failed} failed, ${
      formatDuration(Math.ceil(leftMs / 1_000) * 1_000)
    } left`;
    const head = `${this.#ended + 1}/${scenarios}`, width = columns() - head.length - counts.length - 4;
    const line = width < NAME_MIN ? `${head} ${counts}` : `${head} ${cutToWidth(printable(name), width)}  ${counts}`;
    area.draw(cutToWidth(line, columns() - 1));
  }

  /** A scenario has ended after so many plans. Clears the line. */
  end(plans: number, failed: number): void {
    this.#ended++;
    this.#plans += plans;
    this.#failed += failed;
    this.#drawnMs = -Infinity;
    this.#options.area.clear();
  }

  [Symbol.dispose](): void {
    this.#options.area.clear();
    this.#options.area.end();
  }
}
