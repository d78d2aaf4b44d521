/**
 * `operator`: the public API — define resources, declare handlers, start and stop. It composes the rooms below into one
 * thing and adds no machinery of its own. Operators (the shipped replicator among them), the harness and the cli call
 * it.
 *
 * @module
 */
export { type Clock, sleep, SystemClock } from "../base/clock.ts";
export { type Duration, durationMs } from "../base/duration.ts";
export { describeError, PermanentError, TemporaryError, TimeoutError, UsageError } from "../base/errors.ts";
export { mapConcurrent } from "../base/map_concurrent.ts";
export { truncate } from "../base/text_width.ts";
export { Mask, type MaskedValue, type MaskOptions } from "../base/mask.ts";
export type { Logger, LogLevel } from "../base/log.ts";
export { formatJson, type JsonObject, type JsonValue, parseJson } from "../base/json.ts";
export {
  formatKey,
  keyOf,
  type KubeObject,
  LAST_APPLIED_ANNOTATION,
  type ManagedFieldsEntry,
  type ObjectKey,
  type ObjectMeta,
} from "../apimachinery/object.ts";
export type { ApiResource } from "../apimachinery/resource.ts";
export { type LabelSelector, matchesLabels, requirementsOf } from "../apimachinery/selector.ts";
export {
  isDnsSubdomain,
  isLabelValue,
  isQualifiedName,
  joinedName,
  LABEL_VALUE_LENGTH_MAX,
} from "../apimachinery/name.ts";
export { globProblem, matchesGlobs } from "../apimachinery/namespace_globs.ts";
export { controllerOf, ownerReference } from "../apimachinery/owner.ts";
export type { Condition } from "../apimachinery/condition.ts";
export {
  AlreadyExistsError,
  ApiError,
  ConflictError,
  connect,
  ForbiddenError,
  GoneError,
  InvalidError,
  NamespaceTerminatingError,
  NotFoundError,
  proxyVariables,
  UnauthorizedError,
  UnreachableError,
} from "../client/mod.ts";
export type {
  AnyKind,
  BaseStatus,
  CachedReader,
  ChangeContext,
  ChangeHandler,
  ConditionOptions,
  ControllerObserver,
  DaemonContext,
  Desired,
  DesiredMeta,
  DesiredOf,
  EventContext,
  EventDraft,
  EventPoster,
  HandledObject,
  Manifest,
  ObjectContext,
  ObjectOf,
  PassClient,
  ReconcileContext,
  ReconcileHandler,
  ResourceKind,
  StatusDraft,
  WatchedChange,
  WatchOptions,
  WatchSelection,
} from "../controller/mod.ts";
export { AdmissionError } from "../admission/admission_error.ts";
export type {
  AdmissionBounds,
  AdmissionContext,
  AdmissionDeclaration,
  AdmissionHost,
  AdmissionOperation,
  AdmissionReader,
  AdmissionRecord,
  AdmissionUser,
  AdmissionWebhooks,
  AdmittedKind,
  Converted,
  KindConversion,
  MutateHandler,
  MutateOptions,
  MutationContext,
  ObjectParts,
  ValidateHandler,
  ValidateOptions,
} from "../admission/mod.ts";
export { ABSENT, allOf, anyOf, noneOf, not, PRESENT } from "../handling/filter.ts";
export type { FieldPath, FieldValue } from "../handling/field_path.ts";
export { AnnotationStorage, type AnnotationStorageOptions } from "../handling/annotation_storage.ts";
export { ChainStorage } from "../handling/chain_storage.ts";
export { KopfRecords } from "../handling/kopf_records.ts";
export { type IndexEntries, type IndexReader, ObjectIndex } from "../handling/object_index.ts";
export { MemoryStorage } from "../handling/memory_storage.ts";
export { StatusStorage } from "../handling/status_storage.ts";
export { type Requeue, requeueAfter } from "../handling/outcome.ts";
// Types alone: what the members of the above speak of, so that a user can name it.
export type { TimerHandle } from "../base/clock.ts";
export type { LogFields } from "../base/log.ts";
export type { Memo } from "../base/memo.ts";
export type { Random } from "../base/random.ts";
export type { Transport, TransportRequest } from "../base/transport.ts";
export type { ApiStatus, StatusCause, StatusReason } from "../apimachinery/api_status.ts";
export type { DynamicObject, KubeList, OwnerReference } from "../apimachinery/object.ts";
export type { GroupVersionKind } from "../apimachinery/resource.ts";
export type { LabelRequirement, Labels } from "../apimachinery/selector.ts";
export type {
  AccessOptions,
  AccessRequest,
  AccessSubject,
  Client,
  ClientOptions,
  Connection,
  ConnectOptions,
  DeleteOptions,
  GetOptions,
  Impersonation,
  InClusterOptions,
  ListOptions,
  Login,
  LoginHook,
  PatchOptions,
  ProxyVariables,
  RawOptions,
  RbacRule,
  RequestRecord,
  RequestSubject,
  UnreachableKind,
  WatchEvent,
  WatchOptions as ClientWatchOptions,
  WriteOptions,
} from "../client/mod.ts";
export type { ReflectorBounds } from "../cache/mod.ts";
export type { BackoffOptions, QueueObserver } from "../queue/mod.ts";
export type {
  AttemptBounds,
  ChangeKind,
  ErrorsMode,
  FilterFacts,
  HandledContent,
  HandledState,
  HandledStateStorage,
  HandlerOutcome,
  HandlerProgress,
  HotLoopOptions,
  ObjectFilter,
  Outcome,
  PendingChange,
  Predicate,
  ReconcileResult,
  Snapshot,
  StorageEdit,
  TimerOptions,
  ValueFilter,
} from "../handling/mod.ts";
export type { DiffItem } from "../apimachinery/diff.ts";
export type {
  ApplyChildOptions,
  ChangeDeclaration,
  ControllerDeclaration,
  ControllerOptions,
  DaemonDeclaration,
  EventDeclaration,
  HandlerOptions,
  PassResult,
  PassSpan,
  PlannedChange,
  PlannedEvent,
  PlannedPass,
  PlannedWrite,
  TimerDeclaration,
  WriteRecord,
} from "../controller/mod.ts";
export { type NamespaceScope, scopeOfGlobs } from "../controller/scope.ts";
export * from "./builtin_kinds.ts";
export * from "./cel_rules.ts";
export { type CustomObject, type CustomResource, type DefinedResource, defineResource } from "./define_resource.ts";
export * from "./existing_kind.ts";
export * from "./resource_options.ts";
export type { VersionOptions, VersionParts } from "./resource_version.ts";
export * from "./kind_handlers.ts";
export { EVERYTHING, type KindSelector } from "./kind_selector.ts";
export * from "./watch.ts";
export * from "./operator.ts";
export * from "./permissions.ts";
export * from "./preflight.ts";
export * from "./running_operator.ts";
export * from "./start_options.ts";
export type { ControllerStatus } from "./controller_status.ts";
export type { WatchStatus } from "./watch_status.ts";
export {
  type KindView,
  type ListedOf,
  type MetadataOf,
  type SeenOf,
  type SpecOf,
  type SpecSeen,
  view,
  type ViewOptions,
  type ViewSpec,
} from "../controller/kind_view.ts";
export {
  type Metric,
  type MetricArguments,
  type MetricOptions,
  type MetricType,
  type OperatorCounter,
  type OperatorGauge,
  type OperatorHistogram,
  type OperatorMetrics,
  type Series,
} from "../health/operator_metrics.ts";
