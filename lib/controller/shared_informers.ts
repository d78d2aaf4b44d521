import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock, Logger, Random } from "../base/mod.ts";
import { type ApiResource, formatGroupResource, type KubeObject } from "../apimachinery/mod.ts";
import { Informer, type ReflectorBounds } from "../cache/mod.ts";
import type { Client } from "../client/mod.ts";

/** What an informer watches and keeps. Equal specs share one informer. */
export interface InformerSpec<T extends KubeObject = KubeObject> {
  readonly resource: ApiResource;
  /** The whole cluster if absent. */
  readonly namespace?: string;
  /** In the text form of a query. */
  readonly labelSelector?: string;
  /** In the text form of a query. */
  readonly fieldSelector?: string;
  /** Keep `metadata` alone (PartialObjectMetadata). */
  readonly metadataOnly?: boolean;
  /** Compared by identity. */
  readonly transform?: (object: T) => T;
}

/** The use of a shared informer, until disposed. */
export interface InformerLease<T extends KubeObject = KubeObject> extends Disposable {
  readonly informer: Informer<T>;
}

interface Shared {
  readonly spec: InformerSpec;
  readonly informer: Informer<KubeObject>;
  readonly abort: AbortController;
  readonly running: Promise<void>;
  leases: number;
}

/** One watch per resource, scope and selection, shared by all leases; the last disposal ends it. */
export class SharedInformers {
  readonly #client: Client;
  readonly #options: ReflectorBounds & { clock: Clock; random: Random; logger: Logger };
  readonly #shared: Shared[] = [];
  readonly #ending = new Set<Promise<void>>();
  /** A watch outlives the reconcile that first needs it, so its requests must not join that trace. */
  readonly #detached = AsyncLocalStorage.snapshot();

  constructor(client: Client, options: ReflectorBounds & { clock: Clock; random: Random; logger: Logger }) {
    this.#client = client;
    this.#options = options;
  }

  /** Starts or joins the informer of `spec`. */
  acquire<T extends KubeObject>(spec: InformerSpec<T>): InformerLease<T> {
    const wanted = spec as unknown as InformerSpec;
    let shared = this.#shared.find((each) => sameSpec(each.spec, wanted));
    if (!shared) this.#shared.push(shared = this.#start(wanted));
    shared.leases++;
    let held = true;
    return {
      informer: shared.informer as unknown as Informer<T>,
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        if (--shared.leases === 0) this.#end(shared);
      },
    };
  }

  /** For readiness and metrics. */
  *running(): Iterable<{ readonly spec: InformerSpec; readonly informer: Informer<KubeObject> }> {
    yield* this.#shared;
  }

  async close(): Promise<void> {
    for (const shared of [...this.#shared]) this.#end(shared);
    await Promise.allSettled([...this.#ending]);
  }

  #start(spec: InformerSpec): Shared {
    const { resource, ...options } = spec;
    const logger = this.#options.logger.with({ watch: formatGroupResource(resource) });
    const informer = new Informer<KubeObject>(this.#client, resource, { ...options, ...this.#options, logger });
    const abort = new AbortController();
    const running = this.#detached(() => informer.start(abort.signal));
    return { spec, informer, abort, running, leases: 0 };
  }

  #end(shared: Shared): void {
    const index = this.#shared.indexOf(shared);
    if (index < 0) return; // closing ended it before its last lease did
    this.#shared.splice(index, 1);
    shared.abort.abort();
    const ended = shared.running.finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }
}

function sameSpec(left: InformerSpec, right: InformerSpec): boolean {
  return left.resource.group === right.resource.group && left.resource.version === right.resource.version &&
    left.resource.plural === right.resource.plural && left.namespace === right.namespace &&
    left.labelSelector === right.labelSelector && left.fieldSelector === right.fieldSelector &&
    Boolean(left.metadataOnly) === Boolean(right.metadataOnly) && left.transform === right.transform;
}
