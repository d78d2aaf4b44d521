import type { ApiResource, KubeObject } from "../apimachinery/mod.ts";
import type { SharedInformers } from "../controller/mod.ts";

/** One watch of an operator; several handlers may share it. */
export interface WatchStatus {
  readonly resource: ApiResource;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly size: number;
  /** Milliseconds since the last event or bookmark. */
  readonly stalenessMs: number;
  /** Its lists: the first, and those it fell back to. */
  readonly relists: number;
  /** Connections after the first. */
  readonly reconnects: number;
  /** Why it is silent, if known. */
  readonly lastError: Error | undefined;
  /** Frozen. */
  objects(): Iterable<KubeObject>;
  /** True once its store has seen a version, false after `timeoutMs`. */
  waitFor(resourceVersion: string, timeoutMs: number): Promise<boolean>;
}

export function watchesOf(informers: SharedInformers): WatchStatus[] {
  return [...informers.running()].map(({ spec, informer }) => ({
    resource: spec.resource,
    namespace: spec.namespace,
    labelSelector: spec.labelSelector,
    fieldSelector: spec.fieldSelector,
    size: informer.store.size,
    stalenessMs: informer.stalenessMs(),
    relists: informer.relists,
    reconnects: informer.reconnects,
    lastError: informer.lastError,
    objects: () => informer.store.values(),
    waitFor: (resourceVersion, timeoutMs) => informer.waitFor(resourceVersion, timeoutMs),
  }));
}
