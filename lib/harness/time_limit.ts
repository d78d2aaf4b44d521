import { type Clock, TimeLimit, untilAborted } from "../base/mod.ts";

/**
 * Awaits `act` until `limitMs` or the signal; ignores a later result.
 *
 * @throws {TimeoutError} that `what` took longer; the signal's reason; what `act` throws.
 */
export async function limited<R>(
  act: () => Promise<R>,
  { clock, limitMs, what, signal }: {
    readonly clock: Clock;
    readonly limitMs: number;
    readonly what: string;
    readonly signal?: AbortSignal;
  },
): Promise<R> {
  // Before `act` begins: its first turn counts.
  using limit = new TimeLimit(clock, limitMs, `${what} took longer than`, [signal]);
  return await untilAborted(act(), limit.signal);
}
