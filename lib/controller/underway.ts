import { LinkedAbort } from "../base/signal.ts";

interface Run {
  readonly done: Promise<unknown>;
  readonly cut: LinkedAbort;
}

/**
 * What is under way for objects, at most one thing for each, so that what is under way for some of them can be ended and waited for
 * while the rest goes on.
 */
export class Underway {
  readonly #runs = new Map<string, Run>();

  /** How many objects something is under way for. */
  get size(): number {
    return this.#runs.size;
  }

  /** Whether something is under way for an object. */
  has(key: string): boolean {
    return this.#runs.has(key);
  }

  /** Runs `work` for an object for which nothing is under way; its signal aborts with `parent`, or when {@linkcode end} cuts it short. */
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
   * Resolves when nothing is under way any more for the objects that `which` names; `abort` cuts short what is left. It is for the
   * caller to see that nothing new begins.
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
