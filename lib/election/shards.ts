import { formatJson, parseJson } from "../base/mod.ts";
import { createHash } from "node:crypto";
import { joinedName } from "../apimachinery/mod.ts";
import type { LeaseObject } from "./lease.ts";

/** Not a setting: replicas with two numbers would disagree about a namespace's owner. */
export const SHARDS = 64;

/** On each sharing replica's Lease; its value is the operator's name. */
export const SHARDS_LABEL = "pintle.dev/shards";

const OWNERS = "pintle.dev/shard-owners";

/** The Lease that names the owner of each shard. */
export function shardsLeaseName(operator: string): string {
  return joinedName(operator, "shards");
}

/** The empty string is the namespace of cluster-scoped objects. */
export function shardOf(namespace: string): number {
  return createHash("sha256").update(namespace).digest().readUInt32BE() % SHARDS;
}

/**
 * The members that should own the shards, by rendezvous hashing with bounded loads: independent of their order. No
 * member exceeds its share, rounded up; few shards move on a change. Empty without members.
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

/** The owner of each shard; empty if it has none. */
export type ShardOwners = readonly string[];

/** Undefined if the Lease holds no owners, or those of another number of shards. */
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

/** Always differs from the Lease before: a late earlier write then meets a conflict. */
export function withOwners(lease: LeaseObject, owners: ShardOwners): LeaseObject {
  const annotations = { ...lease.metadata?.annotations, [OWNERS]: formatJson(owners) };
  const leaseTransitions = (lease.spec?.leaseTransitions ?? 0) + 1;
  return { ...lease, metadata: { ...lease.metadata, annotations }, spec: { ...lease.spec, leaseTransitions } };
}

interface ShardView {
  readonly me: string;
  /** Read before `members`: only then is an owner that is not a member dead. */
  readonly owners: ShardOwners;
  readonly members: readonly string[];
  /** Shards that this replica works on, or whose work it still ends. */
  readonly held: ReadonlySet<number>;
}

export interface ShardPlan {
  readonly owners: ShardOwners;
  /** Shards to work on once `owners` is written. */
  readonly taken: readonly number[];
  /** Whether to write `owners`, if only to make an earlier write conflict. */
  readonly writes: boolean;
  /** Shards to hand over after their work has ended. */
  readonly handOver: readonly number[];
  /** Held shards with another owner: must never happen. */
  readonly stolen: readonly number[];
}

/** Takes free shards that `me` should own, hands over those it should not, frees those it ended. */
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
