import { formatJson, parseJson } from "../base/mod.ts";
import { createHash } from "node:crypto";
import { joinedName } from "../apimachinery/mod.ts";
import type { LeaseObject } from "./lease.ts";

/**
 * Shards that namespaces fall into. Replicas that disagreed about it would disagree about who owns a namespace, so it
 * is no setting.
 */
export const SHARDS = 64;

/** Of the Lease of each replica that shares the work: the name of its operator. */
export const SHARDS_LABEL = "pintle.dev/shards";

const OWNERS = "pintle.dev/shard-owners";

/** The name of the Lease that names the owner of each shard. */
export function shardsLeaseName(operator: string): string {
  return joinedName(operator, "shards");
}

/** The shard of a namespace; the empty one stands for objects without a namespace. */
export function shardOf(namespace: string): number {
  return createHash("sha256").update(namespace).digest().readUInt32BE() % SHARDS;
}

/**
 * Which of the members should own each shard, by rendezvous hashing with bounded loads: the same for whoever asks with
 * the same members, in whatever order; no member has more than its share, rounded up; when one comes or goes few shards
 * move. Empty without members.
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

/** Who owns each shard; empty for nobody. */
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
 * A Lease that holds `owners`. It always differs from the one before, also where the owners are the same: what was sent
 * earlier and is still on its way then comes too late.
 */
export function withOwners(lease: LeaseObject, owners: ShardOwners): LeaseObject {
  const annotations = { ...lease.metadata?.annotations, [OWNERS]: formatJson(owners) };
  const leaseTransitions = (lease.spec?.leaseTransitions ?? 0) + 1;
  return { ...lease, metadata: { ...lease.metadata, annotations }, spec: { ...lease.spec, leaseTransitions } };
}

/** What a replica knows when it decides. */
export interface ShardView {
  readonly me: string;
  /** As the server had them before `members` was asked for: only so is an owner that is missing there dead for sure. */
  readonly owners: ShardOwners;
  /** Replicas that live. */
  readonly members: readonly string[];
  /** Shards that this replica works on, or whose work it is still ending. */
  readonly held: ReadonlySet<number>;
}

/** What a replica does next. */
export interface ShardPlan {
  /** Owners as they should be written. */
  readonly owners: ShardOwners;
  /** Shards that are this replica's once that is written: taken, or taken up again. */
  readonly gained: readonly number[];
  /** Whether anything must be written, be it only so that what is still on its way comes too late. */
  readonly writes: boolean;
  /** Shards that are to be handed over, once their work has ended. */
  readonly handOver: readonly number[];
  /** Shards that this replica holds and somebody took from it: that must never be. */
  readonly stolen: readonly number[];
}

/**
 * What `me` does: takes what is nobody's and should be its own, hands over what should be another's, and gives up what
 * has ended.
 */
export function planShards({ me, owners, members, held }: ShardView): ShardPlan {
  const wanted = assignShards(members), alive = new Set(members), handOver: number[] = [], stolen: number[] = [];
  const next = owners.map((owner, shard) => {
    if (owner === me) {
      if (wanted[shard] === me) return me;
      if (held.has(shard)) {
        handOver.push(shard);
        return me;
      }
      // Its work has ended, or a claim whose answer was lost has come true too late.
      return "";
    }
    if (held.has(shard)) stolen.push(shard);
    return wanted[shard] === me && (owner === "" || !alive.has(owner)) ? me : owner;
  });
  const gained = next.flatMap((owner, shard) => owner === me && !held.has(shard) ? [shard] : []);
  const writes = gained.length > 0 || next.some((owner, shard) => owner !== owners[shard]);
  return { owners: next, gained, writes, handOver, stolen };
}
