import type { Clock, Duration, Logger, Memo, Random } from "../base/mod.ts";
import type {
  AnyKind,
  ApiResource,
  KubeObject,
  NamespaceScope,
  ObjectKey,
  ResourceKind,
  ViewSpec,
} from "../apimachinery/mod.ts";
import type { Client } from "../client/mod.ts";
import type {
  AttemptBounds,
  ChangeKind,
  HandledStateStorage,
  HotLoopOptions,
  ObjectFilter,
  ObjectIndex,
  ReconcileResult,
  TimerOptions,
  ValueFilter,
} from "../handling/mod.ts";
import type { BackoffOptions } from "../queue/mod.ts";
import type { ChildKinds } from "./children.ts";
import type { ChangeHandler, DaemonContext, EventContext, ReconcileContext } from "./context.ts";
import type { EventRecorder } from "./events.ts";
import type { IndexSet } from "./indexes.ts";
import type { Journal } from "./journal.ts";
import type { StoreTransform } from "./managed_fields.ts";
import type { ControllerObserver } from "./report.ts";
import type { SharedInformers } from "./shared_informers.ts";

/** A level-triggered handler of the whole object. */
export type ReconcileHandler<T extends KubeObject, Spec, Status extends object> = (
  context: ReconcileContext<T, Spec, Status>,
) => Promise<ReconcileResult> | ReconcileResult;

export interface HandlerOptions {
  /** The signal aborts, and the outcome is a timeout even if the handler ignores it. Five minutes by default. */
  readonly timeout?: Duration;
}

/** Written as a method: a list of watches holds those of several kinds. */
type StoreIndex<Watched> = { valuesOf(object: Watched): readonly string[] }["valuesOf"];

/** Another resource whose changes lead to reconciles. Its functions are called without `this`. */
export interface WatchOptions<Primary extends KubeObject, Watched extends KubeObject> {
  /** What to watch; a {@linkcode ResourceKind} adds the type of its objects. */
  readonly resource: ApiResource & { parseSpec?(object: Watched): unknown; readonly view?: ViewSpec };
  /** The keys to reconcile for a change. Must be pure. */
  map(change: WatchedChange<Primary, Watched>): Iterable<ObjectKey>;
  /** As `app=shop,tier!=test`; an object that stops matching counts as deleted. */
  readonly labelSelector?: string;
  /** As `metadata.name=login`; the resource decides which fields work. */
  readonly fieldSelector?: string;
  /** Watch `metadata` only: less traffic, and no data in memory. */
  readonly metadataOnly?: boolean;
  /** What to keep of each object in memory; by default all but `managedFields`. */
  transform?(object: Watched): Watched;
  /** Indexes of the store, by name. */
  readonly indexes?: Readonly<Record<string, StoreIndex<Watched>>>;
}

/** A change of a watched object, as `map` sees it. */
export interface WatchedChange<Primary extends KubeObject, Watched extends KubeObject> {
  /** Its state now, or the last known one of a deleted object. */
  readonly object: Watched;
  /** Its former state; absent if unknown. */
  readonly before?: Watched;
  /** Whether it is deleted. */
  readonly deleted: boolean;
  /** Every known object of the reconciled kind. */
  readonly primaries: Iterable<Primary>;
}

export interface TimerDeclaration<T extends KubeObject, Spec, Status extends object>
  extends TimerOptions, HandlerOptions, ObjectFilter<T> {
  /** Unique among the timers of the kind. */
  readonly id: string;
  readonly handler: ReconcileHandler<T, Spec, Status>;
}

export interface ChangeDeclaration<T extends KubeObject, Spec, Status extends object>
  extends AttemptBounds, ObjectFilter<T> {
  /** Unique among the change handlers of the kind: the key of its progress. */
  readonly id: string;
  readonly kinds: ReadonlySet<ChangeKind>;
  /** Called for each matching change, until it succeeds or is given up. */
  readonly handler: ChangeHandler<T, Spec, Status>;
  /** Required value of `field` before the change. */
  readonly old?: ValueFilter;
  /** Required value of `field` after the change. */
  readonly next?: ValueFilter;
  /** Whether `old`, `next` and `diff` cover `field` alone. */
  readonly ofField?: boolean;
  /** For `delete`: adds no finalizer; called only if another finalizer holds the object long enough. */
  readonly optional?: boolean;
  /** For `resume`: also called for objects that are being deleted. */
  readonly deleted?: boolean;
  readonly param?: unknown;
}

export interface EventDeclaration<T extends KubeObject> extends ObjectFilter<T> {
  /** For logs. */
  readonly id: string;
  /** Called once per event; an error is logged and not retried. */
  readonly handler: (context: EventContext<T>) => Promise<void> | void;
}

export interface DaemonDeclaration<T extends KubeObject, Spec, Status extends object>
  extends AttemptBounds, ObjectFilter<T> {
  /** Unique among the daemons of the kind. */
  readonly id: string;
  /** Runs until its signal aborts. A return ends it; a throw restarts it. */
  readonly handler: (context: DaemonContext<T, Spec, Status>) => Promise<void>;
  /** Before the first start. */
  readonly initialDelayMs: number;
  /** From `stopped` to `signal`: the time to end by itself. */
  readonly cancellationBackoffMs: number;
  /** From `signal` until the daemon is abandoned and the finalizer removed. */
  readonly cancellationTimeoutMs: number;
  readonly param?: unknown;
}

/** Everything that an operator declares for one kind. */
export interface ControllerDeclaration<
  T extends KubeObject = KubeObject,
  Spec = unknown,
  Status extends object = object,
> {
  readonly kind: ResourceKind<T, Spec, Status>;
  /** Called whenever an object may differ from the desired state. */
  reconcile?: { readonly handler: ReconcileHandler<T, Spec, Status> } & HandlerOptions & ObjectFilter<T>;
  /** `delete` handlers that are not optional add a finalizer. */
  readonly changes: ChangeDeclaration<T, Spec, Status>[];
  /** Changes of these fields call no handler. */
  ignoredFields?: readonly string[];
  readonly events: EventDeclaration<T>[];
  /** Each adds a finalizer to the objects it matches. */
  readonly daemons: DaemonDeclaration<T, Spec, Status>[];
  readonly indexes: ObjectIndex<T, unknown>[];
  readonly timers: TimerDeclaration<T, Spec, Status>[];
  /** Kinds of children, whose changes enqueue their owner. */
  readonly owns: AnyKind[];
  /** Other resources, mapped to objects of the kind. */
  readonly watches: WatchOptions<T, KubeObject>[];
  /** Concurrent passes, each over another object. 16 by default. */
  workersMax?: number;
}

/** Whether objects of the kind are reconciled or handled; events and indexes only read. */
export function handles<T extends KubeObject, Spec, Status extends object>(
  { reconcile, changes, timers, daemons }: ControllerDeclaration<T, Spec, Status>,
): boolean {
  return reconcile !== undefined || [changes, timers, daemons].some((declared) => declared.length > 0);
}

/** Whether objects may get the operator's finalizer: delete handlers and daemons must end before a deletion. */
export function addsFinalizer<T extends KubeObject, Spec, Status extends object>(
  { changes, daemons }: ControllerDeclaration<T, Spec, Status>,
): boolean {
  return daemons.length > 0 || changes.some(({ kinds, optional }) => kinds.has("delete") && !optional);
}

export function emptyDeclaration<T extends KubeObject, Spec, Status extends object>(
  kind: ResourceKind<T, Spec, Status>,
): ControllerDeclaration<T, Spec, Status> {
  return { kind, changes: [], events: [], daemons: [], indexes: [], timers: [], owns: [], watches: [] };
}

export interface ControllerOptions {
  /** Concurrent passes, each over another object. */
  readonly workersMax: number;
  /** For handlers without a timeout of their own. */
  readonly timeoutMs: number;
  /** After consecutive failures of one object. */
  readonly backoff: BackoffOptions;
  /** Longest wait for the store to show the last pass's writes. */
  readonly ownWriteWaitMsMax: number;
  /** When a repeatedly written object counts as contested, and how far it is slowed down. */
  readonly hotLoop: HotLoopOptions;
}

export const CONTROLLER_DEFAULTS: ControllerOptions = {
  workersMax: 16,
  timeoutMs: 300_000,
  backoff: { initialMs: 500, maxMs: 300_000 },
  ownWriteWaitMsMax: 5_000,
  hotLoop: { writesInARowMax: 10, windowMs: 10_000, pauseMsMax: 60_000 },
};

export interface ControllerDeps {
  readonly client: Client;
  /** Shared with the other controllers. */
  readonly informers: SharedInformers;
  readonly resolveKind: ChildKinds["resolve"];
  readonly events: EventRecorder;
  readonly clock: Clock;
  /** Scatters pauses and makes identifiers. */
  readonly random: Random;
  /** Lines about an object add its kind, namespace and name. */
  readonly logger: Logger;
  /** Metrics and spans. */
  readonly observer?: ControllerObserver;
  /** What `explain` shows; absent if nothing is recorded. */
  readonly journal?: Journal;
  /** Of status and children. */
  readonly fieldManager: string;
  /**
   * What stores keep of the kind and its children; the same function for equal views, so that controllers share stores.
   */
  readonly transform: StoreTransform;
  /** A qualified name, the operator's own; set on objects whose kind has a delete handler. */
  readonly finalizer: string;
  /** What handlers of all kinds share. */
  readonly shared: Memo;
  readonly scope: NamespaceScope;
  /** Finalizers of operators that this one replaces. */
  readonly legacyFinalizers: readonly string[];
  /** Of all kinds. */
  readonly indexes: IndexSet;
  readonly storage: HandledStateStorage;
  /** Those of a handler or declaration take precedence. */
  readonly options: ControllerOptions;
}
