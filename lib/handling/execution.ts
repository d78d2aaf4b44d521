import { type Clock, TimeLimit, untilAborted } from "../base/mod.ts";

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
  using limit = new TimeLimit(clock, timeoutMs, "handler did not finish within", [parent]);
  return await untilAborted(Promise.resolve(work(limit.signal)), limit.signal);
}
