/** What one fault came to. */
export class Figures {
  /** How often the fault struck. */
  faults = 0;
  /** Operations of the load that the API server carried out. */
  operations = 0;
  /** Operations that it refused, or never answered. */
  refused = 0;
  /** Requests of the operators under test. */
  requests = 0;
  /** Checks of the whole state that found it right. */
  checks = 0;
  readonly #recoveriesMs: number[] = [];
  readonly #violations: string[] = [];
  readonly #notes = new Map<string, number>();

  /** From the end of the load until the state was right, in milliseconds. */
  recovered(tookMs: number): void {
    this.checks++;
    this.#recoveriesMs.push(tookMs);
  }

  /** Something that must never be. */
  violation(what: string): void {
    this.#violations.push(what);
  }

  /** Counts something that is worth telling and no failure. */
  note(what: string, count = 1): void {
    if (count > 0) this.#notes.set(what, (this.#notes.get(what) ?? 0) + count);
  }

  /** Keeps the largest value of a measure, in milliseconds. */
  noteLongest(what: string, tookMs: number): void {
    this.#notes.set(what, Math.max(this.#notes.get(what) ?? 0, Math.round(tookMs)));
  }

  get violations(): readonly string[] {
    return this.#violations;
  }

  get notes(): ReadonlyMap<string, number> {
    return this.#notes;
  }

  /** The median of the recoveries; undefined where there was none. */
  get medianMs(): number | undefined {
    const sorted = this.#recoveriesMs.toSorted((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) / 2)];
  }

  /** The longest recovery; undefined where there was none. */
  get longestMs(): number | undefined {
    return this.#recoveriesMs.length === 0 ? undefined : Math.max(...this.#recoveriesMs);
  }
}

const seconds = (ms: number | undefined) => ms === undefined ? "–" : `${(ms / 1_000).toFixed(1)} s`;

/**
 * The lines that say what a fault came to: one of figures, one of notes where there are some, one for each violation.
 */
export function figureLines(name: string, figures: Figures, tookMs: number): string[] {
  const { faults, operations, refused, requests, checks, violations, notes } = figures;
  const noted = [...notes].map(([what, count]) => `${what} ${count}`).join(", ");
  return [
    `${
      violations.length === 0 ? "ok" : "FAILED"
    }: ${name}: ${faults} faults, ${operations} operations (${refused} refused), ` +
    `${requests} requests, ${checks} checks, recovery ${seconds(figures.medianMs)} median, ${
      seconds(figures.longestMs)
    } longest, ` +
    `${violations.length} violations, ${seconds(tookMs)}`,
    ...(noted === "" ? [] : [`    ${noted}`]),
    ...violations.map((violation) => `    violation: ${violation}`),
  ];
}
