import { createHash } from "node:crypto";
import { formatTime, joinedName } from "../apimachinery/mod.ts";
import type { LeaseObject } from "./lease.ts";

/** On each peer's Lease; its value is the peering's name. */
export const PEERING_LABEL = "pintle.dev/peering";

const PRIORITY = "pintle.dev/priority", STATE = "pintle.dev/peer-state", REPLICAS = "pintle.dev/replicas-of";
const MESSAGE = "pintle.dev/message";

/**
 * `active` works, or is about to; `paused` has no running work and writes nothing. `freeze` requests, without an
 * operator, that peers of lower or equal priority pause; `hold` does so while it is renewed.
 */
type PeerState = "active" | "paused" | "freeze" | "hold";

export interface Peer {
  readonly identity: string;
  /** The peer with the highest one works. */
  readonly priority: number;
  readonly state: PeerState;
  /** The Lease of its election or shards: peers with the same one are replicas of one operator, and do not compete. */
  readonly replicasOf?: string;
  /** The reason, for people. */
  readonly message?: string;
  /** A freeze's end by the server's clock; milliseconds since the epoch. */
  readonly expiresMs?: number;
}

export type PeerDecision =
  | { readonly kind: "work" }
  /** It may work as soon as these, of lower priority, have paused. */
  | { readonly kind: "wait"; readonly for: readonly Peer[] }
  | { readonly kind: "pause"; readonly by: Peer }
  /** Both pause: nothing decides between equal priorities. */
  | { readonly kind: "conflict"; readonly with: Peer };

export function peerDecision(me: Peer, all: readonly Peer[]): PeerDecision {
  const others = all.filter(({ identity, replicasOf }) =>
    identity !== me.identity && (replicasOf === undefined || replicasOf !== me.replicasOf)
  );
  const isFreeze = ({ state }: Peer) => state === "freeze" || state === "hold";
  const above = others.filter((peer) => peer.priority > me.priority || isFreeze(peer) && peer.priority === me.priority);
  if (above.length > 0) return { kind: "pause", by: above.reduce((a, b) => b.priority > a.priority ? b : a) };
  const equal = others.find(({ priority }) => priority === me.priority);
  if (equal) return { kind: "conflict", with: equal };
  const active = others.filter(({ state }) => state === "active");
  return active.length > 0 ? { kind: "wait", for: active } : { kind: "work" };
}

export function peerLeaseName(peering: string, identity: string): string {
  // An identity is free text: only a digest of it can be part of a name.
  return joinedName(peering, "peer", createHash("sha256").update(identity).digest("hex").slice(0, 10));
}

export function peerAnnotations({ priority, state, replicasOf, message }: Peer): Record<string, string> {
  return {
    [PRIORITY]: `${priority}`,
    [STATE]: state,
    ...(replicasOf === undefined ? {} : { [REPLICAS]: replicasOf }),
    ...(message === undefined ? {} : { [MESSAGE]: message }),
  };
}

/** An unreadable priority counts as 0, an unknown state as `active`: pausing is the safe side. */
export function peerOf(lease: LeaseObject): Peer {
  const { annotations = {}, name = "" } = lease.metadata ?? {}, state = annotations[STATE] as PeerState;
  const priority = Number(annotations[PRIORITY] ?? 0);
  return {
    identity: lease.spec?.holderIdentity || name,
    priority: Number.isSafeInteger(priority) ? priority : 0,
    state: ["paused", "freeze", "hold"].includes(state) ? state : "active",
    replicasOf: annotations[REPLICAS],
    message: annotations[MESSAGE],
    expiresMs: freezeEndsMs(lease),
  };
}

/** Counted from the Lease's creation by the server: a laptop's clock may be wrong. */
export function freezeEndsMs({ metadata, spec }: LeaseObject): number | undefined {
  if (metadata?.annotations?.[STATE] !== "freeze") return undefined;
  return Date.parse(metadata.creationTimestamp ?? "") + (spec?.leaseDurationSeconds ?? 0) * 1_000;
}

/** For people: `ada@laptop (priority 100, "database move", until 2026-01-01T00:00:00Z)`. */
export function describePeer({ identity, priority, message, expiresMs }: Peer): string {
  const more = [message && `"${message}"`, expiresMs && `until ${formatTime(expiresMs)}`].filter(Boolean);
  return `${identity} (${[`priority ${priority}`, ...more].join(", ")})`;
}
