import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { KubeObject, ObjectKey } from "../apimachinery/object.ts";
import type { ApiResource } from "../apimachinery/resource.ts";
import type { CycleClient } from "./cycle_client.ts";
import type { EventPoster } from "./event_recorder.ts";
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

/** What every handler gets, to be destructured. All of it belongs to one cycle on one object. */
export interface ReconcileContext<T extends KubeObject, Spec, Status extends object> {
  /** The object as the store holds it. Frozen: change the world, not the picture of it. */
  readonly object: T;
  /** The spec, parsed, with defaults. */
  readonly spec: Spec;
  /** `metadata.name` of the object. */
  readonly name: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  /** Identity of the object: one that is made anew under its name has another. */
  readonly uid: string;
  /** Labels of the object; an empty record where it has none. */
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations of the object; an empty record where it has none. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Why this cycle runs: `changed`, `owned`, `mapped`, `timer`, `retry`, `requeue`, `resume`. For logs, not for decisions. */
  readonly reasons: ReadonlySet<string>;
  /** The status to be written once, after the handlers, and only if it differs. */
  readonly status: StatusDraft<Status>;
  /**
   * Applies a child by server-side apply with the operator's field manager. Name and namespace default to the object's.
   * Makes no request where the child is known to be as desired.
   */
  apply<C extends KubeObject>(child: C, options?: ApplyChildOptions): Promise<C>;
  /** The client, with this cycle's signal and books. */
  readonly client: CycleClient;
  /** The store of a declared watch, of an owned kind or of the reconciled kind itself. */
  cached<W extends KubeObject>(resource: ApiResource & { parseSpec?: (object: W) => unknown }): CachedReader<W>;
  /**
   * The metadata of one object of any kind, and a reconcile whenever it changes. The watch lives as long as each
   * reconcile of this object asks for it again, and is shared between objects.
   */
  watch(resource: ApiResource, key: ObjectKey): Promise<KubeObject | undefined>;
  /** Posts a Kubernetes Event about the object. Nothing else does. */
  readonly events: EventPoster;
  /** Its lines name the object. */
  readonly log: Logger;
  /** Aborts on timeout and when the operator's grace period is over. */
  readonly signal: AbortSignal;
  /** The operator's time: with it a handler can be tested on a virtual clock. */
  readonly clock: Clock;
}
