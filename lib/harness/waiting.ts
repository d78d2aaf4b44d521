import { type Clock, formatDuration, LinkedAbort } from "../base/mod.ts";
import { type ApiResource, formatGroupResource } from "../apimachinery/mod.ts";
import type { Client } from "../client/mod.ts";

/** Whether something holds, and if not, what is seen instead. */
export type Verdict = { readonly holds: true } | { readonly holds: false; readonly seen: string };

/** What waiting needs. */
export interface WaitOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** Longest wait. */
  readonly waitMsMax: number;
  readonly signal?: AbortSignal;
}

/** It did not come to hold in time; the message says what was seen last. */
export class NotYetError extends Error {
  /** Tells the class in logs. */
  override readonly name = "NotYetError";
}

/**
 * Waits until `look` says that it holds: looks at once, then after every change of `resources`. No polling, no sleeping.
 *
 * @throws {NotYetError} with what was seen last, after `waitMsMax`; the signal's reason; whatever `look` throws.
 */
export async function waitUntil(
  what: string,
  resources: readonly ApiResource[],
  look: () => Promise<Verdict>,
  options: WaitOptions,
): Promise<void> {
  const { client, clock, waitMsMax } = options;
  using stop = new LinkedAbort([options.signal]);
  let changed = Promise.withResolvers<void>(), late = false;
  stop.signal.addEventListener("abort", () => changed.resolve(), { once: true });
  const timer = clock.schedule(() => {
    late = true;
    changed.resolve();
  }, waitMsMax);
  let broken: unknown;
  const watching = resources.map((resource) =>
    follow(client, resource, stop.signal, () => changed.resolve()).catch((error) => {
      broken = new Error(`the watch of ${formatGroupResource(resource)} broke`, { cause: error });
      changed.resolve();
    })
  );
  try {
    for (;;) {
      const verdict = await look();
      if (verdict.holds) return;
      if (options.signal?.aborted) throw options.signal.reason;
      if (late) throw new NotYetError(`${what}: not within ${formatDuration(waitMsMax)}; last seen:\n${verdict.seen}`);
      if (broken) throw broken;
      await changed.promise;
      if (!late && !stop.signal.aborted) changed = Promise.withResolvers<void>();
    }
  } finally {
    clock.clear(timer);
    stop.abort();
    await Promise.all(watching);
  }
}

async function follow(client: Client, resource: ApiResource, signal: AbortSignal, changed: () => void): Promise<void> {
  // A server may end a watch whenever it likes.
  while (!signal.aborted) {
    try {
      const options = { signal, metadataOnly: true, resourceVersion: "0" };
      for await (const _event of client.watch(resource, options)) changed();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
