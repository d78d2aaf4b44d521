import type { ApiResource, KubeObject } from "../apimachinery/mod.ts";

/** A Lease (coordination.k8s.io/v1). Times are RFC 3339 with microseconds. */
export interface LeaseObject extends KubeObject {
  spec?: {
    /** Absent or empty: the Lease has no holder. */
    holderIdentity?: string | null;
    leaseDurationSeconds?: number | null;
    acquireTime?: string | null;
    renewTime?: string | null;
    leaseTransitions?: number | null;
  };
}

export const LEASES: ApiResource = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
};

/** Times are this process's elapsed time: clocks of two machines differ. */
export interface ObservedLease {
  readonly lease: LeaseObject;
  /** When this process first read this version. */
  readonly changedMs: number;
  /** When this process first found it deleted. */
  readonly deletedMs?: number;
}

/**
 * For its own Lease, a released one, or one unchanged for its duration (as in client-go, whatever its times are). A
 * deleted Lease's holder may rely on it for `renewDeadlineMs` after its last renewal.
 */
export function mayHold(
  { lease: { spec }, changedMs, deletedMs }: ObservedLease,
  identity: string,
  elapsedMs: number,
  renewDeadlineMs: number,
): boolean {
  if (!spec?.holderIdentity || spec.holderIdentity === identity) return true;
  if (deletedMs !== undefined) return elapsedMs - deletedMs >= renewDeadlineMs;
  return elapsedMs - changedMs >= (spec.leaseDurationSeconds ?? 0) * 1_000;
}

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
      // The first holder is no transition.
      leaseTransitions: (spec.leaseTransitions ?? 0) + (same || former === undefined ? 0 : 1),
    },
  };
}

/** Any candidate may take the result at once. */
export function released(lease: LeaseObject, nowMs: number): LeaseObject {
  const now = microTime(nowMs);
  const { leaseTransitions } = lease.spec ?? {};
  // The API server rejects a duration of 0.
  const spec = { holderIdentity: "", leaseDurationSeconds: 1, acquireTime: now, renewTime: now, leaseTransitions };
  return { ...lease, spec };
}

/** RFC 3339 with microseconds (`metav1.MicroTime`). */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace(/Z$/, "000Z");
}
