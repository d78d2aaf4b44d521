import { type Clock, formatDuration, LinkedAbort, TimeoutError } from "../base/mod.ts";

/**
 * Runs `work` with a signal that aborts after `timeoutMs` or with `parent`.
 *
 * Guarantees: a timeout ends the call with a {@linkcode TimeoutError}, an abort of `parent` with its reason, even if
 * `work` ignores its signal. A late result or error is discarded. The timer ends with the call. If `parent` is already
 * aborted, `work` is not called.
 *
 * @throws {TimeoutError} after `timeoutMs`; the reason of `parent`; else whatever `work` throws.
 */
export async function runWithTimeout<T>(
  clock: Clock,
  timeoutMs: number,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T> | T,
): Promise<T> {
  parent.throwIfAborted();
  using linked = new LinkedAbort([parent]);
  const cut = new Promise<never>((_, reject) => {
    linked.signal.addEventListener("abort", () => reject(linked.signal.reason), { once: true });
  });
  const timer = clock.schedule(
    () => linked.abort(new TimeoutError(`handler did not finish within ${formatDuration(timeoutMs)}`)),
    timeoutMs,
  );
  try {
    const running = Promise.resolve(work(linked.signal));
    running.catch(() => {}); // a late failure has no one left to hear it
    return await Promise.race([running, cut]);
  } finally {
    clock.clear(timer);
  }
}
