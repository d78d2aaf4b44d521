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

/** Read access to what a declared watch holds in memory. */
export interface CachedReader<T extends KubeObject> {
  /** The object as last seen; undefined where it is unknown. Frozen. */
  get(key: ObjectKey): T | undefined;
  /** Every object that is known now. */
  values(): Iterable<T>;
  /** The objects under `value` in an index that the watch declares. */
  byIndex(index: string, value: string): readonly T[];
  /** How many objects are known now. */
  readonly size: number;
}

/** How a child is applied. */
export interface ApplyChildOptions {
  /** Set an owner reference, so that the child goes with the object. True by default; refused across namespaces. */
  readonly owned?: boolean;
}

/** A manifest that names its own kind, as one that was read from YAML. */
export type Manifest = KubeObject & { readonly apiVersion: string; readonly kind: string };

/** What every handler of an object gets, to be destructured. */
export interface ObjectContext<T extends KubeObject> {
  /** The object as the store holds it. Frozen: change the world, not the picture of it. */
  readonly object: T;
  /** `metadata.name` of the object. */
  readonly name: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  /** Identity of the object: one that is made again under its name has another. */
  readonly uid: string;
  /** Labels of the object; an empty record where it has none. */
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations of the object; an empty record where it has none. */
  readonly annotations: Readonly<Record<string, string>>;
  /**
   * What this process remembers of the object: made by `create` at the first call, the same for every handler and pass,
   * gone with the object or the process. The function is its key.
   */
  memo<M>(create: () => M): M;
  /** The same for the operator: one for all objects, handlers and activities, as long as it runs. */
  shared<M>(create: () => M): M;
  /** The client, with the handler's signal; in a pass it logs every write. */
  readonly client: Client;
  /** The store of a declared watch, of an owned kind or of the reconciled kind itself. */
  cached<K extends AnyKind>(kind: K): CachedReader<ObjectOf<K>>;
  /** The entries of an index, of whichever kind of this operator. */
  index<I extends KubeObject, V>(of: ObjectIndex<I, V>): IndexReader<V>;
  /** Posts a Kubernetes Event about the object. Nothing else does. */
  readonly events: EventPoster;
  /** Its lines name the object. */
  readonly log: Logger;
  /** Aborts on timeout and when the operator's grace period is over. */
  readonly signal: AbortSignal;
  /** The operator's time: with it a handler can be tested on a virtual clock. */
  readonly clock: Clock;
}

/** What a handler in a pass gets, to be destructured. All of it belongs to one pass over one object. */
export interface ReconcileContext<T extends KubeObject, Spec, Status extends object> extends ObjectContext<T> {
  /** The spec, parsed, with defaults. */
  readonly spec: Spec;
  /**
   * Why this pass runs: `changed`, `owned`, `mapped`, `timer`, `retry`, `requeue`, `resume`. For logs, not for
   * decisions.
   */
  readonly reasons: ReadonlySet<string>;
  /**
   * Whether this reconcile is only planned: nothing that it writes through `apply`, `client`, `status` or `events` is
   * kept. A handler that acts on anything outside of the cluster must leave that out then.
   */
  readonly dryRun: boolean;
  /** The status to be written once, after the handlers, and only if it differs. */
  readonly status: StatusDraft<Status>;
  /**
   * Applies a child of a kind by server-side apply with the operator's field manager. `child` gives neither apiVersion
   * nor kind; name and namespace default to the object's. Makes no request where the child is known to be as desired.
   *
   * @throws {PermanentError} where another controller owns the object, or an owner reference cannot reach it.
   */
  apply<K extends AnyKind>(kind: K, child: DesiredOf<K>, options?: ApplyChildOptions): Promise<ObjectOf<K>>;
  /**
   * The same for a manifest that names its kind, as one that was read from YAML: its fields are not checked by the
   * compiler.
   */
  applyManifest<M extends Manifest>(manifest: M, options?: ApplyChildOptions): Promise<M>;
  /**
   * Deletes the children that earlier passes applied and this one did not: every object of an owned kind, of which the
   * object is the controller, that this handler has not applied by now. To be called after the last `apply`; answers
   * what went. The owner references are the inventory: it survives a crash, and lists no object of another manager.
   */
  prune(): Promise<ObjectKey[]>;
  /**
   * The metadata of one object of any kind, and a reconcile whenever it changes. The watch lives as long as each
   * reconcile of this object asks for it again, and is shared between objects.
   */
  watch(resource: ApiResource, key: ObjectKey): Promise<KubeObject | undefined>;
  /**
   * The metadata of every object that a selection finds, and a reconcile whenever one of them comes, changes or goes.
   * It lives and is shared as those of {@linkcode ReconcileContext.watch} are. Needs the verbs `list` and `watch` for
   * the whole selection.
   */
  watchAll(resource: ApiResource, selection: WatchSelection): Promise<readonly KubeObject[]>;
}

/** Which objects of a resource {@linkcode ReconcileContext.watchAll} follows. */
export interface WatchSelection {
  /** Every namespace where absent. */
  readonly namespace?: string;
  /** Only objects with these labels, in the text form of a query. */
  readonly labelSelector?: string;
  /**
   * Only objects with these fields, in the text form of a query. Every kind has `metadata.name` and
   * `metadata.namespace`.
   */
  readonly fieldSelector?: string;
}

/** What a handler of events gets. */
export interface EventContext<T extends KubeObject> extends ObjectContext<T> {
  /** The type of the watch event; `initial` for objects that existed when the operator started. */
  readonly type: "initial" | "added" | "modified" | "deleted";
  /** The object before, where it was known. */
  readonly before: T | undefined;
}

/** What a daemon gets. It outlives passes: `object` and `spec` are those of its start. */
export interface DaemonContext<T extends KubeObject, Spec, Status extends object> extends ObjectContext<T> {
  /** The spec at the start, parsed, with defaults. */
  readonly spec: Spec;
  /**
   * Aborts when the daemon should end: the object goes or no longer matches, or the operator stops. See the
   * signal's reason.
   */
  readonly stopped: AbortSignal;
  /** Starts of this daemon that failed. */
  readonly retry: number;
  /** When the first of them began, in milliseconds since the epoch. */
  readonly startedMs: number;
  /** As declared. */
  readonly param: unknown;
  /** The object as it is now; undefined where it is gone. */
  latest(): T | undefined;
  /** Has the status written, once, in the object's next pass. */
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
   * The object, or the handler's field, as it was handled before: without status and system metadata, secret values as
   * digests. Undefined for a creation, and where it was too large to be remembered.
   */
  readonly old: Value | undefined;
  /** The same after the change. A later change is another one; `object` and `spec` may show it already. */
  readonly next: Value | undefined;
  /** From `old` to `next`, field by field. Empty where one of them is not known. */
  readonly diff: readonly DiffItem[];
  /** Attempts of this handler for this change that failed. */
  readonly retry: number;
  /** When the first of them began, in milliseconds since the epoch. */
  readonly startedMs: number;
  /** As declared. */
  readonly param: unknown;
  /**
   * Adds work that is remembered by its own: once this handler has returned, it runs until it has succeeded or is given
   * up, and only then is this handler done. The handler is called again as long as some of it remains, and must add it
   * again.
   *
   * @throws {UsageError} where the id is taken already.
   */
  subhandler(id: string, handler: ChangeHandler<T, Spec, Status>, bounds?: AttemptBounds): void;
}

/** A handler of changes, or of a part of one; `Value` is the type of what changed: the object, or one field. */
export type ChangeHandler<T extends KubeObject, Spec, Status extends object, Value = HandledObject<T>> = (
  context: ChangeContext<T, Spec, Status, Value>,
) => Promise<void> | void;

/** What of a handler's context is its controller's. */
export interface ObjectContextHost {
  readonly clock: Clock;
  readonly indexes: IndexSet;
  readonly shared: Memo;
  cached(resource: AnyKind): CachedReader<KubeObject>;
}

/** What is one object's, and one handler's. */
interface ObjectContextParts<T extends KubeObject> {
  readonly object: T;
  readonly client: Client;
  readonly events: EventPoster;
  readonly log: Logger;
  readonly signal: AbortSignal;
  memo<M>(create: () => M): M;
}

/** The part of a context that every handler of an object gets. */
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
