import { LinkedAbort } from "../base/mod.ts";

interface Run {
  readonly done: Promise<unknown>;
  readonly cut: LinkedAbort;
}

/**
 * Work in flight, at most one piece for each key: that of some keys can be ended and waited for while the rest goes on.
 */
export class InFlight {
  readonly #runs = new Map<string, Run>();

  /** For how many keys there is work. */
  get size(): number {
    return this.#runs.size;
  }

  /** Whether there is work for a key. */
  has(key: string): boolean {
    return this.#runs.has(key);
  }

  /**
   * Runs `work` for a key for which there is none; its signal aborts with `parent`, or when {@linkcode end} cuts it
   * short.
   */
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
   * Resolves when there is no work any more for the keys that `which` names; `abort` cuts short what is left. It is for
   * the caller to see that nothing new begins.
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
