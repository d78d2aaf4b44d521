/**
 * A signal that aborts with any of its parents, or by its own `abort`, and is unlinked when it is disposed.
 * `AbortSignal.any` leaks every child of a long-lived parent in Deno (denoland/deno#24842); this does not.
 *
 * @example
 * ```ts
 * import { LinkedAbort } from "./signal.ts";
 * const parent = new AbortController();
 * using child = new LinkedAbort([parent.signal]);
 * parent.abort();
 * if (!child.signal.aborted) throw new Error("a child follows its parent");
 * ```
 */
export class LinkedAbort implements Disposable {
  readonly #controller = new AbortController();
  readonly #unlink: (() => void)[] = [];

  constructor(parents: readonly (AbortSignal | undefined)[]) {
    for (const parent of parents) {
      if (!parent) continue;
      if (parent.aborted) {
        this.abort(parent.reason);
        return;
      }
      const follow = () => this.abort(parent.reason);
      parent.addEventListener("abort", follow, { once: true });
      this.#unlink.push(() => parent.removeEventListener("abort", follow));
    }
  }

  /** The signal to pass on. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Aborts the signal, once. */
  abort(reason?: unknown): void {
    this[Symbol.dispose]();
    this.#controller.abort(reason);
  }

  /** Unlinks the parents without aborting. */
  [Symbol.dispose](): void {
    for (const unlink of this.#unlink.splice(0)) unlink();
  }
}

/**
 * `work`, or the signal's reason as soon as it aborts; the late result is then discarded.
 *
 * @example
 * ```ts
 * import { untilAborted } from "./signal.ts";
 * const gone = AbortSignal.abort(new Error("gone"));
 * await untilAborted(new Promise(() => {}), gone).then(() => { throw new Error("unreachable"); }, () => {});
 * ```
 */
export async function untilAborted<R>(work: Promise<R>, signal: AbortSignal): Promise<R> {
  work.catch(() => {}); // a late failure is ignored
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>(), abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
