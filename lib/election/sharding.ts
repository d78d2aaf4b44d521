import { createHash } from "node:crypto";
import { describeError } from "../base/mod.ts";
import { joinedName } from "../apimachinery/mod.ts";
import { AlreadyExistsError, ConflictError } from "../client/mod.ts";
import { type LeaseObject, LEASES } from "./lease.ts";
import { LeaseLostError } from "./lease_lost_error.ts";
import { Membership, type MembershipOptions } from "./membership.ts";
import {
  ownersOf,
  planShards,
  shardOf,
  type ShardOwners,
  SHARDS,
  SHARDS_LABEL,
  shardsLeaseName,
  withOwners,
} from "./shards.ts";

/** Attempts to write down that everything is given up, against others that write at the same time. */
const ATTEMPTS_MAX = 5;

/**
 * One of several replicas that share the namespaces of a cluster: they fall into shards, each of which one replica
 * owns. When a replica comes or goes the shards are shared out anew, and few of them move.
 *
 * Guarantees: a shard has at most one owner that {@linkcode mayWrite}, as long as clocks run equally fast. Owners stand
 * in one Lease that is replaced at the version that was read. A shard is taken only where that names nobody, which its
 * owner writes when it has ended all work for it, or names somebody who has stopped to write: this replica has removed
 * their Lease, which was not renewed for its duration, or the Lease has been gone for `renewMsMax`, whoever deleted it.
 *
 * A gate of a `NamespaceScope`.
 */
export class Sharding extends Membership {
  readonly #held = new Set<number>();
  /** Shards that are no longer covered and whose work may still go on. */
  readonly #ending = new Set<number>();
  /** Since when owners have had no Lease, in elapsed time. */
  readonly #missing = new Map<string, number>();

  constructor(options: MembershipOptions) {
    const digest = createHash("sha256").update(options.identity).digest("hex").slice(0, 10);
    super(options, { leaseName: joinedName(options.name, "member", digest), label: SHARDS_LABEL });
  }

  /** Whether this replica takes up work in a namespace. */
  covers(namespace: string): boolean {
    return this.#held.has(shardOf(namespace)) && this.lease.isValid;
  }

  /** Whether this replica takes up work for objects without a namespace. */
  coversCluster(): boolean {
    return this.covers("");
  }

  /** How many shards it takes up work for. */
  get shards(): number {
    return this.#held.size;
  }

  /** Whether this process may write now. For shards that it has handed over nothing is left that could. */
  get mayWrite(): boolean {
    return this.#held.size + this.#ending.size > 0 && this.lease.isValid;
  }

  /** Whether it owns a shard now: works on it, or ends its work. */
  owns(shard: number): boolean {
    return (this.#held.has(shard) || this.#ending.has(shard)) && this.lease.isValid;
  }

  /**
   * Joins the replicas, and resolves when the others can see it; shards come as the others hand them over.
   *
   * @throws the signal's reason where it aborts first; {@linkcode LeaseLostError}.
   */
  override async acquire(signal: AbortSignal): Promise<void> {
    const { logger, name, identity } = this.options;
    logger.info("sharing the work", { shards: SHARDS, operator: name, identity });
    await super.acquire(signal);
  }

  /** Gives every shard up, so that others take them at once; call it when the last write is done. */
  async release(): Promise<void> {
    await this.ended();
    this.#held.clear();
    this.#ending.clear();
    const { client, identity, logger } = this.options;
    try {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        const table = await this.#table(), owners = ownersOf(table) ?? [];
        if (!owners.includes(identity)) break;
        const free = owners.map((owner) => owner === identity ? "" : owner);
        if (await this.#replaced(() => client.replace(LEASES, withOwners(table, free)))) break;
      }
      await this.lease.withdraw();
      logger.info("every shard is given up");
    } catch (error) {
      // The lease runs out by itself; the others only wait longer.
      logger.warn("the shards could not be given up", { error: describeError(error) });
    }
  }

  protected override get hasJoined(): boolean {
    return true;
  }

  protected override lapsed(): void {
    this.#end([...this.#held], "pausing: the others may take this replica for dead, which cannot say that it is there");
  }

  protected override async turn(signal: AbortSignal): Promise<void> {
    await this.say({}, signal);
    await this.look(signal, (bounded) => this.#share(bounded));
  }

  async #share(signal: AbortSignal): Promise<void> {
    const { client, identity, logger } = this.options;
    // In this order: an owner that the list lacks is dead only where it was written down before.
    const table = await this.#table(signal), owners = this.#owners(table);
    const members = (await this.roster.look(signal)).map(({ spec }) => spec?.holderIdentity ?? "");
    const held = new Set([...this.#held, ...this.#ending]), { dead, waited } = this.#withoutLease(owners, members);
    // Freed for the others too, who cannot know how they died.
    const freed = owners.map((owner) => dead.has(owner) ? "" : owner);
    const plan = planShards({ me: identity, owners: freed, members: [...members, ...waited], held });
    if (plan.stolen.length > 0) throw new LeaseLostError(`shards ${plan.stolen} are somebody else's`);
    this.#end(plan.handOver, "handing shards over");
    if (!plan.writes && dead.size === 0) return;
    const write = () => client.replace(LEASES, withOwners(table, plan.owners), { signal });
    // where somebody else wrote, the next turn looks again
    if (!await this.#replaced(write) || plan.gained.length === 0) return;
    for (const shard of plan.gained) this.#held.add(shard);
    logger.info("shards taken", { taken: plan.gained.length, held: this.#held.size, replicas: members.length });
    this.tell();
  }

  /**
   * Owners without a Lease: the dead, and those who may still write, since somebody has deleted it a moment ago. An
   * owner that leaves writes itself out first.
   */
  #withoutLease(owners: ShardOwners, members: readonly string[]) {
    const { clock, renewMsMax } = this.options, nowMs = clock.elapsed(), { removed } = this.roster;
    const lacking = new Set(owners.filter((owner) => owner !== "" && !members.includes(owner)));
    for (const known of this.#missing.keys()) if (!lacking.has(known)) this.#missing.delete(known);
    for (const owner of lacking) {
      if (removed.has(owner)) this.#missing.set(owner, -Infinity);
      else if (!this.#missing.has(owner)) this.#missing.set(owner, nowMs);
    }
    const dead = new Set([...lacking].filter((owner) => nowMs - this.#missing.get(owner)! >= renewMsMax));
    return { dead, waited: [...lacking].filter((owner) => !dead.has(owner)) };
  }

  /** Takes up nothing more for shards, and has their work ended. */
  #end(shards: readonly number[], why: string): void {
    const fresh = shards.filter((shard) => this.#held.delete(shard));
    if (fresh.length === 0) return;
    for (const shard of fresh) this.#ending.add(shard);
    this.options.logger.info(why, { shards: fresh.length, held: this.#held.size });
    this.tell();
    this.drain(() => fresh.forEach((shard) => this.#ending.delete(shard)));
  }

  #owners(table: LeaseObject): readonly string[] {
    const owners = ownersOf(table);
    if (owners) return owners;
    const { name } = table.metadata ?? {};
    throw new LeaseLostError(
      `lease ${name} does not hold the owners of ${SHARDS} shards: delete it while nothing runs`,
    );
  }

  /** The Lease of owners; makes one that names nobody where there is none. */
  async #table(signal?: AbortSignal): Promise<LeaseObject> {
    const { client, namespace, name } = this.options, key = { namespace, name: shardsLeaseName(name) };
    const found = await client.find<LeaseObject>(LEASES, key, { signal });
    if (found) return found;
    const empty = withOwners(
      { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: key },
      Array(SHARDS).fill(""),
    );
    return await client.create(LEASES, empty, { signal }).catch((error) => {
      if (error instanceof AlreadyExistsError) return client.get<LeaseObject>(LEASES, key, { signal });
      throw error;
    });
  }

  async #replaced(write: () => Promise<unknown>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      if (error instanceof ConflictError) return false;
      throw error;
    }
  }
}
