import type { Clock } from "../base/mod.ts";
import { formatKey, type ObjectKey } from "../apimachinery/mod.ts";
import {
  AlreadyExistsError,
  ApiError,
  type Client,
  ConflictError,
  NotFoundError,
  ServerError,
  UnreachableError,
} from "../client/mod.ts";
import { heldBy, type LeaseObject, LEASES, mayHold, type ObservedLease, released } from "./lease.ts";
import { LeaseLostError } from "./lease_lost_error.ts";
import { type LeaseTiming, within } from "./lease_timing.ts";

/** Attempts of one update before it ends with `conflict`. */
const ATTEMPTS_MAX = 4;

interface CheckedLeaseOptions {
  /** Must not be fenced, nor retry by itself. */
  readonly client: Client;
  readonly clock: Clock;
  readonly key: ObjectKey;
  /** Unique per process. */
  readonly identity: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly timing: LeaseTiming;
}

/** `declined`: the caller made no change. `conflict`: other writers came first. */
type LeaseUpdate = "written" | "declined" | "conflict";

/** Gets the Lease as read, if any; returns undefined to write nothing. */
type LeaseChange = (lease?: LeaseObject) => Promise<LeaseObject | undefined> | LeaseObject | undefined;

/**
 * One Lease under optimistic locking: every write replaces the version read; a conflict reads it again.
 *
 * Guarantees: {@linkcode isValid} only while no other process can have taken the Lease. Validity lasts
 * `renewDeadlineMs` from before the renewing request, by the faster of two clocks. The time of day runs on while the
 * machine sleeps, elapsed time even if the time of day is set back. A hanging request ends after `renewDeadlineMs`.
 */
export class CheckedLease {
  readonly #options: CheckedLeaseOptions;
  #observed: ObservedLease | undefined;
  #validSince: { readonly nowMs: number; readonly elapsedMs: number } | undefined;
  /** A write without a response may have been carried out, or may still be. */
  #writeOutcomeUnknown = false;
  #ended = false;

  constructor(options: CheckedLeaseOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.key.name;
  }

  /** As last read; empty if there is none. */
  get holder(): string {
    return this.#observed?.lease.spec?.holderIdentity ?? "";
  }

  /** Whether this process certainly holds the Lease. */
  get isValid(): boolean {
    return this.validMs > 0;
  }

  /** Remaining validity; 0 or less without it. */
  get validMs(): number {
    if (!this.#validSince) return 0;
    const { clock, timing: { renewDeadlineMs } } = this.#options, { nowMs, elapsedMs } = this.#validSince;
    return renewDeadlineMs - Math.max(clock.now() - nowMs, clock.elapsed() - elapsedMs);
  }

  /** For a Lease that candidates compete for. False if another one holds it. */
  async tryAcquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const { identity, clock, timing } = this.#options;
    const may = () => !this.#observed || mayHold(this.#observed, identity, clock.elapsed(), timing.renewDeadlineMs);
    return await this.#hold(signal, { may, isKnown: this.isValid }) === "written";
  }

  /**
   * Creates or renews a Lease that only this process ever holds, with `annotations`. Other processes delete it, at the
   * version read, if it has not changed for its duration.
   *
   * @throws {LeaseLostError} if it is gone or has another holder: others count this process as dead.
   */
  async renew(annotations: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    const { key, identity } = this.#options, name = formatKey(key);
    const isOwn = (lease?: LeaseObject) => lease ? lease.spec?.holderIdentity === identity : !this.#observed;
    const end = await this.#hold(signal, { may: isOwn, isKnown: true, annotations });
    if (end === "conflict") throw new Error(`lease ${name} cannot be renewed: other clients write it at the same time`);
    if (end === "written") return;
    const why = this.#observed?.deletedMs === undefined ? `${this.holder} has it` : "it is gone";
    throw new LeaseLostError(`lease ${name} is lost: ${why}`);
  }

  /** Writes `change` of the Lease; reads it again after a conflict. */
  update(change: LeaseChange, signal?: AbortSignal): Promise<LeaseUpdate> {
    return this.#update(change, { isKnown: false, signal });
  }

  /**
   * Frees the Lease for others at once, even if taken by a write without a response. Returns whether this process held
   * it.
   */
  async release(): Promise<boolean> {
    const { clock, identity, key } = this.#options, wasValid = this.isValid;
    this.#end();
    if (!wasValid && !this.#writeOutcomeUnknown) return false;
    const change = (lease?: LeaseObject) =>
      lease?.spec?.holderIdentity === identity ? released(lease, clock.now()) : undefined;
    const end = await this.#inTime(undefined, (signal) => this.#update(change, { isKnown: wasValid, signal }));
    if (end === "conflict") throw new Error(`lease ${formatKey(key)}: other clients write it at the same time`);
    return end === "written";
  }

  /** Only if this process made the Lease, even by a write without a response. */
  async delete(): Promise<void> {
    const { client, key, identity } = this.#options;
    this.#end();
    await this.#inTime(undefined, async (signal) => {
      const lease = this.#observed?.lease ?? (this.#writeOutcomeUnknown ? await this.#read(signal) : undefined);
      if (lease?.spec?.holderIdentity !== identity) return;
      await client.delete(LEASES, key, { uid: lease.metadata?.uid, signal }).catch((error) => {
        if (!(error instanceof NotFoundError || error instanceof ConflictError)) throw error;
      });
    });
  }

  #end(): void {
    this.#ended = true;
    this.#validSince = undefined;
  }

  async #hold(
    signal: AbortSignal,
    { may, isKnown, annotations }: {
      readonly may: (lease?: LeaseObject) => boolean;
      readonly isKnown: boolean;
      readonly annotations?: Readonly<Record<string, string>>;
    },
  ): Promise<LeaseUpdate> {
    const { clock, identity, labels, timing: { leaseDurationMs } } = this.#options;
    const since = { nowMs: clock.now(), elapsedMs: clock.elapsed() };
    const change = (lease?: LeaseObject) => {
      if (!may(lease)) {
        this.#validSince = undefined;
        return undefined;
      }
      const { metadata = { labels } } = lease ?? {};
      const set = annotations && { annotations: { ...metadata.annotations, ...annotations } };
      const next = { ...lease, metadata: { ...metadata, ...set } };
      return heldBy(next, identity, since.nowMs, Math.ceil(leaseDurationMs / 1_000));
    };
    const end = await this.#inTime(signal, (bounded) => this.#update(change, { isKnown, signal: bounded }));
    if (end === "written" && !this.#ended) this.#validSince = since;
    return end;
  }

  #inTime<R>(parent: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const { clock, timing: { renewDeadlineMs } } = this.#options;
    return within(clock, renewDeadlineMs, parent, work);
  }

  /** `isKnown` starts from the last read or write: one request instead of two. */
  async #update(
    change: LeaseChange,
    { isKnown, signal }: { readonly isKnown: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<LeaseUpdate> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const lease = isKnown && attempt === 1 ? this.#observed?.lease : await this.#read(signal);
      const next = await change(lease);
      if (!next) return "declined";
      if (await this.#write(next, signal)) return "written";
    }
    return "conflict";
  }

  async #read(signal: AbortSignal | undefined): Promise<LeaseObject | undefined> {
    const { client, key, clock } = this.#options;
    const lease = await client.find<LeaseObject>(LEASES, key, { signal });
    if (lease) this.#observe(lease);
    else if (this.#observed) this.#observed = { deletedMs: clock.elapsed(), ...this.#observed };
    return lease;
  }

  /** False if the server no longer has the version read. */
  async #write(lease: LeaseObject, signal: AbortSignal | undefined): Promise<boolean> {
    const { client, key } = this.#options;
    try {
      const written = lease.metadata?.resourceVersion
        ? await client.replace(LEASES, lease, { signal })
        : await client.create(LEASES, {
          apiVersion: "coordination.k8s.io/v1",
          kind: "Lease",
          ...lease,
          metadata: { ...lease.metadata, ...key },
        }, { signal });
      this.#writeOutcomeUnknown = false;
      this.#observe(written);
      return true;
    } catch (error) {
      this.#writeOutcomeUnknown ||= mayHaveBeenWritten(error);
      if (error instanceof ConflictError || error instanceof AlreadyExistsError || error instanceof NotFoundError) {
        return false;
      }
      throw error;
    }
  }

  #observe(lease: LeaseObject): void {
    const { resourceVersion } = lease.metadata ?? {}, known = this.#observed;
    const isSame = known?.lease.metadata?.resourceVersion === resourceVersion;
    this.#observed = { lease, changedMs: isSame && known ? known.changedMs : this.#options.clock.elapsed() };
  }
}

function mayHaveBeenWritten(error: unknown): boolean {
  if (error instanceof UnreachableError) return error.maybeReceived;
  return !(error instanceof ApiError) || error instanceof ServerError;
}
