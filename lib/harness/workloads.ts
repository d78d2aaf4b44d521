import { type Clock, SeededRandom, silentLogger, type TimerHandle, UsageError } from "../base/mod.ts";
import { type ApiResource, type DynamicObject, keyOf, type KubeObject } from "../apimachinery/mod.ts";
import { Informer } from "../cache/mod.ts";
import { ConflictError, NotFoundError } from "../client/mod.ts";
import { DaemonSet, Deployment, Job, Pod, ReplicaSet, StatefulSet } from "../operator/mod.ts";
import type { ClusterKind } from "./cluster.ts";
import { Expectation } from "./expectation.ts";
import { formatRef, type Ref, refId } from "./ref.ts";
import type { WaitOptions } from "./waiting.ts";
import { failedStatus, isReady, readyStatus, type WorkloadKind } from "./workload_status.ts";

const KINDS: readonly ApiResource[] = [Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, Pod];

/** The cluster cannot do what the scenario needs, so it is skipped. */
export class SkippedError extends Error {
  override readonly name = "SkippedError";
}

interface WorkloadsOptions {
  readonly waiting: WaitOptions;
  readonly clusterKind: ClusterKind;
  readonly isOwn: (object: KubeObject) => boolean;
  /** Called for a refused write; the scenario cannot continue. */
  readonly onError: (error: unknown) => void;
}

/**
 * Writes the status of a scenario's workloads on clusters without nodes, in place of controllers and kubelet. On `kind`
 * and `current`, which have them, it only waits.
 */
export class Workloads implements AsyncDisposable {
  readonly #options: WorkloadsOptions;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #timers = new Set<TimerHandle>();
  /**
   * Uids of workloads that the body made fail, by reference: left alone until it makes them ready. Undefined: the next
   * one.
   */
  readonly #failed = new Map<string, string | undefined>();
  /** Uid and generation of what is or becomes ready. */
  readonly #noticed = new Set<string>();
  #following: Promise<unknown> = Promise.resolve();

  constructor(options: WorkloadsOptions) {
    this.#options = options;
    this.#clock = options.waiting.clock;
  }

  /** Makes a workload ready once it exists, or waits for that on a cluster with nodes. Returns it. */
  async makeReady<T extends KubeObject>(ref: Ref<T>): Promise<T> {
    const kind = kindOf(ref), expectation = new Expectation(ref, this.#options.waiting);
    this.#failed.delete(refId(ref as Ref<never>));
    if (this.#hasNodes) return await expectation.toSatisfy("to be ready", (object) => isReady(kind, object as never));
    const object = await expectation.toExist();
    return await this.#write(ref, readyStatus(kind, object as never, this.#clock.now()));
  }

  async makeFail<T extends KubeObject>(ref: Ref<T>, message: string): Promise<T> {
    const kind = kindOf(ref);
    if (this.#hasNodes) {
      throw new SkippedError("it makes a workload fail, and the controllers of this cluster would overwrite that");
    }
    this.#failed.set(refId(ref), undefined);
    const object = await new Expectation(ref, this.#options.waiting).toExist();
    this.#failed.set(refId(ref), object.metadata?.uid);
    return await this.#write(ref, failedStatus(kind, object as never, message, this.#clock.now()));
  }

  /** From now on makes every workload ready `delayMs` after it appears or its spec changes. */
  async start(delayMs: number): Promise<void> {
    if (this.#hasNodes) return;
    const { client } = this.#options.waiting, context = { clock: this.#clock, random: new SeededRandom(1) };
    const informers = KINDS.map((resource) => {
      const informer = new Informer<DynamicObject>(client, resource, { ...context, logger: silentLogger });
      informer.onEvent(({ type, object }) => {
        if (type !== "deleted" && this.#options.isOwn(object)) this.#notice(resource, object, delayMs);
      });
      return informer;
    });
    this.#following = Promise.allSettled(informers.map((each) => each.start(this.#stop.signal)));
    await Promise.all(informers.map(({ synced }) => synced));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const timer of this.#timers) this.#clock.clear(timer);
    await this.#following;
  }

  get #hasNodes(): boolean {
    return this.#options.clusterKind === "kind" || this.#options.clusterKind === "current";
  }

  #notice(resource: ApiResource, object: DynamicObject, delayMs: number): void {
    const { uid, generation } = object.metadata!, id = `${uid}/${generation}`;
    if (this.#noticed.has(id)) return;
    this.#noticed.add(id);
    const timer = this.#clock.schedule(() => {
      this.#timers.delete(timer);
      this.#become({ resource, key: keyOf(object) } as Ref<never>, uid).catch((error) => {
        if (!this.#stop.signal.aborted) this.#options.onError(error);
      });
    }, delayMs);
    this.#timers.add(timer);
  }

  async #become(ref: Ref<never>, uid: string | undefined): Promise<void> {
    const object = await this.#options.waiting.client.find<DynamicObject>(ref.resource, ref.key);
    if (object?.metadata?.uid !== uid || this.#isFailed(ref, uid) || isSuspended(object)) return;
    try {
      await this.#write(ref as Ref<KubeObject>, readyStatus(kindOf(ref), object!, this.#clock.now()));
    } catch (error) {
      // Deleted meanwhile.
      if (!(error instanceof NotFoundError || error instanceof ConflictError)) throw error;
    }
  }

  #isFailed(ref: Ref<never>, uid: string | undefined): boolean {
    const id = refId(ref);
    return this.#failed.has(id) && (this.#failed.get(id) ?? uid) === uid;
  }

  async #write<T extends KubeObject>({ resource, key }: Ref<T>, status: object): Promise<T> {
    const { client } = this.#options.waiting, patch = { status } as never;
    return await client.patch<T>(resource, key, { type: "merge", body: patch, subresource: "status" });
  }
}

function isSuspended(object: DynamicObject | undefined): boolean {
  return (object?.spec as { suspend?: boolean } | undefined)?.suspend === true;
}

function kindOf(ref: Ref<never>): WorkloadKind {
  const { group, kind } = ref.resource as ApiResource;
  if (!KINDS.some((each) => each.group === group && each.kind === kind)) {
    throw new UsageError(
      `${formatRef(ref)} is not a workload`,
      `these are: ${KINDS.map((each) => each.kind).join(", ")}; write the status of others with cluster.patch`,
    );
  }
  return kind as WorkloadKind;
}
