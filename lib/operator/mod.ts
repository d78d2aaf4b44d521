/**
 * `operator`: the public API — define resources, declare handlers, start and stop. It composes the rooms below into one
 * thing and adds no machinery of its own. Operators (the shipped replicator among them), the harness and the cli call it.
 *
 * @module
 */
export { type Clock, sleep } from "../base/clock.ts";
export { type Duration, durationMs } from "../base/duration.ts";
export { describeError, PermanentError, TemporaryError, TimeoutError, UsageError } from "../base/errors.ts";
export { mapConcurrent } from "../base/map_concurrent.ts";
export type { Logger, LogLevel } from "../base/log.ts";
export type { JsonObject, JsonValue } from "../base/json.ts";
export {
  formatKey,
  keyOf,
  type KubeObject,
  type ManagedFieldsEntry,
  type ObjectKey,
  type ObjectMeta,
} from "../apimachinery/object.ts";
export type { ApiResource } from "../apimachinery/resource.ts";
export { type LabelSelector, matchesLabels, requirementsOf } from "../apimachinery/selector.ts";
export { isDnsSubdomain, isLabelValue, isQualifiedName, LABEL_VALUE_LENGTH_MAX } from "../apimachinery/name.ts";
export type { Condition } from "../apimachinery/condition.ts";
export {
  AlreadyExistsError,
  ApiError,
  ConflictError,
  ForbiddenError,
  GoneError,
  InvalidError,
  NamespaceTerminatingError,
  NotFoundError,
  UnauthorizedError,
  UnreachableError,
} from "../client/mod.ts";
export type {
  BaseStatus,
  CachedReader,
  ControllerObserver,
  CycleClient,
  EventPoster,
  ReconcileContext,
  ReconcileHandler,
  ResourceKind,
  StatusDraft,
  WatchedChange,
  WatchOptions,
} from "../controller/mod.ts";
export { type Requeue, requeueAfter } from "../handling/outcome.ts";
export * from "./builtin_kinds.ts";
export * from "./define_resource.ts";
export * from "./operator.ts";
export * from "./permissions.ts";
export * from "./preflight.ts";
export * from "./running_operator.ts";
