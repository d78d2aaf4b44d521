import type { Clock, Logger, Memo } from "../base/mod.ts";
import type {
  AnyKind,
  ApiResource,
  DesiredOf,
  DiffItem,
  HandledObject,
  KubeObject,
  ObjectKey,
  ObjectOf,
} from "../apimachinery/mod.ts";
import type { Client } from "../client/mod.ts";
import type { AttemptBounds, ChangeKind, IndexReader, ObjectIndex } from "../handling/mod.ts";
import type { EventPoster } from "./events.ts";
import type { IndexSet } from "./indexes.ts";
import type { StatusDraft } from "./status_draft.ts";

/** Read access to a declared watch's objects in memory. */
export interface CachedReader<T extends KubeObject> {
  /** The object as last seen; undefined if unknown. Frozen. */
  get(key: ObjectKey): T | undefined;
  /** Every known object. */
  values(): Iterable<T>;
  /** The objects under `value` in a declared index. */
  byIndex(index: string, value: string): readonly T[];
  /** Number of known objects. */
  readonly size: number;
}

export interface ApplyChildOptions {
  /** Set an owner reference, so that deletion cascades. True by default; refused across namespaces. */
  readonly owned?: boolean;
}

/** A manifest that names its own kind, as read from YAML. */
export type Manifest = KubeObject & { readonly apiVersion: string; readonly kind: string };

/** What every handler of an object gets, to be destructured. */
export interface ObjectContext<T extends KubeObject> {
  /** The object as the store holds it. Frozen. */
  readonly object: T;
  /** `metadata.name` of the object. */
  readonly name: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  /** `metadata.uid`: a recreated object has another. */
  readonly uid: string;
  /** Empty if it has none. */
  readonly labels: Readonly<Record<string, string>>;
  /** Empty if it has none. */
  readonly annotations: Readonly<Record<string, string>>;
  /**
   * What this process remembers of the object: `create` makes it at the first call, and is its key. The same for every
   * handler and pass; gone with the object or the process.
   */
  memo<M>(create: () => M): M;
  /** The same for the operator: one for all objects, handlers and activities, as long as it runs. */
  shared<M>(create: () => M): M;
  /** The client, with the handler's signal; in a pass it logs every write. */
  readonly client: Client;
  /** The store of a declared watch, an owned kind or the reconciled kind. */
  cached<K extends AnyKind>(kind: K): CachedReader<ObjectOf<K>>;
  /** The entries of an index of any kind of this operator. */
  index<I extends KubeObject, V>(of: ObjectIndex<I, V>): IndexReader<V>;
  /** Posts Kubernetes Events about the object. Nothing else does. */
  readonly events: EventPoster;
  /** Its lines name the object. */
  readonly log: Logger;
  /** Aborts on timeout and after the operator's grace period. */
  readonly signal: AbortSignal;
  /** The operator's time, which a test can replace with a virtual clock. */
  readonly clock: Clock;
}

/** What a handler in a pass gets, to be destructured. Valid for one pass over one object. */
export interface ReconcileContext<T extends KubeObject, Spec, Status extends object> extends ObjectContext<T> {
  /** Parsed, with defaults. */
  readonly spec: Spec;
  /**
   * Why this pass runs: `changed`, `owned`, `mapped`, `timer`, `retry`, `requeue`, `resume`. For logs, not for
   * decisions.
   */
  readonly reasons: ReadonlySet<string>;
  /**
   * Whether this reconcile is only planned: nothing written through `apply`, `client`, `status` or `events` is kept.
   * The handler must then skip effects outside the cluster.
   */
  readonly dryRun: boolean;
  /** The status, written once after the handlers if it differs. */
  readonly status: StatusDraft<Status>;
  /**
   * Applies a child by server-side apply with the operator's field manager. `child` gives no apiVersion or kind; name
   * and namespace default to the object's. Makes no request if the child is known to be as desired.
   *
   * @throws {PermanentError} if another controller owns the child, or an owner reference cannot reach it.
   */
  apply<K extends AnyKind>(kind: K, child: DesiredOf<K>, options?: ApplyChildOptions): Promise<ObjectOf<K>>;
  /** The same for a manifest that names its kind, as read from YAML: the compiler does not check its fields. */
  applyManifest<M extends Manifest>(manifest: M, options?: ApplyChildOptions): Promise<M>;
  /**
   * Deletes the children that this handler has not applied in this pass: objects of owned kinds that the object
   * controls. Call it after the last `apply`; returns the deleted keys. The owner references are the inventory: it
   * survives a crash, and lists no object of another manager.
   */
  prune(): Promise<ObjectKey[]>;
  /**
   * The metadata of one object of any kind, and a reconcile whenever it changes. The watch lives while each reconcile
   * of this object asks for it again, and is shared between objects.
   */
  watch(resource: ApiResource, key: ObjectKey): Promise<KubeObject | undefined>;
  /**
   * The metadata of every selected object, and a reconcile whenever one comes, changes or goes. Lives and is shared as
   * {@linkcode ReconcileContext.watch}. Needs the verbs `list` and `watch` for the whole selection.
   */
  watchAll(resource: ApiResource, selection: WatchSelection): Promise<readonly KubeObject[]>;
}

/** Which objects {@linkcode ReconcileContext.watchAll} follows. */
export interface WatchSelection {
  /** Every namespace if absent. */
  readonly namespace?: string;
  /** In the text form of a query. */
  readonly labelSelector?: string;
  /** In the text form of a query. Every kind has `metadata.name` and `metadata.namespace`. */
  readonly fieldSelector?: string;
}

/** What a handler of events gets. */
export interface EventContext<T extends KubeObject> extends ObjectContext<T> {
  /** The watch event's type; `initial` for objects that existed when the operator started. */
  readonly type: "initial" | "added" | "modified" | "deleted";
  /** The former object, if known. */
  readonly before: T | undefined;
}

/** What a daemon gets. It outlives passes: `object` and `spec` are those of its start. */
export interface DaemonContext<T extends KubeObject, Spec, Status extends object> extends ObjectContext<T> {
  /** Parsed, with defaults. */
  readonly spec: Spec;
  /**
   * Aborts when the daemon should end: the object goes or no longer matches, or the operator stops. The signal's reason
   * tells which.
   */
  readonly stopped: AbortSignal;
  /** Failed starts of this daemon. */
  readonly retry: number;
  /** When the first start began, in milliseconds since the epoch. */
  readonly startedMs: number;
  /** As declared. */
  readonly param: unknown;
  /** The object as it is now; undefined if it is gone. */
  latest(): T | undefined;
  /** Has the status written once, in the object's next pass. */
  report(write: (status: StatusDraft<Status>) => void): void;
  /** See {@linkcode ReconcileContext.apply}. */
  apply<K extends AnyKind>(kind: K, child: DesiredOf<K>, options?: ApplyChildOptions): Promise<ObjectOf<K>>;
  /** See {@linkcode ReconcileContext.applyManifest}. */
  applyManifest<M extends Manifest>(manifest: M, options?: ApplyChildOptions): Promise<M>;
}

/** What a handler of changes gets, to be destructured. */
export interface ChangeContext<T extends KubeObject, Spec, Status extends object, Value = HandledObject<T>>
  extends ReconcileContext<T, Spec, Status> {
  /** What happened. */
  readonly change: ChangeKind;
  /**
   * The object, or the handler's field, as handled before: without status and system metadata, secret values as
   * digests. Undefined for a creation, or if it was too large to be remembered.
   */
  readonly old: Value | undefined;
  /** The same after the change. `object` and `spec` may already show a later change. */
  readonly next: Value | undefined;
  /** From `old` to `next`, by field. Empty if either is unknown. */
  readonly diff: readonly DiffItem[];
  /** Failed attempts of this handler for this change. */
  readonly retry: number;
  /** When the first attempt began, in milliseconds since the epoch. */
  readonly startedMs: number;
  /** As declared. */
  readonly param: unknown;
  /**
   * Adds work with its own record: after this handler returns, it runs until it succeeds or is given up; only then is
   * this handler done. Each later call of the handler must add it again while some remains.
   *
   * @throws {UsageError} if the id is taken.
   */
  subhandler(id: string, handler: ChangeHandler<T, Spec, Status>, bounds?: AttemptBounds): void;
}

/** A change handler; `Value` is the type of what changed: the object, or one field. */
export type ChangeHandler<T extends KubeObject, Spec, Status extends object, Value = HandledObject<T>> = (
  context: ChangeContext<T, Spec, Status, Value>,
) => Promise<void> | void;

export interface ObjectContextHost {
  readonly clock: Clock;
  readonly indexes: IndexSet;
  readonly shared: Memo;
  cached(resource: AnyKind): CachedReader<KubeObject>;
}

interface ObjectContextParts<T extends KubeObject> {
  readonly object: T;
  readonly client: Client;
  readonly events: EventPoster;
  readonly log: Logger;
  readonly signal: AbortSignal;
  memo<M>(create: () => M): M;
}

export function objectContext<T extends KubeObject>(
  host: ObjectContextHost,
  { object, client, events, log, signal, memo }: ObjectContextParts<T>,
): ObjectContext<T> {
  const { name = "", namespace = "", uid = "", labels = {}, annotations = {} } = object.metadata ?? {};
  return {
    object,
    name,
    namespace,
    uid,
    labels,
    annotations,
    memo,
    shared: (create) => host.shared.of(create),
    client,
    cached: (resource) => host.cached(resource) as unknown as CachedReader<never>,
    index: (of) => host.indexes.reader(of),
    events,
    log,
    signal,
    clock: host.clock,
  };
}
