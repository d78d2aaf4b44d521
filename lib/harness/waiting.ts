import { type Clock, formatDuration, LinkedAbort, settle, sleep, type TimerHandle, UsageError } from "../base/mod.ts";
import { type ApiResource, formatGroupResource } from "../apimachinery/mod.ts";
import { type Client, GoneError, NotFoundError } from "../client/mod.ts";

/**
 * Whether something holds; if not, a failure's message shows `seen`. If `eventually` has none, the message lists the
 * watched kinds' objects with their conditions.
 */
export type Verdict = { readonly holds: true } | { readonly holds: false; readonly seen?: string };

export interface PendingWait {
  /** What it waits for, for how long, and what it last saw. */
  describe(): string;
}

export interface WaitOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly waitMsMax: number;
  readonly signal?: AbortSignal;
  readonly pending?: Set<PendingWait>;
  /** Uids of objects deleted by the scenario since its last wait ended, by reference; undefined if there was none. */
  readonly deleted?: Map<string, string | undefined>;
}

/** Timed out waiting; the message has what was last seen. */
export class NotYetError extends Error {
  /** The class in logs. */
  override readonly name = "NotYetError";
}

/** Pause before a watch is reopened: a server that ends it at once is not called in a loop. */
const REOPEN_MS = 100;
const CHECK_MS_MAX = 5_000;
const SEEN_LINES_MAX = 4;

/**
 * Waits until `check` holds. It runs at once, after every change of `resources`, and once more at the bound. Watches
 * wake it, without polling, and no change is missed. Retries a kind that is not served yet.
 *
 * @throws {NotYetError} with what was last seen, after `waitMsMax`; the signal's reason; what `check` throws;
 *   {@linkcode Error} if a resource cannot be watched. @throws {UsageError} if `resources` is empty, so that nothing
 *   could wake it.
 */
export async function waitUntil(
  what: string,
  resources: readonly ApiResource[],
  check: () => Promise<Verdict>,
  options: WaitOptions,
): Promise<void> {
  if (resources.length === 0) {
    throw new UsageError(
      `"${what}" watches no kind, so no change would be seen`,
      "name the kinds whose changes may make it hold, as [ConfigMap]",
    );
  }
  options.signal?.throwIfAborted();
  using wait = new Wait(what, options);
  // Most expectations hold already, without a watch.
  if (await wait.check(check)) return;
  const following = resources.map((resource) => wait.follow(resource));
  try {
    do await wait.change(); while (!await wait.check(check));
  } finally {
    wait[Symbol.dispose]();
    await Promise.all(following);
  }
}

class Wait implements Disposable, PendingWait {
  readonly #what: string;
  readonly #options: WaitOptions;
  readonly #stop: LinkedAbort;
  readonly #timers: readonly TimerHandle[];
  readonly #over = Promise.withResolvers<void>();
  readonly #startMs: number;
  #changed = Promise.withResolvers<void>();
  #late = false;
  #hangs = false;
  #seen = "  nothing: no check finished";
  #broken: unknown;
  readonly #unserved = new Set<string>();

  constructor(what: string, options: WaitOptions) {
    const { clock, waitMsMax, signal, pending } = options;
    this.#what = what;
    this.#startMs = clock.elapsed();
    pending?.add(this);
    this.#options = options;
    this.#stop = new LinkedAbort([signal]);
    this.#stop.signal.addEventListener("abort", () => this.#over.resolve(), { once: true });
    const late = () => {
      this.#late = true;
      this.#changed.resolve();
    };
    const hangs = () => {
      this.#hangs = true;
      this.#over.resolve();
    };
    this.#timers = [clock.schedule(late, waitMsMax), clock.schedule(hangs, waitMsMax + CHECK_MS_MAX)];
  }

  /** Abandons a hanging check when the wait is over. */
  async check(check: () => Promise<Verdict>): Promise<boolean> {
    // The last check begins after the bound, or after the watch ended: a late change counts.
    const isLast = this.#late, broken = this.#broken, checking = check();
    checking.catch(() => {});
    const verdict = await Promise.race([checking, this.#over.promise]);
    if (verdict?.holds) return true;
    if (verdict) this.#seen = verdict.seen ?? "  it does not hold";
    const { signal, waitMsMax } = this.#options;
    signal?.throwIfAborted();
    // It may hold by now, such as a deleted kind that cannot be watched.
    if (broken) throw broken;
    if (!isLast && !this.#hangs) return false;
    const unserved = [...this.#unserved].map((name) => `\n  the server does not serve ${name}`).join("");
    throw new NotYetError(
      `${this.#what}: not within ${formatDuration(waitMsMax)}; last seen:\n${this.#seen}${unserved}`,
    );
  }

  describe(): string {
    const tookMs = this.#options.clock.elapsed() - this.#startMs, lines = this.#seen.split("\n");
    const seen = lines.length > SEEN_LINES_MAX ? [...lines.slice(0, SEEN_LINES_MAX), "  …"] : lines;
    return [`${this.#what}: not yet after ${formatDuration(tookMs)}; last seen:`, ...seen].join("\n");
  }

  async change(): Promise<void> {
    // In-process servers send changes as microtasks: an endlessly writing operator would starve the bound.
    await settle(1);
    await Promise.race([this.#changed.promise, this.#over.promise]);
    this.#changed = Promise.withResolvers<void>();
  }

  async follow(resource: ApiResource): Promise<void> {
    const { signal } = this.#stop;
    try {
      while (!signal.aborted) {
        await this.#watch(resource, signal).catch((error) => {
          if (error instanceof NotFoundError) this.#onUnserved(resource);
          else if (!(error instanceof GoneError)) throw error;
        });
        await sleep(this.#options.clock, REOPEN_MS, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#broken = new Error(`the watch of ${formatGroupResource(resource)} broke`, { cause: error });
      this.#changed.resolve();
    }
  }

  async #watch(resource: ApiResource, signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    let resourceVersion: string | undefined;
    for await (const page of client.pages(resource, { limit: 1, metadataOnly: true, signal })) {
      resourceVersion = page.metadata?.resourceVersion;
      break;
    }
    this.#unserved.delete(formatGroupResource(resource));
    // A watch from "now" would miss changes since the last check, so it begins at the list's version with a check.
    this.#changed.resolve();
    const watch = client.watch(resource, { signal, metadataOnly: true, resourceVersion });
    for await (const _ of watch) this.#changed.resolve();
  }

  /** Its CRD may just have changed, so the check may hold now. */
  #onUnserved(resource: ApiResource): void {
    this.#unserved.add(formatGroupResource(resource));
    this.#changed.resolve();
  }

  /** Ends the watches, and forgets earlier deletions. */
  [Symbol.dispose](): void {
    this.#options.pending?.delete(this);
    this.#options.deleted?.clear(); // what was made since then may stand under their names
    for (const timer of this.#timers) this.#options.clock.clear(timer);
    this.#stop.abort();
  }
}
