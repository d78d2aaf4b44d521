import type { Clock } from "../base/clock.ts";
import type { Memo } from "../base/memo.ts";
import type { Logger } from "../base/log.ts";
import type { KubeObject } from "../apimachinery/object.ts";
import type { ApiResource } from "../apimachinery/resource.ts";
import type { CachedReader, ObjectContext } from "./context.ts";
import type { CycleClient } from "./cycle_client.ts";
import type { EventPoster } from "./event_recorder.ts";
import type { IndexSet } from "./index_set.ts";

/** What of a handler's context is its controller's. */
export interface ObjectContextHost {
  readonly clock: Clock;
  readonly indexes: IndexSet;
  readonly shared: Memo;
  cached(resource: ApiResource): CachedReader<KubeObject>;
}

/** What is one object's, and one handler's. */
export interface ObjectContextParts<T extends KubeObject> {
  readonly object: T;
  readonly client: CycleClient;
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
