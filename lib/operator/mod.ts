/**
 * `operator`: `Operator` and `defineResource`. It composes controllers, admission, election and health into one thing
 * that starts, pauses and stops, hosts its webhooks, and knows what is installed for it. The entry points, the harness
 * and the cli call it.
 *
 * @module
 */
export {
  builtinKind,
  type BuiltinObject,
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  type ConfigMapObject,
  CronJob,
  DaemonSet,
  Deployment,
  EndpointSlice,
  HorizontalPodAutoscaler,
  Ingress,
  IngressClass,
  Job,
  Lease,
  LimitRange,
  Namespace,
  NetworkPolicy,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PriorityClass,
  ReplicaSet,
  ResourceQuota,
  Role,
  RoleBinding,
  Secret,
  type SecretObject,
  Service,
  ServiceAccount,
  StatefulSet,
  StorageClass,
} from "./builtin_kinds.ts";
export { withRules } from "./cel_rules.ts";
export { type CustomObject, type CustomResource, defineResource } from "./define_resource.ts";
export { existingKind } from "./existing_kind.ts";
export type { HostGateway } from "./host_gateway.ts";
export {
  applyCrds,
  applyInstallation,
  CREATED_BY,
  installation,
  type InstalledObject,
  installNamespace,
  isWebhook,
} from "./installation.ts";
export { KindResolver, UnknownKindError } from "./kind_resolver.ts";
export { declareSelected, kindsSelected } from "./kind_selection.ts";
export { EVERYTHING } from "./kind_selector.ts";
export { Operator, type OperatorOptions } from "./operator.ts";
export type { ActivityContext } from "./operator_declaration.ts";
export { type DeclaredPermission, isSamePermission, type Permission, rulesOf } from "./permissions.ts";
export { missingPermissions, preflight, type PreflightOptions, unservedKinds } from "./preflight.ts";
export { type Leadership, RunningOperator, type StartOptions } from "./running_operator.ts";
export { watch } from "./watch.ts";
