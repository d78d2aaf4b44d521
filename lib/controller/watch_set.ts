import { compareResourceVersions, type KubeObject } from "../apimachinery/object.ts";
import { type ApiResource, formatGroupResource } from "../apimachinery/resource.ts";
import { matchesLabels, parseLabelSelector } from "../apimachinery/selector.ts";
import type { Informer } from "../cache/mod.ts";
import type { CachedReader } from "./context.ts";
import type { WriteRecord } from "./cycle_client.ts";
import type { InformerLease, InformerSpec, SharedInformers } from "./shared_informers.ts";

interface Watched {
  readonly spec: InformerSpec;
  readonly lease: InformerLease;
  readonly matches: (labels: Readonly<Record<string, string>> | undefined) => boolean;
}

/** The versions that stores must reach before a key's next cycle, because its last one wrote them. */
export type PendingVersions = Map<Informer<KubeObject>, string>;

/** The declared watches of one controller. */
export class WatchSet {
  readonly #informers: SharedInformers;
  readonly #watched: Watched[] = [];

  constructor(informers: SharedInformers) {
    this.#informers = informers;
  }

  /** Starts or joins a watch. */
  add(spec: InformerSpec): Informer<KubeObject> {
    const lease = this.#informers.acquire(spec);
    const requirements = parseLabelSelector(spec.labelSelector ?? "");
    this.#watched.push({ spec, lease, matches: (labels) => matchesLabels(requirements, labels) });
    return lease.informer;
  }

  /** Resolves when every store is complete. */
  async synced(): Promise<void> {
    await Promise.all(this.#watched.map(({ lease }) => lease.informer.synced));
  }

  /** Lets go of every watch. */
  close(): void {
    for (const { lease } of this.#watched.splice(0)) lease[Symbol.dispose]();
  }

  /** The informer of exactly this declared resource. */
  informerOf(resource: ApiResource): Informer<KubeObject> | undefined {
    return this.#watched.find(({ spec }) => spec.resource === resource)?.lease.informer;
  }

  /**
   * The store of a declared resource.
   *
   * @throws {RangeError} where no watch of it is declared.
   */
  reader(resource: ApiResource): CachedReader<KubeObject> {
    const watched = this.#watched.find(({ spec }) => sameResource(spec.resource, resource));
    if (watched) return watched.lease.informer.store;
    throw new RangeError(
      `cached(${resource.kind}): ${formatGroupResource(resource)} is neither owned nor watched here`,
    );
  }

  /** Enters what the stores have yet to show of `writes`: only a watch that selects the object will ever show it. */
  expect(writes: readonly WriteRecord[], pending: PendingVersions): void {
    for (const { resource, key, resourceVersion, labels } of writes) {
      if (resourceVersion === undefined) continue;
      for (const { spec, lease, matches } of this.#watched) {
        if (!sameResource(spec.resource, resource) || !matches(labels)) continue;
        if (spec.fieldSelector || (spec.namespace && spec.namespace !== key.namespace)) continue;
        const known = pending.get(lease.informer);
        if (known && compareResourceVersions(known, resourceVersion) >= 0) continue;
        pending.set(lease.informer, resourceVersion);
      }
    }
  }
}

function sameResource(left: ApiResource, right: ApiResource): boolean {
  return left.group === right.group && left.plural === right.plural;
}
