/**
 * Pintle: Kubernetes operators in TypeScript. Define kinds, declare what an {@linkcode Operator} does with their
 * objects, and hand it to `cli` of `@pintle/pintle/cli`. Requests to an API server are in `@pintle/pintle/client`,
 * clusters and scenarios for tests in `@pintle/pintle/testing`.
 *
 * @example
 * ```ts
 * import { ConfigMap, defineResource, Operator } from "@pintle/pintle";
 * import * as z from "zod";
 *
 * const Widget = defineResource({
 *   group: "example.com",
 *   version: "v1",
 *   kind: "Widget",
 *   spec: z.object({ size: z.int() }),
 * });
 * const operator = new Operator("widgets");
 * operator.on(Widget).reconcile(async ({ spec, apply }) => {
 *   await apply(ConfigMap, { data: { size: `${spec.size}` } });
 * }, { owns: [ConfigMap] });
 * ```
 *
 * @module
 */
// The operator and its kinds.
export { view } from "./apimachinery/mod.ts";
export type { WatchedChange } from "./controller/mod.ts";
export { ObjectIndex, requeueAfter } from "./handling/mod.ts";
export {
  builtinKind,
  type CustomObject,
  type CustomResource,
  defineResource,
  EVERYTHING,
  existingKind,
  Operator,
  type OperatorOptions,
  type RunningOperator,
  watch,
  withRules,
} from "./operator/mod.ts";
// What handlers name.
export type { AdmissionContext, MutationContext } from "./admission/mod.ts";
export {
  type Condition,
  type DesiredOf,
  type DynamicObject,
  keyOf,
  type KubeObject,
  type ObjectKey,
  type ObjectOf,
  ownerReference,
  type ResourceKind,
} from "./apimachinery/mod.ts";
export { type Duration, type Logger, sleep } from "./base/mod.ts";
export type { ChangeContext, DaemonContext, EventContext, ObjectContext, ReconcileContext } from "./controller/mod.ts";
export type { ActivityContext } from "./operator/mod.ts";
// Errors that handlers throw, and those that they catch.
export { AdmissionError } from "./admission/mod.ts";
export { PermanentError, TemporaryError, TimeoutError, UsageError } from "./base/mod.ts";
export {
  AlreadyExistsError,
  ApiError,
  ConflictError,
  ForbiddenError,
  InvalidError,
  NotFoundError,
} from "./client/mod.ts";
// Filters, and where the operator remembers what it has handled.
export {
  ABSENT,
  allOf,
  AnnotationStorage,
  anyOf,
  ChainStorage,
  KopfRecords,
  MemoryStorage,
  noneOf,
  not,
  type Predicate,
  PRESENT,
  StatusStorage,
} from "./handling/mod.ts";
// Kinds that come with Kubernetes.
export {
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
} from "./operator/mod.ts";
