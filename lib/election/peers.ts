import { createHash } from "node:crypto";
import { formatTime, joinedName } from "../apimachinery/mod.ts";
import type { LeaseObject } from "./lease.ts";

/** Label of the Lease of each peer: the name of the peering. */
export const PEERING_LABEL = "pintle.dev/peering";

const PRIORITY = "pintle.dev/priority", STATE = "pintle.dev/peer-state", REPLICAS = "pintle.dev/replicas-of";
const MESSAGE = "pintle.dev/message";

/**
 * The state of a peer: `active` works, or is about to; `paused` has no work in flight and writes nothing; `freeze` is a
 * request, not an operator, that those of lower or equal priority pause; `hold` is one that lasts while it is renewed.
 */
type PeerState = "active" | "paused" | "freeze" | "hold";

/** A member of a peering. */
export interface Peer {
  readonly identity: string;
  /** The peer with the highest one works. */
  readonly priority: number;
  readonly state: PeerState;
  /** The Lease of its leader election or shards: peers with the same one are replicas, and no rivals. */
  readonly replicasOf?: string;
  /** The reason, for people. */
  readonly message?: string;
  /** When a freeze ends, by the server's clock; milliseconds since the epoch. */
  readonly endsMs?: number;
}

/** What a peer does, given the others. */
export type PeerDecision =
  /** It may work. */
  | { readonly kind: "work" }
  /** It may work as soon as these, of lower priority, have paused. */
  | { readonly kind: "wait"; readonly for: readonly Peer[] }
  /** It pauses because of `by`. */
  | { readonly kind: "pause"; readonly by: Peer }
  /** It pauses, and so does `with`, of the same priority: nothing decides between them. */
  | { readonly kind: "clash"; readonly with: Peer };

/** What `me` does among `others`. */
export function peerDecision(me: Peer, others: readonly Peer[]): PeerDecision {
  const rivals = others.filter(({ identity, replicasOf }) =>
    identity !== me.identity && (replicasOf === undefined || replicasOf !== me.replicasOf)
  );
  const isFreeze = ({ state }: Peer) => state === "freeze" || state === "hold";
  const above = rivals.filter((peer) => peer.priority > me.priority || isFreeze(peer) && peer.priority === me.priority);
  if (above.length > 0) return { kind: "pause", by: above.reduce((a, b) => b.priority > a.priority ? b : a) };
  const equal = rivals.find(({ priority }) => priority === me.priority);
  if (equal) return { kind: "clash", with: equal };
  const active = rivals.filter(({ state }) => state === "active");
  return active.length > 0 ? { kind: "wait", for: active } : { kind: "work" };
}

/** The name of a peer's Lease. */
export function peerLeaseName(peering: string, identity: string): string {
  // An identity is free text: only a digest of it can be part of a name.
  return joinedName(peering, "peer", createHash("sha256").update(identity).digest("hex").slice(0, 10));
}

/** The annotations of a peer's Lease. */
export function peerAnnotations({ priority, state, replicasOf, message }: Peer): Record<string, string> {
  return {
    [PRIORITY]: `${priority}`,
    [STATE]: state,
    ...(replicasOf === undefined ? {} : { [REPLICAS]: replicasOf }),
    ...(message === undefined ? {} : { [MESSAGE]: message }),
  };
}

/** The peer of a Lease. An unreadable priority counts as 0, an unknown state as `active`: pausing is the safe side. */
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

/** When a freeze with a lifetime ends, counted from its creation by the server: the clock of a laptop may be wrong. */
export function freezeEndsMs({ metadata, spec }: LeaseObject): number | undefined {
  if (metadata?.annotations?.[STATE] !== "freeze") return undefined;
  return Date.parse(metadata.creationTimestamp ?? "") + (spec?.leaseDurationSeconds ?? 0) * 1_000;
}

/** For people: `ada@laptop (priority 100, "database move", until 2026-01-01T00:00:00Z)`. */
export function describePeer({ identity, priority, message, endsMs }: Peer): string {
  const more = [message && `"${message}"`, endsMs && `until ${formatTime(endsMs)}`].filter(Boolean);
  return `${identity} (${[`priority ${priority}`, ...more].join(", ")})`;
}
