import { type Clock, formatDuration, LinkedAbort, settle, sleep, type TimerHandle, UsageError } from "../base/mod.ts";
import { type ApiResource, formatGroupResource } from "../apimachinery/mod.ts";
import { type Client, GoneError, NotFoundError } from "../client/mod.ts";

/**
 * Whether something holds, and if not, what is seen instead: the message of a failure shows it. Where a scenario's
 * `eventually` leaves `seen` out, its message lists the objects of the watched kinds, with their conditions.
 */
export type Verdict = { readonly holds: true } | { readonly holds: false; readonly seen?: string };

/** A wait that is under way, in words. */
export interface PendingWait {
  /** What it waits for, for how long it has, and what it saw last. */
  describe(): string;
}

/** What waiting needs. */
export interface WaitOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** Longest wait. */
  readonly waitMsMax: number;
  readonly signal?: AbortSignal;
  /** Holds the wait as long as it lasts. */
  readonly pending?: Set<PendingWait>;
  /**
   * Uids of objects that the scenario deleted since its last wait ended, by reference; undefined where there was none.
   */
  readonly deleted?: Map<string, string | undefined>;
}

/** Timed out waiting; the message contains what was seen last. */
export class NotYetError extends Error {
  /** The class in logs. */
  override readonly name = "NotYetError";
}

/**
 * Pause before a watch that the server ended is opened again: one that ends it at once must not be called without
 * pause.
 */
const REOPEN_MS = 100;
/** How long the last check may take. */
const CHECK_MS_MAX = 5_000;
/** Lines of what was seen last that a description of a wait has. */
const SEEN_LINES_MAX = 4;

/**
 * Waits until `check` holds. It runs at once, after every change of `resources`, and once more at the bound. Watches
 * wake it, without polling, and no change is missed. A kind that the server does not serve yet is retried.
 *
 * @throws {NotYetError} with what was seen last, after `waitMsMax`; the signal's reason; what `check` throws;
 *   {@linkcode Error} where a resource cannot be watched. @throws {UsageError} where `resources` is empty: nothing
 *   would wake the wait.
 */
export async function waitUntil(
  what: string,
  resources: readonly ApiResource[],
  check: () => Promise<Verdict>,
  options: WaitOptions,
): Promise<void> {
  if (resources.length === 0) {
    throw new UsageError(
      `"${what}" watches no kind, so no change would be noticed`,
      "name the kinds whose changes may make it hold, as [ConfigMap]",
    );
  }
  options.signal?.throwIfAborted();
  using wait = new Wait(what, options);
  // Most expectations hold already: they cost one check and no watch.
  if (await wait.check(check)) return;
  const following = resources.map((resource) => wait.follow(resource));
  try {
    do await wait.change(); while (!await wait.check(check));
  } finally {
    wait[Symbol.dispose]();
    await Promise.all(following);
  }
}

/** One wait: what has woken it, and how it may end. */
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
  /** Resources that the server did not serve at the last attempt. */
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

  /** Checks once. A check that hangs is left behind when the wait is over. */
  async check(check: () => Promise<Verdict>): Promise<boolean> {
    // A late change counts: only a check that began when time was up, or the watch ended, is the last
    // one.
    const isLast = this.#late, broken = this.#broken, checking = check();
    checking.catch(() => {});
    const verdict = await Promise.race([checking, this.#over.promise]);
    if (verdict?.holds) return true;
    if (verdict) this.#seen = verdict.seen ?? "  it does not hold";
    const { signal, waitMsMax } = this.#options;
    signal?.throwIfAborted();
    // A watch that broke during the check may have broken because it holds by now: a deleted kind cannot be watched.
    if (broken) throw broken;
    if (!isLast && !this.#hangs) return false;
    const unserved = [...this.#unserved].map((name) => `\n  the server does not serve ${name}`).join("");
    throw new NotYetError(
      `${this.#what}: not within ${formatDuration(waitMsMax)}; last seen:\n${this.#seen}${unserved}`,
    );
  }

  /** See {@linkcode PendingWait.describe}. */
  describe(): string {
    const tookMs = this.#options.clock.elapsed() - this.#startMs, lines = this.#seen.split("\n");
    const seen = lines.length > SEEN_LINES_MAX ? [...lines.slice(0, SEEN_LINES_MAX), "  …"] : lines;
    return [`${this.#what}: not yet after ${formatDuration(tookMs)}; last seen:`, ...seen].join("\n");
  }

  /** Resolves with the next change, or when the wait is over. */
  async change(): Promise<void> {
    // On a server of this process changes come as microtasks: an operator that writes without end would keep the bound
    // from its turn.
    await settle(1);
    await Promise.race([this.#changed.promise, this.#over.promise]);
    this.#changed = Promise.withResolvers<void>();
  }

  /** Wakes the wait with every change of a resource until it is over. */
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
    // A watch from "now" would miss what went since the last look: it begins where the list was, and there is another
    // look now.
    this.#changed.resolve();
    const watch = client.watch(resource, { signal, metadataOnly: true, resourceVersion });
    for await (const _ of watch) this.#changed.resolve();
  }

  /** Its CRD may have been created just now, or deleted: what is expected may hold by now. */
  #onUnserved(resource: ApiResource): void {
    this.#unserved.add(formatGroupResource(resource));
    this.#changed.resolve();
  }

  /** Ends the watches; what was deleted before it ended is forgotten. */
  [Symbol.dispose](): void {
    this.#options.pending?.delete(this);
    this.#options.deleted?.clear(); // what was made since then may stand under their names
    for (const timer of this.#timers) this.#options.clock.clear(timer);
    this.#stop.abort();
  }
}
