import { formatJson, parseJson } from "../base/mod.ts";
import { createHash } from "node:crypto";
import { joinedName } from "../apimachinery/mod.ts";
import type { LeaseObject } from "./lease.ts";

/** The number of shards. No setting: replicas with two numbers would disagree about the owner of a namespace. */
export const SHARDS = 64;

/** Label of the Lease of each replica that shares the work: the name of its operator. */
export const SHARDS_LABEL = "pintle.dev/shards";

const OWNERS = "pintle.dev/shard-owners";

/** The name of the Lease that names the owner of each shard. */
export function shardsLeaseName(operator: string): string {
  return joinedName(operator, "shards");
}

/** The shard of a namespace; the empty string is the namespace of cluster-scoped objects. */
export function shardOf(namespace: string): number {
  return createHash("sha256").update(namespace).digest().readUInt32BE() % SHARDS;
}

/**
 * The member that should own each shard, by rendezvous hashing with bounded loads: independent of the order of the
 * members; no member has more than its share, rounded up; few shards move when one joins or leaves. Empty without
 * members.
 */
export function assignShards(members: readonly string[]): string[] {
  const unique = [...new Set(members)].sort(), load = new Map(unique.map((member) => [member, 0]));
  if (unique.length === 0) return [];
  const most = Math.ceil(SHARDS / unique.length);
  return Array.from({ length: SHARDS }, (_, shard) => {
    const ranked = unique.map((member) => ({ member, weight: weightOf(shard, member) })).sort((a, b) =>
      b.weight - a.weight
    );
    const { member } = ranked.find(({ member }) => load.get(member)! < most)!;
    load.set(member, load.get(member)! + 1);
    return member;
  });
}

function weightOf(shard: number, member: string): number {
  return createHash("sha256").update(`${shard}/${member}`).digest().readUIntBE(0, 6);
}

/** The owner of each shard; empty where it has none. */
export type ShardOwners = readonly string[];

/** The owners that a Lease holds; undefined where it holds none, or those of another number of shards. */
export function ownersOf({ metadata }: LeaseObject): ShardOwners | undefined {
  try {
    const owners = parseJson(metadata?.annotations?.[OWNERS] ?? "");
    const fits = Array.isArray(owners) && owners.length === SHARDS &&
      owners.every((owner) => typeof owner === "string");
    return fits ? owners : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A Lease that holds `owners`. It always differs from the one before, also where the owners are the same: an earlier
 * write that still arrives then meets a conflict.
 */
export function withOwners(lease: LeaseObject, owners: ShardOwners): LeaseObject {
  const annotations = { ...lease.metadata?.annotations, [OWNERS]: formatJson(owners) };
  const leaseTransitions = (lease.spec?.leaseTransitions ?? 0) + 1;
  return { ...lease, metadata: { ...lease.metadata, annotations }, spec: { ...lease.spec, leaseTransitions } };
}

/** What a replica has read when it decides. */
interface ShardView {
  readonly me: string;
  /** Read before `members`: only then is an owner that is not a member dead. */
  readonly owners: ShardOwners;
  /** Replicas that are alive. */
  readonly members: readonly string[];
  /** Shards that this replica works on, or whose work it still ends. */
  readonly held: ReadonlySet<number>;
}

/** What a replica does next. */
export interface ShardPlan {
  /** Owners to write. */
  readonly owners: ShardOwners;
  /** Shards that this replica owns once `owners` is written, and does not hold yet. */
  readonly taken: readonly number[];
  /** Whether `owners` must be written, if only so that an earlier write meets a conflict. */
  readonly writes: boolean;
  /** Shards to hand over, once their work has ended. */
  readonly handOver: readonly number[];
  /** Shards that this replica holds and that have another owner: this must never happen. */
  readonly stolen: readonly number[];
}

/** What `me` does: takes free shards that it should own, hands over those that it should not, frees those it ended. */
export function planShards({ me, owners, members, held }: ShardView): ShardPlan {
  const target = assignShards(members), alive = new Set(members), handOver: number[] = [], stolen: number[] = [];
  const next = owners.map((owner, shard) => {
    if (owner === me) {
      if (target[shard] === me) return me;
      if (held.has(shard)) {
        handOver.push(shard);
        return me;
      }
      // Its work has ended, or a write whose answer was lost has been carried out.
      return "";
    }
    if (held.has(shard)) stolen.push(shard);
    return target[shard] === me && (owner === "" || !alive.has(owner)) ? me : owner;
  });
  const taken = next.flatMap((owner, shard) => owner === me && !held.has(shard) ? [shard] : []);
  const writes = taken.length > 0 || next.some((owner, shard) => owner !== owners[shard]);
  return { owners: next, taken, writes, handOver, stolen };
}
