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
import type { StoreProjection } from "./managed_fields.ts";
import type { ControllerObserver } from "./report.ts";
import type { SharedInformers } from "./shared_informers.ts";

/** A handler of the whole object, level-triggered. */
export type ReconcileHandler<T extends KubeObject, Spec, Status extends object> = (
  context: ReconcileContext<T, Spec, Status>,
) => Promise<ReconcileResult> | ReconcileResult;

/** Bounds of one handler. */
export interface HandlerOptions {
  /**
   * Ends the handler: its signal aborts, and the outcome is a timeout even if it ignores that. Five minutes by default.
   */
  readonly timeout?: Duration;
}

/** The values under which an object is found. Written as a method: a list of watches holds those of several kinds. */
type StoreIndex<Watched> = { valuesOf(object: Watched): readonly string[] }["valuesOf"];

/** Another resource whose changes lead to reconciles. Its functions are called without `this`. */
export interface WatchOptions<Primary extends KubeObject, Watched extends KubeObject> {
  /** What to watch; a {@linkcode ResourceKind} brings the type of the objects along. */
  readonly resource: ApiResource & { parseSpec?(object: Watched): unknown; readonly view?: ViewSpec };
  /**
   * The keys to reconcile for a changed object; `before` is its former state where there was one, `primaries` what the
   * store holds. Must be pure.
   */
  map(change: WatchedChange<Primary, Watched>): Iterable<ObjectKey>;
  /**
   * Watch only objects with these labels, as `app=shop,tier!=test`; an object that stops matching counts as deleted.
   */
  readonly labelSelector?: string;
  /** Watch only objects with these fields, as `metadata.name=login`; which fields work depends on the resource. */
  readonly fieldSelector?: string;
  /** Watch `metadata` only: less traffic, and no data in memory. */
  readonly metadataOnly?: boolean;
  /** What to keep of each object in memory; `managedFields` are dropped where absent. */
  project?(object: Watched): Watched;
  /** Indexes of the store, by name: the values under which an object is found. */
  readonly indexes?: Readonly<Record<string, StoreIndex<Watched>>>;
}

/** One change of a watched object, as `map` sees it. */
export interface WatchedChange<Primary extends KubeObject, Watched extends KubeObject> {
  /** Its state now, or the last that is known of a deleted one. */
  readonly object: Watched;
  /** Its former state; absent where it was unknown. */
  readonly before?: Watched;
  /** Whether it is gone. */
  readonly deleted: boolean;
  /** Every object of the reconciled kind that is known now. */
  readonly primaries: Iterable<Primary>;
}

/** A timer on every object of a kind. */
export interface TimerDeclaration<T extends KubeObject, Spec, Status extends object>
  extends TimerOptions, HandlerOptions, ObjectFilter<T> {
  /** Unique among the timers of the kind. */
  readonly id: string;
  /** Called at every tick. */
  readonly handler: ReconcileHandler<T, Spec, Status>;
}

/** A handler of changes of a kind, with what it is for and how often it is tried. */
export interface ChangeDeclaration<T extends KubeObject, Spec, Status extends object>
  extends AttemptBounds, ObjectFilter<T> {
  /** Unique among the change handlers of the kind; progress is remembered under it. */
  readonly id: string;
  /** The changes that it is called for. */
  readonly kinds: ReadonlySet<ChangeKind>;
  /** Called for each matching change, until it has succeeded or is given up. */
  readonly handler: ChangeHandler<T, Spec, Status>;
  /** What `field` must have been before the change. */
  readonly old?: ValueFilter;
  /** What `field` must be after the change. */
  readonly next?: ValueFilter;
  /** Whether `old`, `next` and `diff` cover `field` alone. */
  readonly ofField?: boolean;
  /** For `delete`: needs no finalizer, and is called only if another finalizer holds the object long enough. */
  readonly optional?: boolean;
  /** For `resume`: is called for objects that are being deleted, too. */
  readonly deleted?: boolean;
  /** Given to the handler as it is. */
  readonly param?: unknown;
}

/** A handler of watch events. */
export interface EventDeclaration<T extends KubeObject> extends ObjectFilter<T> {
  /** For logs. */
  readonly id: string;
  /** Called once for each event; an error is logged and not tried again. */
  readonly handler: (context: EventContext<T>) => Promise<void> | void;
}

/** Work that runs as long as an object exists. */
export interface DaemonDeclaration<T extends KubeObject, Spec, Status extends object>
  extends AttemptBounds, ObjectFilter<T> {
  /** Unique among the daemons of the kind. */
  readonly id: string;
  /** Runs until its signal aborts; one that returns is done, one that throws is started again. */
  readonly handler: (context: DaemonContext<T, Spec, Status>) => Promise<void>;
  /** Before the first start. */
  readonly initialDelayMs: number;
  /** From `stopped` to `signal`: the time to end by itself. */
  readonly cancellationBackoffMs: number;
  /** From `signal` on: after it the daemon is abandoned, and the finalizer removed. */
  readonly cancellationTimeoutMs: number;
  /** Given to the daemon as it is. */
  readonly param?: unknown;
}

/** Everything that an operator declares for one kind; what a controller runs. */
export interface ControllerDeclaration<
  T extends KubeObject = KubeObject,
  Spec = unknown,
  Status extends object = object,
> {
  /** Whose objects are reconciled. */
  readonly kind: ResourceKind<T, Spec, Status>;
  /** Called whenever an object may differ from what is desired. */
  reconcile?: { readonly handler: ReconcileHandler<T, Spec, Status> } & HandlerOptions & ObjectFilter<T>;
  /**
   * Called once for each change that they are for; those of deletions that are not optional add a finalizer to the
   * object.
   */
  readonly changes: ChangeDeclaration<T, Spec, Status>[];
  /** Changes of these fields call no handler. */
  ignoredFields?: readonly string[];
  /** Called for each event of a watch. */
  readonly events: EventDeclaration<T>[];
  /** Run as long as an object exists; each adds a finalizer to the objects that it is for. */
  readonly daemons: DaemonDeclaration<T, Spec, Status>[];
  /** Indexes over the objects of the kind. */
  readonly indexes: ObjectIndex<T, unknown>[];
  /** Called again and again while an object exists. */
  readonly timers: TimerDeclaration<T, Spec, Status>[];
  /** Kinds of children, whose changes lead back to their owner. */
  readonly owns: AnyKind[];
  /** Other resources whose changes are mapped to objects of the kind. */
  readonly watches: WatchOptions<T, KubeObject>[];
  /** Passes at the same time, each over another object. 16 by default. */
  workersMax?: number;
}

/** Whether objects of the kind are reconciled or handled; events and indexes only read. */
export function handles<T extends KubeObject, Spec, Status extends object>(
  { reconcile, changes, timers, daemons }: ControllerDeclaration<T, Spec, Status>,
): boolean {
  return reconcile !== undefined || [changes, timers, daemons].some((declared) => declared.length > 0);
}

/**
 * Whether objects of the kind may get the operator's finalizer: its delete handlers and daemons must end before an
 * object goes.
 */
export function addsFinalizer<T extends KubeObject, Spec, Status extends object>(
  { changes, daemons }: ControllerDeclaration<T, Spec, Status>,
): boolean {
  return daemons.length > 0 || changes.some(({ kinds, optional }) => kinds.has("delete") && !optional);
}

/** A declaration without handlers. */
export function emptyDeclaration<T extends KubeObject, Spec, Status extends object>(
  kind: ResourceKind<T, Spec, Status>,
): ControllerDeclaration<T, Spec, Status> {
  return { kind, changes: [], events: [], daemons: [], indexes: [], timers: [], owns: [], watches: [] };
}

/** Bounds of a controller; all have defaults. */
export interface ControllerOptions {
  /** Passes at the same time, each over another object. */
  readonly workersMax: number;
  /** Longest run of a handler that names no timeout of its own. */
  readonly timeoutMs: number;
  /** Pauses after failures of one object in a row. */
  readonly backoff: BackoffOptions;
  /** Longest wait for the store to show what the last pass wrote. */
  readonly ownWriteWaitMsMax: number;
  /** When an object that is written again and again counts as contested, and how far it is slowed down. */
  readonly hotLoop: HotLoopOptions;
}

/** The defaults. */
export const CONTROLLER_DEFAULTS: ControllerOptions = {
  workersMax: 16,
  timeoutMs: 300_000,
  backoff: { initialMs: 500, maxMs: 300_000 },
  ownWriteWaitMsMax: 5_000,
  hotLoop: { writesInARowMax: 10, windowMs: 10_000, pauseMsMax: 60_000 },
};

/** The dependencies of a controller. */
export interface ControllerDeps {
  /** Every request goes through it. */
  readonly client: Client;
  /** Watches, shared with the other controllers. */
  readonly informers: SharedInformers;
  /** The resource of a child's kind. */
  readonly resolveKind: ChildKinds["resolve"];
  /** Posts Events. */
  readonly events: EventRecorder;
  /** Times everything: delays, timeouts, timers. */
  readonly clock: Clock;
  /** Scatters pauses and makes identifiers. */
  readonly random: Random;
  /** Lines about an object add its kind, namespace and name. */
  readonly logger: Logger;
  /** Metrics and spans. */
  readonly observer?: ControllerObserver;
  /** Field manager of status and children. */
  readonly fieldManager: string;
  /**
   * What stores keep of the kind and of what it owns; the same function for equal views, so that controllers share
   * stores.
   */
  readonly project: StoreProjection;
  /** Set on objects whose kind has a delete handler: a qualified name, the operator's own. */
  readonly finalizer: string;
  /** What handlers of all kinds share. */
  readonly shared: Memo;
  /** Where it works. */
  readonly scope: NamespaceScope;
  /** Finalizers of operators that this one replaces. */
  readonly legacyFinalizers: readonly string[];
  /** Indexes of all kinds. */
  readonly indexes: IndexSet;
  /** Where the handling of changes is remembered. */
  readonly storage: HandledStateStorage;
  /** Bounds; those of a handler or a declaration go before them. */
  readonly options: ControllerOptions;
}
