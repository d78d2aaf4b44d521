import { createHash } from "node:crypto";
import { describeError } from "../base/mod.ts";
import { joinedName } from "../apimachinery/mod.ts";
import { CheckedLease } from "./checked_lease.ts";
import type { LeaseObject } from "./lease.ts";
import { LeaseLostError } from "./lease_lost_error.ts";
import { Membership, type MembershipOptions } from "./membership.ts";
import {
  ownersOf,
  planShards,
  shardOf,
  type ShardOwners,
  type ShardPlan,
  SHARDS,
  SHARDS_LABEL,
  shardsLeaseName,
  withOwners,
} from "./shards.ts";

/**
 * One of several replicas that share a cluster's namespaces, by shards with one owner each. Few shards move when a
 * replica joins or leaves.
 *
 * Guarantees: a shard has at most one owner that {@linkcode mayWrite}, if clocks run equally fast. One Lease names the
 * owners. A free shard may be taken: its former owner frees it after ending all work. An owned one only after its owner
 * stopped writing: this replica has deleted its expired Lease, or that Lease has been gone for `renewDeadlineMs`.
 *
 * Gates a `NamespaceScope`.
 */
export class Sharding extends Membership {
  readonly #held = new Set<number>();
  /** Shards no longer covered whose work has not ended yet. */
  readonly #draining = new Set<number>();
  /** Since when owners have had no Lease, in elapsed time. */
  readonly #missing = new Map<string, number>();
  readonly #owners: CheckedLease;

  constructor(options: MembershipOptions) {
    const digest = createHash("sha256").update(options.identity).digest("hex").slice(0, 10);
    super(options, { leaseName: joinedName(options.name, "member", digest), label: SHARDS_LABEL });
    const { client, clock, namespace, name, identity } = options, key = { namespace, name: shardsLeaseName(name) };
    this.#owners = new CheckedLease({ client, clock, key, identity, timing: this.options });
  }

  covers(namespace: string): boolean {
    return this.#held.has(shardOf(namespace)) && this.lease.isValid;
  }

  /** The same for cluster-scoped objects. */
  coversCluster(): boolean {
    return this.covers("");
  }

  /** The number of shards it begins work for. */
  get shards(): number {
    return this.#held.size;
  }

  /** For shards that it owns, or whose work it still ends. */
  get mayWrite(): boolean {
    return this.#held.size + this.#draining.size > 0 && this.lease.isValid;
  }

  /** Whether it works on a shard or still ends its work. */
  owns(shard: number): boolean {
    return (this.#held.has(shard) || this.#draining.has(shard)) && this.lease.isValid;
  }

  /**
   * Resolves when the other replicas can see this one. Shards follow as they hand them over.
   *
   * @throws the signal's reason if it aborts first; {@linkcode LeaseLostError}.
   */
  override async acquire(signal: AbortSignal): Promise<void> {
    const { logger, name, identity } = this.options;
    logger.info("joining the replicas that share the namespaces", { shards: SHARDS, operator: name, identity });
    await super.acquire(signal);
  }

  /** Frees all shards at once; call it after the last write. */
  async release(): Promise<void> {
    await this.ended();
    this.#held.clear();
    this.#draining.clear();
    const { identity, logger } = this.options;
    try {
      await this.#owners.update((lease) => {
        const owners = lease && ownersOf(lease);
        if (!lease || !owners?.includes(identity)) return undefined;
        return withOwners(lease, owners.map((owner) => owner === identity ? "" : owner));
      });
      await this.lease.delete();
      logger.info("all shards are released");
    } catch (error) {
      // The Lease expires by itself; the others only wait longer.
      logger.warn("the shards could not be released", { error: describeError(error) });
    }
  }

  protected override get hasJoined(): boolean {
    return true;
  }

  protected override onExpired(): void {
    this.#end([...this.#held], "pausing: the lease could not be renewed, and other replicas may take the shards");
  }

  protected override async renewOnce(signal: AbortSignal): Promise<void> {
    await this.renew({}, signal);
    await this.poll(signal, (bounded) => this.#rebalance(bounded));
  }

  async #rebalance(signal: AbortSignal): Promise<void> {
    let plan: ShardPlan | undefined, replicas = 0;
    const end = await this.#owners.update(async (lease = {}) => {
      // In this order: an owner without a Lease is dead only if it was an owner before the Leases were read.
      const owners = this.#ownersIn(lease);
      const members = (await this.members.list(signal)).map(({ spec }) => spec?.holderIdentity ?? "");
      const { dead, waited } = this.#missingOwners(owners, members);
      replicas = members.length;
      // Freed for all replicas: the others have not seen them die.
      const freed = owners.map((owner) => dead.has(owner) ? "" : owner);
      const held = new Set([...this.#held, ...this.#draining]);
      plan = planShards({ me: this.options.identity, owners: freed, members: [...members, ...waited], held });
      if (plan.stolen.length > 0) throw new LeaseLostError(`shards ${plan.stolen} have another owner`);
      this.#end(plan.handOver, "handing shards over");
      return plan.writes || dead.size > 0 ? withOwners(lease, plan.owners) : undefined;
    }, signal);
    if (end !== "written" || !plan || plan.taken.length === 0) return;
    for (const shard of plan.taken) this.#held.add(shard);
    this.options.logger.info("shards taken", { taken: plan.taken.length, held: this.#held.size, replicas });
    this.notify();
  }

  /**
   * Dead owners, and those that may still write since their Lease was just deleted. A leaving owner frees its shards
   * first.
   */
  #missingOwners(owners: ShardOwners, members: readonly string[]) {
    const { clock, renewDeadlineMs } = this.options, nowMs = clock.elapsed(), { deleted } = this.members;
    const lacking = new Set(owners.filter((owner) => owner !== "" && !members.includes(owner)));
    for (const known of this.#missing.keys()) if (!lacking.has(known)) this.#missing.delete(known);
    for (const owner of lacking) {
      if (deleted.has(owner)) this.#missing.set(owner, -Infinity);
      else if (!this.#missing.has(owner)) this.#missing.set(owner, nowMs);
    }
    const dead = new Set([...lacking].filter((owner) => nowMs - this.#missing.get(owner)! >= renewDeadlineMs));
    return { dead, waited: [...lacking].filter((owner) => !dead.has(owner)) };
  }

  #end(shards: readonly number[], why: string): void {
    const fresh = shards.filter((shard) => this.#held.delete(shard));
    if (fresh.length === 0) return;
    for (const shard of fresh) this.#draining.add(shard);
    this.options.logger.info(why, { shards: fresh.length, held: this.#held.size });
    this.notify();
    this.drain(() => fresh.forEach((shard) => this.#draining.delete(shard)));
  }

  /** Empty if the Lease does not exist yet. */
  #ownersIn(lease: LeaseObject): ShardOwners {
    if (!lease.metadata) return Array(SHARDS).fill("");
    const owners = ownersOf(lease);
    if (owners) return owners;
    throw new LeaseLostError(
      `lease ${lease.metadata.name} does not hold the owners of ${SHARDS} shards: stop all replicas, then delete it`,
    );
  }
}
