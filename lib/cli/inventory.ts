import { configurationResource } from "../admission/mod.ts";
import {
  type ApiResource,
  type DynamicObject,
  formatGroupResource,
  type KubeObject,
  type ObjectKey,
  type ResourceKind,
} from "../apimachinery/mod.ts";
import { type Client, isNotFound } from "../client/mod.ts";
import { addsFinalizer } from "../controller/mod.ts";
import { type LeaseObject, LEASES, PEERING_LABEL, peerOf, SHARDS_LABEL, shardsLeaseName } from "../election/mod.ts";
import { type BuiltinObject, declareSelected, Deployment, kindsSelected, type Operator, Pod } from "../operator/mod.ts";

export type Account = Required<ObjectKey>;

export interface HandledKind {
  readonly kind: ResourceKind;
  /** `plural.group`. */
  readonly name: string;
  /** Whether the operator brings the CRD. */
  readonly own: boolean;
  /** Finalizer of delete handlers and daemons. */
  readonly finalizer: string;
  /** Whether it has any of these, so that deletion waits for the operator. */
  readonly holds: boolean;
}

/** The kinds that an operator handles, including those that it selects from the cluster's. */
export async function handledKinds(operator: Operator, client: Client, signal: AbortSignal): Promise<HandledKind[]> {
  const selected = (await kindsSelected(operator, client, signal)).map(({ selection, kind }) =>
    declareSelected(selection, kind, operator.storage)
  );
  return [...operator.declarations, ...selected].map((declaration) => ({
    kind: declaration.kind,
    name: formatGroupResource(declaration.kind),
    own: "crd" in declaration.kind,
    finalizer: operator.finalizer(declaration.kind),
    holds: addsFinalizer(declaration),
  }));
}

/** Metadata of a kind's objects; empty if it is not served. */
export async function objectsOf(client: Client, kind: ResourceKind, signal: AbortSignal): Promise<KubeObject[]> {
  try {
    return (await client.list<KubeObject>(kind, { metadataOnly: true, signal })).items;
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** An operator's webhook configurations, of this release or an earlier one. */
export async function webhooksOf(
  client: Client,
  operator: Operator,
  signal: AbortSignal,
): Promise<{ resource: ApiResource; live: DynamicObject }[]> {
  const found = await Promise.all(
    (["mutate", "validate"] as const).map(configurationResource).map(async (resource) => {
      const live = await client.find<DynamicObject>(resource, { name: operator.name }, { signal });
      return live ? [{ resource, live }] : [];
    }),
  );
  return found.flat();
}

export async function deploymentsOf(client: Client, account: Account, signal: AbortSignal): Promise<BuiltinObject[]> {
  const { items } = await client.list<BuiltinObject>(Deployment, { namespace: account.namespace, signal });
  return items.filter(({ spec }) => {
    const { template } = (spec ?? {}) as { template?: { spec?: { serviceAccountName?: string } } };
    return template?.spec?.serviceAccountName === account.name;
  });
}

/** An operator's Leases: of its leader, shards, replicas and peers. */
export async function leasesOf(
  client: Client,
  { namespace, name }: Account,
  signal: AbortSignal,
): Promise<LeaseObject[]> {
  const { items } = await client.list<LeaseObject>(LEASES, { namespace, signal });
  return items.filter(({ metadata }) =>
    metadata?.name === name || metadata?.name === shardsLeaseName(name) ||
    [PEERING_LABEL, SHARDS_LABEL].some((label) => metadata?.labels?.[label] === name)
  );
}

export async function podsOf(client: Client, account: Account, signal: AbortSignal): Promise<BuiltinObject[]> {
  const { items } = await client.list<BuiltinObject>(Pod, { namespace: account.namespace, signal });
  return items.filter(({ spec }) => spec?.serviceAccountName === account.name);
}

export function isWorking({ metadata, status }: BuiltinObject): boolean {
  const { conditions } = (status ?? {}) as { conditions?: { type: string; status: string }[] | null };
  return metadata?.deletionTimestamp === undefined &&
    (conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True");
}

/** Whole seconds and response time make a Lease look older than it is. */
const FRESH_MS_MORE = 3_000;

/** Whether a Lease has expired by its own times. `nowMs` is the server's time. */
export function isExpired({ spec, metadata }: LeaseObject, nowMs: number): boolean {
  const sinceMs = Date.parse(spec?.renewTime ?? metadata?.creationTimestamp ?? "");
  return nowMs > sinceMs + (spec?.leaseDurationSeconds ?? 0) * 1_000 + FRESH_MS_MORE;
}

/** Whether a Lease shows that a process of its operator works now. */
export function isWorkersLease(lease: LeaseObject, nowMs: number): boolean {
  if (!lease.spec?.holderIdentity || isExpired(lease, nowMs)) return false;
  return lease.metadata?.labels?.[PEERING_LABEL] === undefined || peerOf(lease).state === "active";
}
