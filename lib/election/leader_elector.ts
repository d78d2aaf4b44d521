import { type Clock, describeError, LinkedAbort, type Logger, type Random, sleep, TimeoutError } from "../base/mod.ts";
import { formatKey, type ObjectKey } from "../apimachinery/mod.ts";
import { AlreadyExistsError, type Client, ConflictError, NotFoundError } from "../client/mod.ts";
import { LeaseLostError } from "./lease_lost_error.ts";
import { heldBy, type LeaseObject, LEASES, nextStep, type ObservedLease, released } from "./lease.ts";
import { LEASE_JITTER, LEASE_TIMING } from "./lease_timing.ts";
import { type Instant, instantOf, LeaseValidity } from "./lease_validity.ts";

/** How often a leader that stops tries to give its lease up: one renewal may be under way, and a label may be added. */
const RELEASE_ATTEMPTS_MAX = 4;

/** How a leader is elected. The defaults are client-go's. */
export interface ElectionOptions {
  /** Sends lease requests; must not be fenced. */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Which lease: one for all replicas of one operator. */
  readonly lease: ObjectKey;
  /** Name of this replica, different for each process, the same for all its life. */
  readonly identity: string;
  /** How long the others wait for a holder that says nothing. 15 s. */
  readonly leaseMs?: number;
  /**
   * How long a holder tries to renew before it gives up; less than `leaseMs`, so that it stops before another begins.
   * 10 s.
   */
  readonly renewMsMax?: number;
  /** Pause between two looks, or two renewals. 2 s, plus up to a fifth at random. */
  readonly retryMs?: number;
}

/**
 * One candidate for one lease.
 *
 * Guarantees: at most one candidate has {@linkcode isLeader} at any time, as long as clocks run equally fast (their
 * absolute times do not matter); a leader whose renewals fail stops being one before another can become it.
 *
 * Source: client-go's leaderelection; the Lease API (KEP-589).
 */
export class LeaderElector implements Disposable {
  readonly #options: Required<ElectionOptions>;
  readonly #lost = Promise.withResolvers<LeaseLostError>();
  #observed: ObservedLease | undefined;
  /** Since when the lease that was observed has been gone, in elapsed time. */
  #goneMs: number | undefined;
  /** That the lease is certainly ours: counted from before the request that renewed it. */
  readonly #reliance: LeaseValidity;
  #renewing: Promise<void> | undefined;
  readonly #stop = new AbortController();

  constructor(options: ElectionOptions) {
    this.#options = { ...LEASE_TIMING, ...options };
    this.#reliance = new LeaseValidity(options.clock);
    const { leaseMs, renewMsMax, retryMs } = this.#options;
    if (!(retryMs > 0 && retryMs * (1 + LEASE_JITTER) < renewMsMax && renewMsMax < leaseMs)) {
      throw new RangeError(`retryMs ${retryMs} < renewMsMax ${renewMsMax} < leaseMs ${leaseMs} does not hold`);
    }
  }

  /** Whether this candidate may write now. */
  get isLeader(): boolean {
    return this.#reliance.holds;
  }

  /** Who holds the lease, as far as this candidate has seen; empty for nobody. */
  get holder(): string {
    return this.#observed?.lease.spec?.holderIdentity ?? "";
  }

  /** Resolves, once, when a lease that was held is lost. Never after {@linkcode release}. */
  get lost(): Promise<LeaseLostError> {
    return this.#lost.promise;
  }

  /**
   * Waits until this candidate is the leader, and keeps the lease renewed from then on.
   *
   * @throws the signal's reason where it aborts first.
   */
  async acquire(signal: AbortSignal): Promise<void> {
    const { logger, lease, identity, clock } = this.#options;
    logger.info("waiting to be the leader", { lease: formatKey(lease), identity });
    let reported: string | undefined;
    while (!this.isLeader) {
      signal.throwIfAborted();
      await this.#attempt(signal).catch((error) => {
        signal.throwIfAborted();
        logger.warn("cannot look at the lease", { lease: formatKey(lease), error: describeError(error) });
      });
      if (this.isLeader) break;
      if (this.holder !== reported) logger.info("another replica leads", { leader: reported = this.holder });
      await sleep(clock, this.#pauseMs(), signal);
    }
    logger.info("leading", { lease: formatKey(lease), identity });
    this.#renewing = this.#renew();
  }

  /**
   * Gives the lease up, so that another replica leads at once; call it when the last write is done. Nothing where it is
   * not held.
   */
  async release(): Promise<void> {
    this.#stop.abort();
    await this.#renewing;
    const { logger, lease } = this.#options;
    if (!this.isLeader || !this.#observed) return;
    this.#reliance.end();
    try {
      if (await this.#giveUp(this.#observed.lease)) logger.info("the lease is given up", { lease: formatKey(lease) });
    } catch (error) {
      // It expires by itself; the others only wait longer.
      logger.warn("the lease could not be given up", { lease: formatKey(lease), error: describeError(error) });
    }
  }

  /**
   * Whether the lease was still held. The server may carry out a renewal that was cut off, so a conflict proves no
   * loss.
   */
  async #giveUp(observed: LeaseObject): Promise<boolean> {
    const { client, clock, identity, lease: key } = this.#options;
    let held: LeaseObject | undefined = observed;
    for (let attempt = 1; held?.spec?.holderIdentity === identity; attempt++) {
      try {
        await client.replace<LeaseObject>(LEASES, released(held, clock.now()));
        return true;
      } catch (error) {
        const changed = error instanceof ConflictError || error instanceof NotFoundError;
        if (!changed || attempt === RELEASE_ATTEMPTS_MAX) throw error;
      }
      held = await client.find<LeaseObject>(LEASES, key);
    }
    return false;
  }

  /** Renews no more, and gives nothing up: what is held runs out by itself. */
  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async #renew(): Promise<void> {
    const { clock, logger, lease, identity } = this.#options, { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await sleep(clock, this.#pauseMs(), signal);
        await this.#attempt(signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn("the lease could not be renewed", { lease: formatKey(lease), error: describeError(error) });
      }
      if (!this.isLeader) break;
    }
    if (signal.aborted) return;
    const why = this.holder && this.holder !== identity ? `${this.holder} has it` : "it could not be renewed in time";
    this.#lost.resolve(new LeaseLostError(`lease ${formatKey(lease)} is lost: ${why}`));
  }

  /**
   * Looks at the lease and takes or renews it where that is allowed. A conflict is somebody else's success: the next
   * attempt looks again. Ends after `renewMsMax`: a request that hangs must not hide that time is over.
   */
  async #attempt(signal: AbortSignal): Promise<void> {
    const { clock, renewMsMax } = this.#options;
    using abort = new LinkedAbort([signal]);
    const timer = clock.schedule(
      () => abort.abort(new TimeoutError("the API server did not answer in time")),
      renewMsMax,
    );
    try {
      await this.#takeOrRenew(abort.signal);
    } finally {
      clock.clear(timer);
    }
  }

  async #takeOrRenew(signal: AbortSignal): Promise<void> {
    const { client, clock, lease: key, identity, leaseMs } = this.#options;
    const seconds = Math.ceil(leaseMs / 1_000), before = instantOf(clock);
    const replace = (lease: LeaseObject) =>
      this.#write(before, () => client.replace(LEASES, heldBy(lease, identity, before.nowMs, seconds), { signal }));
    // Its holder knows the lease: one request instead of two, every two seconds for as long as the operator runs.
    if (this.isLeader && this.#observed && await replace(this.#observed.lease)) return;
    const found = await client.find<LeaseObject>(LEASES, key, { signal });
    if (!found) {
      if (this.#mayStillLead(clock.elapsed())) return;
      const fresh = heldBy(
        { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: key },
        identity,
        before.nowMs,
        seconds,
      );
      await this.#write(before, () => client.create(LEASES, fresh, { signal }));
      return;
    }
    this.#observe(found);
    if (nextStep(this.#observed!, identity, before.elapsedMs).kind === "wait") this.#reliance.end();
    else await replace(found);
  }

  /**
   * Whether another holder of a lease that somebody deleted may still rely on it. Who stops gracefully deletes none.
   */
  #mayStillLead(nowMs: number): boolean {
    const { identity, renewMsMax } = this.#options;
    if (this.holder === "" || this.holder === identity) return false;
    return nowMs - (this.#goneMs ??= nowMs) < renewMsMax;
  }

  /** Whether the write went through; it then holds from the moment before it was sent. */
  async #write(before: Instant, write: () => Promise<LeaseObject>): Promise<boolean> {
    try {
      this.#observe(await write());
      this.#reliance.renew(before, this.#options.renewMsMax);
      return true;
    } catch (error) {
      if (error instanceof ConflictError || error instanceof AlreadyExistsError || error instanceof NotFoundError) {
        return false;
      }
      throw error;
    }
  }

  #observe(lease: LeaseObject): void {
    const { resourceVersion } = lease.metadata ?? {};
    this.#goneMs = undefined;
    if (this.#observed?.lease.metadata?.resourceVersion === resourceVersion) return;
    this.#observed = { lease, changedMs: this.#options.clock.elapsed() };
  }

  #pauseMs(): number {
    const { retryMs, random } = this.#options;
    return retryMs * (1 + LEASE_JITTER * random.next());
  }
}
