import { guessPlural, type KubeObject, type ObjectOf, type ResourceKind } from "../apimachinery/mod.ts";

export interface UntypedFields {
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}

/** An object of a kind that this operator does not define; `Fields` beside its metadata. */
export type BuiltinObject<Fields = UntypedFields> = KubeObject & Omit<Fields, keyof KubeObject>;

/** A kind that this operator does not define; it never writes its status. */
export type BuiltinKind<Fields = UntypedFields> = ResourceKind<
  BuiltinObject<Fields>,
  BuiltinObject<Fields>,
  Record<string, never>
>;

/**
 * A built-in kind, or one of another program's CRD. The operator never writes its status.
 *
 * @example
 * ```ts
 * import { builtinKind } from "@pintle/pintle";
 * interface Certificate { spec: { secretName: string }; status?: { notAfter?: string } }
 * const Certificate = builtinKind<Certificate>({ group: "cert-manager.io", version: "v1", kind: "Certificate" });
 * if (Certificate.plural !== "certificates") throw new Error("guessed from the kind");
 * ```
 */
export function builtinKind<Fields = UntypedFields>(
  options: { group: string; version: string; kind: string; plural?: string; namespaced?: boolean },
): BuiltinKind<Fields> {
  const { group, version, kind, plural = guessPlural(kind), namespaced = true } = options;
  return { group, version, kind, plural, namespaced, hasStatus: false, parseSpec: (object) => object };
}

function coreKind<Fields>(kind: string, plural?: string): BuiltinKind<Fields> {
  return builtinKind({ group: "", version: "v1", kind, plural });
}

function kindOf<Fields>(group: string, kind: string, version = "v1"): BuiltinKind<Fields> {
  return builtinKind({ group, version, kind });
}

function clusterKind<Fields>(group: string, kind: string): BuiltinKind<Fields> {
  return builtinKind({ group, version: "v1", kind, namespaced: false });
}

const RBAC = "rbac.authorization.k8s.io", NETWORKING = "networking.k8s.io";

/** v1 Namespace. */
export const Namespace: BuiltinKind<import("kubernetes-types/core/v1.d.ts").Namespace> = clusterKind("", "Namespace");
/** v1 Node. */
export const Node: BuiltinKind<import("kubernetes-types/core/v1.d.ts").Node> = clusterKind("", "Node");
/** v1 PersistentVolume. */
export const PersistentVolume: BuiltinKind<import("kubernetes-types/core/v1.d.ts").PersistentVolume> = clusterKind(
  "",
  "PersistentVolume",
);
/** v1 Secret. */
export const Secret: BuiltinKind<import("kubernetes-types/core/v1.d.ts").Secret> = coreKind("Secret");
/** v1 ConfigMap. */
export const ConfigMap: BuiltinKind<import("kubernetes-types/core/v1.d.ts").ConfigMap> = coreKind("ConfigMap");
/** v1 Service. */
export const Service: BuiltinKind<import("kubernetes-types/core/v1.d.ts").Service> = coreKind("Service");
/** v1 ServiceAccount. */
export const ServiceAccount: BuiltinKind<import("kubernetes-types/core/v1.d.ts").ServiceAccount> = coreKind(
  "ServiceAccount",
);
/** v1 Pod. */
export const Pod: BuiltinKind<import("kubernetes-types/core/v1.d.ts").Pod> = coreKind("Pod");
/** v1 PersistentVolumeClaim. */
export const PersistentVolumeClaim: BuiltinKind<import("kubernetes-types/core/v1.d.ts").PersistentVolumeClaim> =
  coreKind("PersistentVolumeClaim");
/** v1 ResourceQuota. */
export const ResourceQuota: BuiltinKind<import("kubernetes-types/core/v1.d.ts").ResourceQuota> = coreKind(
  "ResourceQuota",
);
/** v1 LimitRange. */
export const LimitRange: BuiltinKind<import("kubernetes-types/core/v1.d.ts").LimitRange> = coreKind("LimitRange");
/** apps/v1 Deployment. */
export const Deployment: BuiltinKind<import("kubernetes-types/apps/v1.d.ts").Deployment> = kindOf("apps", "Deployment");
/** apps/v1 StatefulSet. */
export const StatefulSet: BuiltinKind<import("kubernetes-types/apps/v1.d.ts").StatefulSet> = kindOf(
  "apps",
  "StatefulSet",
);
/** apps/v1 DaemonSet. */
export const DaemonSet: BuiltinKind<import("kubernetes-types/apps/v1.d.ts").DaemonSet> = kindOf("apps", "DaemonSet");
/** apps/v1 ReplicaSet. */
export const ReplicaSet: BuiltinKind<import("kubernetes-types/apps/v1.d.ts").ReplicaSet> = kindOf("apps", "ReplicaSet");
/** batch/v1 Job. */
export const Job: BuiltinKind<import("kubernetes-types/batch/v1.d.ts").Job> = kindOf("batch", "Job");
/** batch/v1 CronJob. */
export const CronJob: BuiltinKind<import("kubernetes-types/batch/v1.d.ts").CronJob> = kindOf("batch", "CronJob");
/** autoscaling/v2 HorizontalPodAutoscaler. */
export const HorizontalPodAutoscaler: BuiltinKind<
  import("kubernetes-types/autoscaling/v2.d.ts").HorizontalPodAutoscaler
> = kindOf(
  "autoscaling",
  "HorizontalPodAutoscaler",
  "v2",
);
/** policy/v1 PodDisruptionBudget. */
export const PodDisruptionBudget: BuiltinKind<import("kubernetes-types/policy/v1.d.ts").PodDisruptionBudget> = kindOf(
  "policy",
  "PodDisruptionBudget",
);
/** networking.k8s.io/v1 Ingress. */
export const Ingress: BuiltinKind<import("kubernetes-types/networking/v1.d.ts").Ingress> = kindOf(
  NETWORKING,
  "Ingress",
);
/** networking.k8s.io/v1 IngressClass. */
export const IngressClass: BuiltinKind<import("kubernetes-types/networking/v1.d.ts").IngressClass> = clusterKind(
  NETWORKING,
  "IngressClass",
);
/** networking.k8s.io/v1 NetworkPolicy. */
export const NetworkPolicy: BuiltinKind<import("kubernetes-types/networking/v1.d.ts").NetworkPolicy> = kindOf(
  NETWORKING,
  "NetworkPolicy",
);
/** discovery.k8s.io/v1 EndpointSlice. */
export const EndpointSlice: BuiltinKind<import("kubernetes-types/discovery/v1.d.ts").EndpointSlice> = kindOf(
  "discovery.k8s.io",
  "EndpointSlice",
);
/** rbac.authorization.k8s.io/v1 Role. */
export const Role: BuiltinKind<import("kubernetes-types/rbac/v1.d.ts").Role> = kindOf(RBAC, "Role");
/** rbac.authorization.k8s.io/v1 RoleBinding. */
export const RoleBinding: BuiltinKind<import("kubernetes-types/rbac/v1.d.ts").RoleBinding> = kindOf(
  RBAC,
  "RoleBinding",
);
/** rbac.authorization.k8s.io/v1 ClusterRole. */
export const ClusterRole: BuiltinKind<import("kubernetes-types/rbac/v1.d.ts").ClusterRole> = clusterKind(
  RBAC,
  "ClusterRole",
);
/** rbac.authorization.k8s.io/v1 ClusterRoleBinding. */
export const ClusterRoleBinding: BuiltinKind<import("kubernetes-types/rbac/v1.d.ts").ClusterRoleBinding> = clusterKind(
  RBAC,
  "ClusterRoleBinding",
);
/** coordination.k8s.io/v1 Lease. */
export const Lease: BuiltinKind<import("kubernetes-types/coordination/v1.d.ts").Lease> = kindOf(
  "coordination.k8s.io",
  "Lease",
);
/** scheduling.k8s.io/v1 PriorityClass. */
export const PriorityClass: BuiltinKind<import("kubernetes-types/scheduling/v1.d.ts").PriorityClass> = clusterKind(
  "scheduling.k8s.io",
  "PriorityClass",
);
/** storage.k8s.io/v1 StorageClass. */
export const StorageClass: BuiltinKind<import("kubernetes-types/storage/v1.d.ts").StorageClass> = clusterKind(
  "storage.k8s.io",
  "StorageClass",
);

/** A Secret. `data` is base64. */
export type SecretObject = ObjectOf<typeof Secret>;
/** A ConfigMap. `binaryData` is base64. */
export type ConfigMapObject = ObjectOf<typeof ConfigMap>;
export type NamespaceObject = ObjectOf<typeof Namespace>;
