/** The reason where none is given. One for all: an exception for each request that ends would cost its stack trace. */
const ENDED = new DOMException("it ended", "AbortError");

/**
 * A signal that aborts with any parent or by `abort`; disposing unlinks it. `AbortSignal.any` leaks every child of a
 * long-lived parent in Deno (denoland/deno#24842).
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

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown = ENDED): void {
    this[Symbol.dispose]();
    this.#controller.abort(reason);
  }

  /** Unlinks the parents without aborting. */
  [Symbol.dispose](): void {
    for (const unlink of this.#unlink.splice(0)) unlink();
  }
}

/** Rejects with the signal's reason as soon as it aborts; the late result is discarded. */
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
