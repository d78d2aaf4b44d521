import type { ApiResource, KubeObject } from "../apimachinery/mod.ts";
import type { SharedInformers } from "../controller/mod.ts";

/** One watch of an operator, as it is now; several handlers may share it. */
export interface WatchStatus {
  /** Whose objects. */
  readonly resource: ApiResource;
  /** The only one, where it is one. */
  readonly namespace?: string;
  /** Only objects with these labels. */
  readonly labelSelector?: string;
  /** Only objects with these fields. */
  readonly fieldSelector?: string;
  /** How many objects its store holds. */
  readonly size: number;
  /** Milliseconds since the last event or bookmark. */
  readonly stalenessMs: number;
  /** Lists that it began with or fell back to. */
  readonly relists: number;
  /** Connections after the first. */
  readonly reconnects: number;
  /** Why it is silent, where that is known. */
  readonly lastError: Error | undefined;
  /** What its store holds; frozen. */
  objects(): Iterable<KubeObject>;
  /** Resolves with true as soon as its store has seen a version, with false after `timeoutMs`. */
  waitFor(resourceVersion: string, timeoutMs: number): Promise<boolean>;
}

/** Every watch that runs. */
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
