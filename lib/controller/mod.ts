/**
 * `controller`: the reconcile loop — watches, keys, passes, finalizers, one status write, children by server-side
 * apply, Events on request. `decide.ts` decides when and why a handler runs, `key_state.ts` holds what is known of
 * a key after each pass. It knows no kind (those are declared). `operator/` composes controllers.
 *
 * @module
 */
export * from "./children.ts";
export * from "./context.ts";
export * from "./controller.ts";
export * from "./declaration.ts";
export {
  type PlannedChange,
  type PlannedEvent,
  type PlannedPass,
  PlannedStorage,
  type PlannedWrite,
} from "./dry_run.ts";
export * from "./events.ts";
export { annotate, removeFinalizers } from "./finalizer.ts";
export * from "./indexes.ts";
export * from "./managed_fields.ts";
export * from "./report.ts";
export * from "./shared_informers.ts";
export * from "./status_draft.ts";
