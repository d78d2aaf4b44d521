/**
 * `controller`: the reconcile loop — watches, keys, cycles, finalizers, one status write, children by server-side apply,
 * Events on request. It refuses to decide (that is `handling`) and to know a kind (that is declared). The operator room
 * composes controllers.
 *
 * @module
 */
export * from "./children.ts";
export * from "./context.ts";
export * from "./controller.ts";
export * from "./controller_deps.ts";
export * from "./cycle_client.ts";
export * from "./declaration.ts";
export * from "./event_recorder.ts";
export * from "./index_set.ts";
export * from "./namespace_scope.ts";
export * from "./observer.ts";
export * from "./own_fields.ts";
export type { PlannedChange } from "./planned_change.ts";
export type { PlannedCycle, PlannedEvent } from "./planned_cycle.ts";
export type { PlannedWrite } from "./planning_client.ts";
export * from "./shared_informers.ts";
export * from "./status_draft.ts";
