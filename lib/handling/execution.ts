import type { Clock } from "../base/clock.ts";
import { formatDuration } from "../base/duration.ts";
import { TimeoutError } from "../base/errors.ts";
import { LinkedAbort } from "../base/signal.ts";

/**
 * Runs `work` with a signal that aborts after `timeoutMs` or with `parent`.
 *
 * Guarantees: after the timeout the call ends with a {@linkcode TimeoutError} even where `work` ignores its signal; its late
 * result or error is then discarded. The timer is gone when the call ends.
 *
 * @throws {TimeoutError} after `timeoutMs`; else whatever `work` throws.
 */
export async function runWithTimeout<T>(
  clock: Clock,
  timeoutMs: number,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T> | T,
): Promise<T> {
  using linked = new LinkedAbort([parent]);
  let ended!: (error: unknown) => void;
  const cut = new Promise<never>((_, reject) => ended = reject);
  const timer = clock.schedule(() => {
    const error = new TimeoutError(`handler did not finish within ${formatDuration(timeoutMs)}`);
    linked.abort(error);
    ended(error);
  }, timeoutMs);
  try {
    const running = Promise.resolve(work(linked.signal));
    running.catch(() => {}); // a late failure after the timeout has no one left to hear it
    return await Promise.race([running, cut]);
  } finally {
    clock.clear(timer);
  }
}
