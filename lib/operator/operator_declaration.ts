import type { Clock, Logger } from "../base/mod.ts";
import type { ApiResource } from "../apimachinery/mod.ts";
import type { AdmissionDeclaration } from "../admission/mod.ts";
import type { Client } from "../client/mod.ts";
import type { ControllerDeclaration } from "../controller/mod.ts";
import type { HandledStateStorage } from "../handling/mod.ts";
import type { OperatorMetrics } from "../health/mod.ts";
import type { BuiltinObject } from "./builtin_kinds.ts";
import type { KindHandlers } from "./kind_handlers.ts";
import type { EVERYTHING, KindSelector } from "./kind_selector.ts";

/** What start-up and clean-up handlers get. */
export interface ActivityContext {
  /** Uses the operator's field manager. */
  readonly client: Client;
  /** The operator's time. */
  readonly clock: Clock;
  /** The operator's logger. */
  readonly log: Logger;
  /** Aborts after the grace period. */
  readonly signal: AbortSignal;
  /** Whether this process only plans: writes of `client` are dropped. */
  readonly dryRun: boolean;
  /** Made once per process and shared by all handlers, such as a connection pool; `create` is its key. */
  shared<M>(create: () => M): M;
}

/** Work before the first reconcile or after the last one. */
export type ActivityHandler = (context: ActivityContext) => Promise<void> | void;

export interface KindSelection {
  readonly selector: KindSelector | typeof EVERYTHING;
  /** Called once per kind. */
  readonly declare: (
    handlers: KindHandlers<BuiltinObject, BuiltinObject, Record<string, never>>,
    kind: ApiResource,
  ) => unknown;
}

/** What a process needs of an operator in order to run it. */
export interface OperatorDeclaration {
  readonly name: string;
  readonly storage: HandledStateStorage;
  readonly legacyFinalizers: readonly string[];
  readonly metrics: OperatorMetrics;
  readonly declarations: readonly ControllerDeclaration[];
  readonly admission: readonly AdmissionDeclaration[];
  readonly selections: readonly KindSelection[];
  readonly activities: { readonly startup: readonly ActivityHandler[]; readonly cleanup: readonly ActivityHandler[] };
  finalizer(kind: { readonly group: string }): string;
}
