/**
 * `handling`: decides — which cause an object's state asks for, what changed and for which handlers, how a handler
 * ended, when a timer ticks, whether a key runs hot, and in which form handling is remembered. It never does I/O:
 * everything is a function of data, time comes as an argument. The controller room calls it.
 *
 * @module
 */
export * from "./annotation_storage.ts";
export * from "./cause.ts";
export * from "./chain_storage.ts";
export * from "./change.ts";
export * from "./handled_content.ts";
export * from "./execution.ts";
export type { FieldPath, FieldValue } from "./field_path.ts";
export * from "./filter.ts";
export * from "./generation_storage.ts";
export * from "./hot_loop.ts";
export * from "./kopf_records.ts";
export * from "./memory_storage.ts";
export * from "./object_index.ts";
export * from "./outcome.ts";
export * from "./progress.ts";
export * from "./status_storage.ts";
export * from "./storage.ts";
export * from "./timer_schedule.ts";
