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

/** Options of a {@linkcode CheckedLease}. */
interface CheckedLeaseOptions {
  /** Sends lease requests; must not be fenced, nor retry by itself. */
  readonly client: Client;
  readonly clock: Clock;
  readonly key: ObjectKey;
  /** Name of this process, different for each process. */
  readonly identity: string;
  /** Labels that a new Lease gets. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly timing: LeaseTiming;
}

/** How an update ended: `declined` where the caller made no change, `conflict` where other writers came first. */
type LeaseUpdate = "written" | "declined" | "conflict";

/** What to write of a Lease that was read, undefined where it does not exist; returns undefined to write nothing. */
type LeaseChange = (lease?: LeaseObject) => Promise<LeaseObject | undefined> | LeaseObject | undefined;

/**
 * One Lease under optimistic locking: every write replaces the version that was read, and a conflict reads it again.
 *
 * Guarantees: {@linkcode isValid} only while no other process can have taken the Lease. It is counted from before the
 * request that renewed it, for `renewMsMax`, by the first of two clocks to pass it: the time of day runs on while the
 * machine sleeps, the elapsed time also where the time of day is set back. A request that hangs ends after
 * `renewMsMax`.
 */
export class CheckedLease {
  readonly #options: CheckedLeaseOptions;
  #observed: ObservedLease | undefined;
  #validSince: { readonly nowMs: number; readonly elapsedMs: number } | undefined;
  /** The server may have carried out a write, or may still do so, whose response did not arrive. */
  #unanswered = false;
  #ended = false;

  constructor(options: CheckedLeaseOptions) {
    this.#options = options;
  }

  /** Its name in the cluster. */
  get name(): string {
    return this.#options.key.name;
  }

  /** The holder that was last read; empty where there is none. */
  get holder(): string {
    return this.#observed?.lease.spec?.holderIdentity ?? "";
  }

  /** Whether this process certainly holds the Lease now. */
  get isValid(): boolean {
    return this.validMs > 0;
  }

  /** For how long this process certainly holds the Lease; 0 or less where it does not. */
  get validMs(): number {
    if (!this.#validSince) return 0;
    const { clock, timing: { renewMsMax } } = this.#options, { nowMs, elapsedMs } = this.#validSince;
    return renewMsMax - Math.max(clock.now() - nowMs, clock.elapsed() - elapsedMs);
  }

  /** Takes or renews the Lease of which one candidate at a time is the holder. False: another one holds it. */
  async tryAcquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const { identity, clock, timing } = this.#options;
    const may = () => !this.#observed || mayHold(this.#observed, identity, clock.elapsed(), timing.renewMsMax);
    return await this.#hold(signal, { may, isKnown: this.isValid }) === "written";
  }

  /**
   * Creates or renews a Lease that only this process ever holds, and sets `annotations` in it. Other processes delete
   * it, at the version that they read, where it has not changed for its duration.
   *
   * @throws {LeaseLostError} where it is gone, or has another holder: the other processes count this one as dead.
   */
  async renew(annotations: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    const { key, identity } = this.#options, name = formatKey(key);
    const isOwn = (lease?: LeaseObject) => lease ? lease.spec?.holderIdentity === identity : !this.#observed;
    const end = await this.#hold(signal, { may: isOwn, isKnown: true, annotations });
    if (end === "conflict") throw new Error(`lease ${name} cannot be renewed: others write it at the same time`);
    if (end === "written") return;
    const why = this.#observed?.deletedMs === undefined ? `${this.holder} has it` : "it is gone";
    throw new LeaseLostError(`lease ${name} is lost: ${why}`);
  }

  /** Reads the Lease and writes what `change` makes of it; after a conflict it reads it again. */
  update(change: LeaseChange, signal?: AbortSignal): Promise<LeaseUpdate> {
    return this.#update(change, { isKnown: false, signal });
  }

  /**
   * Gives the Lease up where this process holds it, so that another one may take it at once: also a Lease that it took
   * by a write whose response did not arrive. Returns whether it held the Lease.
   */
  async release(): Promise<boolean> {
    const { clock, identity, key } = this.#options, wasValid = this.isValid;
    this.#end();
    if (!wasValid && !this.#unanswered) return false;
    const change = (lease?: LeaseObject) =>
      lease?.spec?.holderIdentity === identity ? released(lease, clock.now()) : undefined;
    const end = await this.#inTime(undefined, (signal) => this.#update(change, { isKnown: wasValid, signal }));
    if (end === "conflict") throw new Error(`lease ${formatKey(key)}: others write it at the same time`);
    return end === "written";
  }

  /** Deletes the Lease where this process made it, also by a write whose response did not arrive. */
  async delete(): Promise<void> {
    const { client, key, identity } = this.#options;
    this.#end();
    await this.#inTime(undefined, async (signal) => {
      const lease = this.#observed?.lease ?? (this.#unanswered ? await this.#read(signal) : undefined);
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
    const { clock, identity, labels, timing: { leaseMs } } = this.#options;
    const since = { nowMs: clock.now(), elapsedMs: clock.elapsed() };
    const change = (lease?: LeaseObject) => {
      if (!may(lease)) {
        this.#validSince = undefined;
        return undefined;
      }
      const { metadata = { labels } } = lease ?? {};
      const set = annotations && { annotations: { ...metadata.annotations, ...annotations } };
      const next = { ...lease, metadata: { ...metadata, ...set } };
      return heldBy(next, identity, since.nowMs, Math.ceil(leaseMs / 1_000));
    };
    const end = await this.#inTime(signal, (bounded) => this.#update(change, { isKnown, signal: bounded }));
    if (end === "written" && !this.#ended) this.#validSince = since;
    return end;
  }

  #inTime<R>(parent: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const { clock, timing: { renewMsMax } } = this.#options;
    return within(clock, renewMsMax, parent, work);
  }

  /** `isKnown`: the first write is based on what was last read or written, one request instead of two. */
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

  /** Whether the server accepted the write at the version that was read. */
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
      this.#unanswered = false;
      this.#observe(written);
      return true;
    } catch (error) {
      this.#unanswered ||= mayBeCarriedOut(error);
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

function mayBeCarriedOut(error: unknown): boolean {
  if (error instanceof UnreachableError) return error.maybeReceived;
  return !(error instanceof ApiError) || error instanceof ServerError;
}
