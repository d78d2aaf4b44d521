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
export {
  builtinKind,
  type CustomObject,
  type CustomResource,
  defineResource,
  EVERYTHING,
  existingKind,
  ObjectIndex,
  Operator,
  type OperatorOptions,
  requeueAfter,
  type RunningOperator,
  view,
  watch,
  type WatchedChange,
  withRules,
} from "./operator/mod.ts";
// What handlers name.
export {
  type ActivityContext,
  type AdmissionContext,
  type ChangeContext,
  type Condition,
  type DaemonContext,
  type DesiredOf,
  type Duration,
  type DynamicObject,
  type EventContext,
  keyOf,
  type KubeObject,
  type Logger,
  type MutationContext,
  type ObjectContext,
  type ObjectKey,
  type ObjectOf,
  ownerReference,
  type ReconcileContext,
  type ResourceKind,
  sleep,
} from "./operator/mod.ts";
// Errors that handlers throw, and those that they catch.
export {
  AdmissionError,
  AlreadyExistsError,
  ApiError,
  ConflictError,
  ForbiddenError,
  InvalidError,
  NotFoundError,
  PermanentError,
  TemporaryError,
  TimeoutError,
  UsageError,
} from "./operator/mod.ts";
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
} from "./operator/mod.ts";
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
