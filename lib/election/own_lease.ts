import type { Clock } from "../base/mod.ts";
import { formatKey, type ObjectKey } from "../apimachinery/mod.ts";
import { AlreadyExistsError, type Client, ConflictError, NotFoundError } from "../client/mod.ts";
import { heldBy, type LeaseObject, LEASES } from "./lease.ts";
import { LeaseLostError } from "./lease_lost_error.ts";
import { type LeaseTiming, within } from "./lease_timing.ts";
import { type Instant, instantOf, LeaseValidity } from "./lease_validity.ts";

/** What a lease of one's own is made with. */
export interface OwnLeaseOptions {
  /** Sends lease requests; must not be fenced, nor try again by itself. */
  readonly client: Client;
  readonly clock: Clock;
  readonly key: Required<ObjectKey>;
  /** Who it stands for: a name that no process had before. */
  readonly identity: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly timing: LeaseTiming;
}

/**
 * A Lease that one process makes for itself and nobody else ever holds: as long as it is renewed the process is there,
 * and what the process says of itself stands in its annotations.
 *
 * Guarantees: {@linkcode isValid} only while nobody can have taken the process for dead. Whoever has not seen the lease
 * change for its duration deletes it, at the very version that was seen; a renewal that is late finds it gone, and the
 * process is dead for good.
 */
export class OwnLease {
  readonly #options: OwnLeaseOptions;
  #lease: LeaseObject | undefined;
  /** That it is certainly ours: counted from before the request that renewed it. */
  readonly #reliance: LeaseValidity;
  #withdrawn = false;

  constructor(options: OwnLeaseOptions) {
    this.#options = options;
    this.#reliance = new LeaseValidity(options.clock);
  }

  /** Its name in the cluster. */
  get name(): string {
    return this.#options.key.name;
  }

  /** Whether the process may rely on being taken for alive now. */
  get isValid(): boolean {
    return this.#reliance.holds;
  }

  /** For how long it may still rely on that; 0 or less where it may not. */
  get leftMs(): number {
    return this.#reliance.leftMs;
  }

  /**
   * Makes the lease, or renews it, and says `annotations` in it. Ends after `renewMsMax`: a request that hangs must not
   * hide that time is over.
   *
   * @throws {LeaseLostError} where it is gone, or somebody else's: this process counts as dead.
   */
  async say(annotations: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    const { clock, timing } = this.#options, before = instantOf(clock);
    this.#lease = await within(
      clock,
      timing.renewMsMax,
      signal,
      (bounded) => this.#write(annotations, before, bounded),
    );
    if (!this.#withdrawn) this.#reliance.renew(before, timing.renewMsMax);
  }

  /** Takes the lease back; the process is not there any more, and all who look know it at once. */
  async withdraw(): Promise<void> {
    this.#withdrawn = true;
    this.#reliance.end();
    const { uid } = this.#lease?.metadata ?? {};
    if (!uid) return;
    const { client, key } = this.#options;
    await client.delete(LEASES, key, { uid }).catch((error) => {
      if (!(error instanceof NotFoundError || error instanceof ConflictError)) throw error;
    });
  }

  async #write(
    annotations: Readonly<Record<string, string>>,
    { nowMs }: Instant,
    signal: AbortSignal,
  ): Promise<LeaseObject> {
    const { client, key, labels } = this.#options;
    const metadata = { ...key, labels, annotations };
    if (!this.#lease) {
      const fresh = this.#held({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata }, nowMs);
      try {
        return await client.create(LEASES, fresh, { signal });
      } catch (error) {
        // A create whose answer was lost may have been carried out: the lease is ours then.
        if (!(error instanceof AlreadyExistsError)) throw error;
        this.#lease = await this.#find(signal);
      }
    }
    try {
      return await client.replace(LEASES, this.#held(said(this.#lease, annotations), nowMs), { signal });
    } catch (error) {
      if (!(error instanceof ConflictError || error instanceof NotFoundError)) throw error;
      // Somebody's label on it is no loss.
      this.#lease = await this.#find(signal);
      return await client.replace(LEASES, this.#held(said(this.#lease, annotations), nowMs), { signal });
    }
  }

  async #find(signal: AbortSignal): Promise<LeaseObject> {
    const { client, key, identity } = this.#options;
    const found = await client.find<LeaseObject>(LEASES, key, { signal });
    const holder = found?.spec?.holderIdentity;
    if (found && holder === identity) return found;
    this.#reliance.end();
    throw new LeaseLostError(`lease ${formatKey(key)} is lost: ${found ? `${holder} has it` : "it is gone"}`);
  }

  #held(lease: LeaseObject, nowMs: number): LeaseObject {
    const { identity, timing } = this.#options;
    return heldBy(lease, identity, nowMs, Math.ceil(timing.leaseMs / 1_000));
  }
}

function said(lease: LeaseObject, annotations: Readonly<Record<string, string>>): LeaseObject {
  return { ...lease, metadata: { ...lease.metadata, annotations: { ...lease.metadata?.annotations, ...annotations } } };
}
