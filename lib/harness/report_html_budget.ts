import { text } from "./report_html_markup.ts";
import type { ScenarioResult } from "./result.ts";

/** Rows of a failed timeline, another one, and all others together. */
const FAILED_ROWS_MAX = 1_000, PASSED_ROWS_MAX = 200, ROWS_MAX = 20_000;
/** Characters of one text beyond the budget. */
const SCARCE_LENGTH_MAX = 120;
/** Characters of messages, log lines and attachments together; later texts are cut short. */
const CHARACTERS_MAX = 6_000_000;

/** Rows and characters of a report. Failed scenarios get theirs first; others share the rest. */
export class ReportBudget {
  readonly #failedRows: number;
  readonly #otherRows: number;
  #characters = CHARACTERS_MAX;

  constructor(scenarios: readonly ScenarioResult[]) {
    const failed = scenarios.filter(({ outcome }) => outcome.kind === "failed").length;
    this.#failedRows = Math.min(FAILED_ROWS_MAX, Math.floor(ROWS_MAX / Math.max(1, failed)));
    const left = ROWS_MAX - failed * this.#failedRows;
    this.#otherRows = Math.min(PASSED_ROWS_MAX, Math.max(0, Math.floor(left / Math.max(1, scenarios.length - failed))));
  }

  rowsOf({ outcome }: ScenarioResult): number {
    return outcome.kind === "failed" ? this.#failedRows : this.#otherRows;
  }

  /** A text of unknown origin, cut to `lengthMax`, or to a line or two beyond the budget. */
  text(value: string, lengthMax: number): string {
    const shown = text(value, this.#characters > lengthMax ? lengthMax : SCARCE_LENGTH_MAX);
    this.#characters -= shown.length;
    return shown;
  }
}
