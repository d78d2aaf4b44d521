import { LinkedAbort } from "../base/mod.ts";

interface Run {
  readonly done: Promise<unknown>;
  readonly cut: LinkedAbort;
}

/** At most one piece of work per key; the work of some keys can be ended while the rest continues. */
export class InFlight {
  readonly #runs = new Map<string, Run>();

  get size(): number {
    return this.#runs.size;
  }

  has(key: string): boolean {
    return this.#runs.has(key);
  }

  /** For a key without work. The signal aborts with `parent`, or when {@linkcode end} cuts it. */
  run<R>(key: string, parent: AbortSignal, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const cut = new LinkedAbort([parent]);
    const done = work(cut.signal).finally(() => {
      cut[Symbol.dispose]();
      this.#runs.delete(key);
    });
    this.#runs.set(key, { done, cut });
    return done;
  }

  /**
   * Resolves when the keys of `which` have no work; `abort` aborts the rest. The caller ensures that no new work
   * begins.
   */
  async end(which: (key: string) => boolean, abort: AbortSignal): Promise<void> {
    const ending = [...this.#runs].filter(([key]) => which(key)).map(([, run]) => run);
    const cut = () => ending.forEach((run) => run.cut.abort(abort.reason));
    if (abort.aborted) cut();
    abort.addEventListener("abort", cut, { once: true });
    await Promise.allSettled(ending.map(({ done }) => done));
    abort.removeEventListener("abort", cut);
  }
}
