import { type Clock, describeError, type Logger, type Random, sleep } from "../base/mod.ts";
import { formatKey, type ObjectKey } from "../apimachinery/mod.ts";
import type { Client } from "../client/mod.ts";
import { CheckedLease } from "./checked_lease.ts";
import { LeaseLostError } from "./lease_lost_error.ts";
import { LEASE_JITTER, LEASE_TIMING, type LeaseTiming } from "./lease_timing.ts";

interface ElectionOptions extends Partial<LeaseTiming> {
  /** Must not be fenced. */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** One for all replicas of an operator. */
  readonly lease: ObjectKey;
  /** Unique per process. */
  readonly identity: string;
}

/**
 * One candidate for one Lease.
 *
 * Guarantees: at most one candidate has {@linkcode isLeader} at any time, if clocks run equally fast (absolute times do
 * not matter). A leader whose renewals fail stops before another can begin.
 *
 * Source: client-go's leaderelection; the Lease API (KEP-589).
 */
export class LeaderElector implements Disposable {
  readonly #options: ElectionOptions & LeaseTiming;
  readonly #lost = Promise.withResolvers<LeaseLostError>();
  readonly #lease: CheckedLease;
  /** Undefined before it first leads. */
  #renewing: Promise<void> | undefined;
  readonly #stop = new AbortController();

  constructor(options: ElectionOptions) {
    this.#options = { ...LEASE_TIMING, ...options };
    const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = this.#options;
    if (
      !(retryPeriodMs > 0 && retryPeriodMs * (1 + LEASE_JITTER) < renewDeadlineMs && renewDeadlineMs < leaseDurationMs)
    ) {
      throw new RangeError(
        `retryPeriodMs ${retryPeriodMs} < renewDeadlineMs ${renewDeadlineMs} < leaseDurationMs ${leaseDurationMs} does not hold`,
      );
    }
    const { client, clock, identity, lease: key } = options;
    this.#lease = new CheckedLease({ client, clock, key, identity, timing: this.#options });
  }

  get isLeader(): boolean {
    return this.#lease.isValid;
  }

  /** As last read; empty if there is none. */
  get holder(): string {
    return this.#lease.holder;
  }

  /** Resolves, once, when a held lease is lost. Never after {@linkcode release}. */
  get lost(): Promise<LeaseLostError> {
    return this.#lost.promise;
  }

  /**
   * Waits to lead, then keeps the lease renewed.
   *
   * @throws the signal's reason if it aborts first.
   */
  async acquire(signal: AbortSignal): Promise<void> {
    const { logger, clock, identity } = this.#options, lease = formatKey(this.#options.lease);
    logger.info("waiting to become the leader", { lease, identity });
    let reported: string | undefined;
    while (!this.isLeader) {
      signal.throwIfAborted();
      await this.#lease.tryAcquireOrRenew(signal).catch((error) => {
        signal.throwIfAborted();
        logger.warn("the lease cannot be read or taken", { lease, error: describeError(error) });
      });
      if (this.isLeader) break;
      if (this.holder !== reported) logger.info("another replica leads", { leader: reported = this.holder });
      await sleep(clock, this.#pauseMs(), signal);
    }
    logger.info("leading", { lease, identity });
    this.#renewing = this.#renew();
  }

  /**
   * Another replica leads at once, even if this one's first write was cut off. Call it after the last write. A lost
   * lease stays as it is.
   */
  async release(): Promise<void> {
    this.#stop.abort();
    await this.#renewing;
    if (this.#renewing && !this.isLeader) return;
    const { logger } = this.#options, lease = formatKey(this.#options.lease);
    try {
      if (await this.#lease.release()) logger.info("the lease is released", { lease });
    } catch (error) {
      // It expires by itself; the others only wait longer.
      logger.warn("the lease could not be released", { lease, error: describeError(error) });
    }
  }

  /** Stops renewing without a release: the lease expires by itself. */
  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async #renew(): Promise<void> {
    const { clock, logger, identity } = this.#options, { signal } = this.#stop, lease = formatKey(this.#options.lease);
    while (!signal.aborted) {
      try {
        await sleep(clock, this.#pauseMs(), signal);
        await this.#lease.tryAcquireOrRenew(signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn("the lease could not be renewed", { lease, error: describeError(error) });
      }
      if (!this.isLeader) break;
    }
    if (signal.aborted) return;
    const why = this.holder && this.holder !== identity ? `${this.holder} has it` : "it could not be renewed in time";
    this.#lost.resolve(new LeaseLostError(`lease ${lease} is lost: ${why}`));
  }

  #pauseMs(): number {
    const { retryPeriodMs, random } = this.#options;
    return retryPeriodMs * (1 + LEASE_JITTER * random.next());
  }
}
