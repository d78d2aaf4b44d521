import { createHash } from "node:crypto";
import { formatTime, joinedName } from "../apimachinery/mod.ts";
import type { LeaseObject } from "./lease.ts";

/** Of the Lease of each peer: the name of the peering. */
export const PEERING_LABEL = "pintle.dev/peering";

const PRIORITY = "pintle.dev/priority", STATE = "pintle.dev/peer-state", REPLICAS = "pintle.dev/replicas-of";
const MESSAGE = "pintle.dev/message";

/**
 * What a peer does: `active` works, or is about to; `paused` has nothing under way and writes nothing; `freeze` is no
 * operator but somebody's word that those of lower or equal priority pause, and `hold` is one that lasts only while
 * somebody renews it.
 */
export type PeerState = "active" | "paused" | "freeze" | "hold";

/** Somebody of a peering. */
export interface Peer {
  readonly identity: string;
  /** The higher one works. */
  readonly priority: number;
  readonly state: PeerState;
  /** The lease or shards by which its replicas agree among themselves; they are no rivals. */
  readonly replicasOf?: string;
  /** Why, for people. */
  readonly message?: string;
  /** When a freeze ends, by the server's clock; milliseconds since the epoch. */
  readonly endsMs?: number;
}

/** Where a peer stands among the others. */
export type Standing =
  /** It may work. */
  | { readonly kind: "free" }
  /** It may work as soon as these, of lower priority, have paused. */
  | { readonly kind: "next"; readonly waitsFor: readonly Peer[] }
  /** It pauses because of `by`. */
  | { readonly kind: "paused"; readonly by: Peer }
  /** It pauses, and so does `with`, of the same priority: nobody can say which one is meant. */
  | { readonly kind: "clash"; readonly with: Peer };

/** Where `me` stands among `others`, from nothing but what they say. */
export function standing(me: Peer, others: readonly Peer[]): Standing {
  const rivals = others.filter(({ identity, replicasOf }) =>
    identity !== me.identity && (replicasOf === undefined || replicasOf !== me.replicasOf)
  );
  const isFreeze = ({ state }: Peer) => state === "freeze" || state === "hold";
  const above = rivals.filter((peer) => peer.priority > me.priority || isFreeze(peer) && peer.priority === me.priority);
  if (above.length > 0) return { kind: "paused", by: above.reduce((a, b) => b.priority > a.priority ? b : a) };
  const equal = rivals.find(({ priority }) => priority === me.priority);
  if (equal) return { kind: "clash", with: equal };
  const busy = rivals.filter(({ state }) => state === "active");
  return busy.length > 0 ? { kind: "next", waitsFor: busy } : { kind: "free" };
}

/** The name of a peer's Lease. */
export function peerLeaseName(peering: string, identity: string): string {
  // An identity is free text: only a digest of it can be part of a name.
  return joinedName(peering, "peer", createHash("sha256").update(identity).digest("hex").slice(0, 10));
}

/** What a peer's Lease says of it. */
export function peerAnnotations({ priority, state, replicasOf, message }: Peer): Record<string, string> {
  return {
    [PRIORITY]: `${priority}`,
    [STATE]: state,
    ...(replicasOf === undefined ? {} : { [REPLICAS]: replicasOf }),
    ...(message === undefined ? {} : { [MESSAGE]: message }),
  };
}

/**
 * The peer that a Lease stands for. What cannot be read as a priority counts as 0, an unknown state as `active`: rather
 * pause than clash.
 */
export function peerOf(lease: LeaseObject): Peer {
  const { annotations = {}, name = "" } = lease.metadata ?? {}, state = annotations[STATE] as PeerState;
  const priority = Number(annotations[PRIORITY] ?? 0);
  return {
    identity: lease.spec?.holderIdentity || name,
    priority: Number.isSafeInteger(priority) ? priority : 0,
    state: ["paused", "freeze", "hold"].includes(state) ? state : "active",
    replicasOf: annotations[REPLICAS],
    message: annotations[MESSAGE],
    endsMs: freezeEndsMs(lease),
  };
}

/** When a freeze that nobody renews ends: counted from when the server made it, so that no laptop's clock matters. */
export function freezeEndsMs({ metadata, spec }: LeaseObject): number | undefined {
  if (metadata?.annotations?.[STATE] !== "freeze") return undefined;
  return Date.parse(metadata.creationTimestamp ?? "") + (spec?.leaseDurationSeconds ?? 0) * 1_000;
}

/** For people: `ada@laptop (priority 100, "database move", until 2026-01-01T00:00:00Z)`. */
export function describePeer({ identity, priority, message, endsMs }: Peer): string {
  const more = [message && `"${message}"`, endsMs && `until ${formatTime(endsMs)}`].filter(Boolean);
  return `${identity} (${[`priority ${priority}`, ...more].join(", ")})`;
}
