import { cutToWidth } from "../lib/base/mod.ts";
import type { LiveArea } from "../lib/harness/mod.ts";
import { printable } from "../lib/base/printable.ts";
import { paint, type Terminal } from "../lib/cli/terminal.ts";

const OPERATOR = "operator | ", TESTS = "tests    | ";

/** How far the present run of the scenarios is. */
interface Progress {
  readonly planned: number;
  passed: number;
  failed: number;
}

/**
 * Shows the output of an operator and of its scenarios, which run side by side. On a terminal scenarios that pass are
 * only counted, in one line below everything else, so that they push nothing off the screen; elsewhere every line is
 * written.
 */
export class DevScreen implements Disposable {
  readonly #terminal: Terminal;
  readonly #area: LiveArea | undefined;
  #progress: Progress | undefined;

  constructor(terminal: Terminal, area?: LiveArea) {
    this.#terminal = terminal;
    this.#area = area;
  }

  /** A line of the loop itself. */
  note(line: string): void {
    this.#print(line);
  }

  /** A line that the operator wrote. */
  operator(line: string): void {
    this.#print(`${paint(this.#terminal, "dim", OPERATOR)}${printable(line)}`);
  }

  /** A line that the scenarios' run wrote. */
  tests(line: string): void {
    const [, planned] = /^(\d+) scenarios? on /.exec(line) ?? [], counts = /^\d+ passed, (\d+) failed/.exec(line);
    if (planned !== undefined) this.#progress = { planned: Number(planned), passed: 0, failed: 0 };
    if (counts) this.#progress = undefined;
    if (this.#progress && line.startsWith("✗ ")) this.#progress.failed++;
    if (this.#progress && line.startsWith("✓ ")) {
      this.#progress.passed++;
      if (this.#area) return this.#draw();
    }
    // The empty line sets the counts apart from the lines of scenarios, which the area does not show.
    if (this.#area && line === "") return;
    const style = counts ? (counts[1] === "0" ? "green" : "red") : line.startsWith("✗ ") ? "red" : undefined;
    const shown = style ? paint(this.#terminal, style, printable(line)) : printable(line);
    this.#print(`${paint(this.#terminal, "cyan", TESTS)}${shown}`);
  }

  /** Clears the counts and releases the terminal. */
  [Symbol.dispose](): void {
    this.#area?.clear();
    this.#area?.end();
  }

  #print(line: string): void {
    if (!this.#area) return this.#terminal.out(line);
    this.#area.print(`${line}\n`);
    this.#draw();
  }

  #draw(): void {
    if (!this.#progress) return this.#area?.clear();
    const { planned, passed, failed } = this.#progress, width = Math.max(16, this.#terminal.columns() - 1);
    const counts = `${passed + failed} of ${planned} ran${failed > 0 ? `, ${failed} failed` : ""}`;
    this.#area?.draw(paint(this.#terminal, "dim", cutToWidth(`${TESTS}${counts}`, width)));
  }
}
