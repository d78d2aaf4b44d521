import type { KubeObject } from "../apimachinery/mod.ts";
import type { ApiResource } from "../apimachinery/mod.ts";

/** A Lease (coordination.k8s.io/v1). Times are RFC 3339 with microseconds. */
export interface LeaseObject extends KubeObject {
  /** Who holds it, and since when. */
  spec?: {
    /** Absent or empty: nobody. */
    holderIdentity?: string | null;
    leaseDurationSeconds?: number | null;
    acquireTime?: string | null;
    renewTime?: string | null;
    /** How often it went from one holder to another. */
    leaseTransitions?: number | null;
  };
}

/** coordination.k8s.io/v1 leases. */
export const LEASES: ApiResource = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
};

/** A lease as this process saw it, and when it last saw it change. */
export interface ObservedLease {
  readonly lease: LeaseObject;
  /** By the elapsed time of this process: the holder's clock may be wrong, and this one's time of day may be set. */
  readonly changedMs: number;
}

/** What a candidate does next. */
export type LeaseStep =
  /** It holds the lease: extend it. */
  | { readonly kind: "renew" }
  /** Nobody holds it, or its holder has let it expire: take it. */
  | { readonly kind: "take" }
  /** Somebody holds it; it expires at `untilMs`, of elapsed time, unless it is renewed. */
  | { readonly kind: "wait"; readonly untilMs: number };

/**
 * What `identity` does about a lease, from nothing but what it has seen (client-go's rules: a lease that did not change
 * for its own duration has expired, whatever its times say, because clocks differ between machines).
 */
export function nextStep({ lease, changedMs }: ObservedLease, identity: string, elapsedMs: number): LeaseStep {
  const { holderIdentity, leaseDurationSeconds } = lease.spec ?? {};
  if (holderIdentity === identity) return { kind: "renew" };
  if (!holderIdentity) return { kind: "take" };
  const untilMs = changedMs + (leaseDurationSeconds ?? 0) * 1_000;
  return elapsedMs >= untilMs ? { kind: "take" } : { kind: "wait", untilMs };
}

/** `lease` with `identity` as its holder from `nowMs` on. */
export function heldBy(
  lease: LeaseObject,
  identity: string,
  nowMs: number,
  leaseDurationSeconds: number,
): LeaseObject {
  const { spec = {} } = lease, now = microTime(nowMs), former = spec.holderIdentity;
  const same = former === identity;
  return {
    ...lease,
    spec: {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds,
      acquireTime: same ? spec.acquireTime ?? now : now,
      renewTime: now,
      // The first holder of a lease did not take it from anybody.
      leaseTransitions: (spec.leaseTransitions ?? 0) + (same || former === undefined ? 0 : 1),
    },
  };
}

/** `lease` given up: whoever looks next may take it at once. */
export function released(lease: LeaseObject, nowMs: number): LeaseObject {
  const now = microTime(nowMs);
  const { leaseTransitions } = lease.spec ?? {};
  // A duration of 0 is refused by the API server.
  const spec = { holderIdentity: "", leaseDurationSeconds: 1, acquireTime: now, renewTime: now, leaseTransitions };
  return { ...lease, spec };
}

/** RFC 3339 with microseconds, as `metav1.MicroTime` is written. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace(/Z$/, "000Z");
}
