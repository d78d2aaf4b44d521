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

/** An operator's ServiceAccount. */
export type Account = Required<ObjectKey>;

/** A kind with handlers of an operator. */
export interface HandledKind {
  readonly kind: ResourceKind;
  /** `plural.group`. */
  readonly name: string;
  /** Whether the operator brings the CRD. */
  readonly own: boolean;
  /** What its delete handlers and daemons put on objects. */
  readonly finalizer: string;
  /** Whether it has any of these, so that a deletion waits for the operator. */
  readonly holds: boolean;
}

/** The kinds that an operator has handlers of, those that it selects of the cluster's kinds included. */
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

/** The metadata of every object of a kind; none where the kind is not served. */
export async function objectsOf(client: Client, kind: ResourceKind, signal: AbortSignal): Promise<KubeObject[]> {
  try {
    return (await client.list<KubeObject>(kind, { metadataOnly: true, signal })).items;
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** The webhook configurations of an operator, of this release or an earlier one. */
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

/** The Deployments whose pods run as an account. */
export async function deploymentsOf(client: Client, account: Account, signal: AbortSignal): Promise<BuiltinObject[]> {
  const { items } = await client.list<BuiltinObject>(Deployment, { namespace: account.namespace, signal });
  return items.filter(({ spec }) => {
    const { template } = (spec ?? {}) as { template?: { spec?: { serviceAccountName?: string } } };
    return template?.spec?.serviceAccountName === account.name;
  });
}

/** The Leases of an operator: of its leader, its shards, its replicas and its peers. */
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

/** The pods that run as an account, whatever made them. */
export async function podsOf(client: Client, account: Account, signal: AbortSignal): Promise<BuiltinObject[]> {
  const { items } = await client.list<BuiltinObject>(Pod, { namespace: account.namespace, signal });
  return items.filter(({ spec }) => spec?.serviceAccountName === account.name);
}

/** Whether a pod is ready and not being deleted. */
export function isWorking({ metadata, status }: BuiltinObject): boolean {
  const { conditions } = (status ?? {}) as { conditions?: { type: string; status: string }[] | null };
  return metadata?.deletionTimestamp === undefined &&
    (conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True");
}

/** Whole seconds and the time of an answer make a Lease look older than it is. */
const FRESH_MS_MORE = 3_000;

/** Whether a Lease has expired, by the times in it. `nowMs` is the server's time. */
export function isExpired({ spec, metadata }: LeaseObject, nowMs: number): boolean {
  const sinceMs = Date.parse(spec?.renewTime ?? metadata?.creationTimestamp ?? "");
  return nowMs > sinceMs + (spec?.leaseDurationSeconds ?? 0) * 1_000 + FRESH_MS_MORE;
}

/** Whether a Lease shows a process of its operator that works now. */
export function isWorkersLease(lease: LeaseObject, nowMs: number): boolean {
  if (!lease.spec?.holderIdentity || isExpired(lease, nowMs)) return false;
  return lease.metadata?.labels?.[PEERING_LABEL] === undefined || peerOf(lease).state === "active";
}
