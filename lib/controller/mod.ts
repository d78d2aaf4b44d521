/**
 * `controller`: the reconcile loop — watches, keys, passes, finalizers, one status write, children by server-side
 * apply, Events on request. `decide.ts` decides when and why a handler runs, `key_state.ts` holds what is known of
 * a key after each pass. It knows no kind (those are declared). `operator/` composes controllers.
 *
 * @module
 */
export type {
  CachedReader,
  ChangeContext,
  ChangeHandler,
  DaemonContext,
  EventContext,
  ObjectContext,
  ReconcileContext,
} from "./context.ts";
export { Controller, type PresentState } from "./controller.ts";
export {
  addsFinalizer,
  CONTROLLER_DEFAULTS,
  type ControllerDeclaration,
  type ControllerOptions,
  emptyDeclaration,
  type HandlerOptions,
  handles,
  type ReconcileHandler,
  type WatchedChange,
  type WatchOptions,
} from "./declaration.ts";
export { type PlannedPass, PlannedStorage, type PlannedWrite } from "./dry_run.ts";
export { EventRecorder } from "./events.ts";
export { annotate, removeFinalizers } from "./finalizer.ts";
export { IndexSet } from "./indexes.ts";
export {
  Journal,
  type JournalEntry,
  journalKey,
  type JournalRead,
  type JournalWrite,
  type ObjectJournal,
  withoutValues,
} from "./journal.ts";
export { storeTransform } from "./managed_fields.ts";
export type { ControllerObserver } from "./report.ts";
export type { ObjectChange } from "./object_changes.ts";
export { SharedInformers } from "./shared_informers.ts";
