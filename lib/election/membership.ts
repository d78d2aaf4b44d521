import { type Clock, describeError, type Logger, type Random, sleep, type TimerHandle } from "../base/mod.ts";
import type { Client } from "../client/mod.ts";
import { CheckedLease } from "./checked_lease.ts";
import type { LeaseObject } from "./lease.ts";
import { LeaseLostError } from "./lease_lost_error.ts";
import { LEASE_JITTER, LEASE_TIMING, type LeaseTiming, POLL_PAUSES_MAX, within } from "./lease_timing.ts";
import { MemberList } from "./member_list.ts";

export interface MembershipOptions extends Partial<LeaseTiming> {
  /** Must not be fenced, nor retry by itself. */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Of all members' Leases. */
  readonly namespace: string;
  /** The group: the value of a label. */
  readonly name: string;
  /** Unique per process. */
  readonly identity: string;
  /** Ends work no longer covered; resolves, in bounded time, when none of it can write. */
  readonly drain: () => Promise<void>;
}

interface MemberLeases {
  readonly leaseName: string;
  /** Its value is the group. */
  readonly label: string;
  readonly expiresMs?: (lease: LeaseObject) => number | undefined;
}

/**
 * One of several processes with their own Leases. Every turn renews it, reads the others', and acts on them.
 *
 * Guarantees: `onExpired` is called as soon as others may count this process as dead.
 */
export abstract class Membership<O extends MembershipOptions = MembershipOptions> implements Disposable {
  protected readonly options: O & LeaseTiming;
  protected readonly lease: CheckedLease;
  /** This one too. */
  protected readonly members: MemberList;
  readonly #listeners = new Set<() => void>();
  readonly #lost = Promise.withResolvers<LeaseLostError>();
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #expiryTimer: TimerHandle | undefined;

  protected constructor(options: O, { leaseName, label, expiresMs }: MemberLeases) {
    this.options = { ...LEASE_TIMING, ...options };
    const { client, clock, logger, namespace, name, identity } = options;
    const key = { namespace, name: leaseName }, labels = { [label]: name };
    this.lease = new CheckedLease({ client, clock, key, identity, labels, timing: this.options });
    this.members = new MemberList({ client, clock, logger, namespace, labelSelector: `${label}=${name}`, expiresMs });
  }

  protected abstract renewOnce(signal: AbortSignal): Promise<void>;

  /** Others may count this process as dead: ends running work and begins none. */
  protected abstract onExpired(): void;

  /** Whether a turn has reached what {@linkcode acquire} awaits. */
  protected abstract get hasJoined(): boolean;

  /** Called after each change of the covered work, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves, once, if others count this process as dead or its work cannot be ended. Never after a release. */
  get lost(): Promise<LeaseLostError> {
    return this.#lost.promise;
  }

  /**
   * Joins the others; keeps the Lease renewed until release.
   *
   * @throws the signal's reason if it aborts first; {@linkcode LeaseLostError}.
   */
  async acquire(signal: AbortSignal): Promise<void> {
    const joined = Promise.withResolvers<void>(), abort = () => joined.reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    this.#running = this.#run(joined.resolve);
    void this.#lost.promise.then(joined.reject);
    await joined.promise.finally(() => signal.removeEventListener("abort", abort));
  }

  /** Stops renewing without a release: the Lease expires by itself. */
  [Symbol.dispose](): void {
    this.#stop.abort();
    if (this.#expiryTimer) this.options.clock.clear(this.#expiryTimer);
  }

  /** Stops renewing; resolves when the last turn has ended. */
  protected async ended(): Promise<void> {
    this[Symbol.dispose]();
    await this.#running;
  }

  protected notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  protected async renew(annotations: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    this.#checkExpiry(); // a machine that slept resumes here
    await this.lease.renew(annotations, signal);
    if (!signal.aborted) this.#checkExpiry();
  }

  /** Bounds reading the others, so that the Lease is renewed in time. */
  protected poll<R>(signal: AbortSignal, work: (bounded: AbortSignal) => Promise<R>): Promise<R> {
    const { clock, retryPeriodMs } = this.options;
    return within(clock, POLL_PAUSES_MAX * retryPeriodMs, signal, work);
  }

  /** Ends work no longer covered while the Lease is renewed, then calls `then`. */
  protected drain(then: () => void): void {
    const failed = (cause: unknown) => this.#lost.resolve(new LeaseLostError("handlers could not stop", { cause }));
    void this.options.drain().then(then, failed);
  }

  /** Else checks again when the Lease expires. */
  #checkExpiry(): void {
    const { clock } = this.options, { validMs } = this.lease;
    if (this.#expiryTimer) clock.clear(this.#expiryTimer);
    this.#expiryTimer = validMs > 0 ? clock.schedule(() => this.#checkExpiry(), validMs) : undefined;
    if (validMs <= 0) this.onExpired();
  }

  async #run(joined: () => void): Promise<void> {
    const { clock, logger, retryPeriodMs, random, name, namespace } = this.options, { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.renewOnce(signal);
        if (this.hasJoined) joined();
        await sleep(clock, retryPeriodMs * (1 + LEASE_JITTER * random.next()), signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof LeaseLostError) return this.#lost.resolve(error);
        logger.warn("cannot renew or read leases", { name, namespace, error: describeError(error) });
        await sleep(clock, retryPeriodMs, signal).catch(() => {});
      }
    }
  }
}
