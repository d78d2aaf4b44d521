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
  /** How many are explored. */
  readonly scenarios: number;
}

/** Plans of one scenario. */
export type ExploredPlans = Parameters<NonNullable<ExploreOptions["onPlan"]>>[0];

/** How far an exploration is: plans, plans per second, failures and time left, on the terminal's last line. */
export class ExploreProgress implements Disposable {
  readonly #options: ExploreProgressOptions;
  readonly #startMs: number;
  #drawnMs = -Infinity;
  /** Scenarios that have ended, and their plans. */
  #ended = 0;
  #plans = 0;
  #failed = 0;
  readonly #running = new Map<string, ExploredPlans>();

  constructor(options: ExploreProgressOptions) {
    this.#options = options;
    this.#startMs = options.clock.elapsed();
  }

  /** Called before the first plan of a scenario, and after each. */
  update(name: string, plans: ExploredPlans): void {
    this.#running.set(name, plans);
    const { clock, area, columns, scenarios } = this.#options, nowMs = clock.elapsed();
    if (nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    let ran = this.#plans, all = this.#plans, failed = this.#failed;
    for (const plans of this.#running.values()) {
      ran += plans.done;
      all += plans.all;
      failed += plans.failed;
    }
    // Scenarios that have not begun count with the mean of the others.
    const expected = all / (this.#ended + this.#running.size) * scenarios;
    const perMs = ran / Math.max(1, nowMs - this.#startMs);
    const left = ran === 0 ? "" : `, ${formatDuration(Math.ceil((expected - ran) / perMs / 1_000) * 1_000)} left`;
    const counts = `${ran} plans, ${Math.round(perMs * 1_000)} plans/s, ${failed} failed${left}`;
    const head = `${this.#ended}/${scenarios}`, width = columns() - head.length - counts.length - 4;
    const line = width < NAME_MIN ? `${head} ${counts}` : `${head} ${cutToWidth(printable(name), width)}  ${counts}`;
    area.draw(cutToWidth(line, columns() - 1));
  }

  /** A scenario has ended after so many plans. Clears the line. */
  end(name: string, plans: number, failed: number): void {
    this.#running.delete(name);
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
