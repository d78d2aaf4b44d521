/**
 * `handling`: decides which cause an object's state asks for, what changed and for which handlers, how a handler ended,
 * when a timer ticks, whether a key runs hot, and how handling is remembered. It never does I/O: everything is a
 * function of data, time comes as an argument. The controller room calls it.
 *
 * @module
 */
export { AnnotationStorage } from "./annotation_storage.ts";
export { type Cause, detectCause } from "./cause.ts";
export { ChainStorage } from "./chain_storage.ts";
export {
  type Change,
  type ChangeKind,
  changeOf,
  type ChangePlan,
  type FieldChange,
  fieldChangeOf,
  givenUp,
  givenUpOf,
  HANDLED,
  type HandledState,
  type PendingChange,
  planChange,
  settled,
} from "./change.ts";
export { runWithTimeout } from "./execution.ts";
export type { FieldKeys, FieldPath, FieldValue } from "./field_path.ts";
export {
  ABSENT,
  allOf,
  anyOf,
  fieldPath,
  matchesFilter,
  matchesValue,
  noneOf,
  not,
  type ObjectFilter,
  type Predicate,
  PRESENT,
  valueAt,
  type ValueFilter,
} from "./filter.ts";
export { GenerationStorage } from "./generation_storage.ts";
export {
  digestOf,
  digestsOnly,
  handledContentOf,
  secretFieldsOf,
  type Snapshot,
  snapshotOf,
} from "./handled_content.ts";
export {
  afterRepeatedWrite,
  cooled,
  coolMs,
  type HotLoopOptions,
  type HotLoopState,
  isHot,
  pauseMs,
} from "./hot_loop.ts";
export { KopfRecords } from "./kopf_records.ts";
export { MemoryStorage } from "./memory_storage.ts";
export { type IndexReader, IndexStore, ObjectIndex } from "./object_index.ts";
export {
  type HandlerFailure,
  mergeOutcomes,
  type Outcome,
  outcomeOf,
  outcomeOfError,
  type ReconcileResult,
  requeueAfter,
} from "./outcome.ts";
export {
  afterError,
  type AttemptBounds,
  attemptMsMax,
  begin,
  byHandler,
  dueMs,
  type ErrorsMode,
  gaveUp,
  handlerNowMs,
  type HandlerProgress,
  isFinished,
  type StartTimes,
  succeeded,
} from "./progress.ts";
export { StatusStorage } from "./status_storage.ts";
export type { HandledStateStorage, StorageEdit } from "./storage.ts";
export { firstTick, nextTick, tickDueMs, type TimerOptions } from "./timer_schedule.ts";
