import assert from "node:assert/strict";
import {
  createLogger,
  type LogRecord,
  SeededRandom,
  settle,
  type Transport,
  type TransportRequest,
} from "../lib/base/mod.ts";
import { type DynamicObject, formatKey, type KubeObject, type ObjectKey } from "../lib/apimachinery/mod.ts";
import type { UserInfo } from "../lib/apiserver/mod.ts";
import { Client } from "../lib/client/mod.ts";
import {
  type ApiResource,
  builtinKind,
  Namespace,
  NotFoundError,
  type Operator,
  type RunningOperator,
  type StartOptions,
} from "../lib/operator/mod.ts";
import type { Cluster } from "../lib/harness/mod.ts";
import { openCluster } from "./cluster.ts";

export const CustomResourceDefinition = builtinKind<DynamicObject>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  namespaced: false,
});

/** One request of an operator, as the world saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
}

/** What a transport under test does to a write: let it through, or cut the process off before or after it. */
export type WriteFault = (request: SeenRequest, nthWrite: number) => "pass" | "dieBefore" | "dieAfter";

let worlds = 0;

/**
 * One test's own corner of a cluster: namespaces that begin with its prefix, operators that it starts and stops, the requests
 * they made. Works alike on the embedded server and on a real one; leaves nothing behind.
 */
export class World implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly client: Client;
  readonly prefix: string;
  readonly logs: LogRecord[] = [];
  requests: SeenRequest[] = [];
  #running: RunningOperator | undefined;
  #died = Promise.withResolvers<void>();
  readonly #namespaces: string[] = [];
  readonly #operator: Operator;

  private constructor(cluster: Cluster, operator: Operator) {
    this.cluster = cluster;
    this.#operator = operator;
    this.client = new Client(cluster.transport(), { fieldManager: "test" });
    this.prefix = `t${worlds++}-${crypto.randomUUID().slice(0, 8)}`;
  }

  /** Opens a world in which the operator's CRDs are installed; nothing runs yet. It closes `cluster`. */
  static async open(operator: Operator, cluster?: Cluster): Promise<World> {
    const world = new World(cluster ?? await openCluster(), operator);
    for (const crd of operator.crds()) {
      await world.client.apply(CustomResourceDefinition, crd, { force: true });
      await world.until([CustomResourceDefinition], async () => {
        const { status } = await world.client.get<DynamicObject>(CustomResourceDefinition, {
          name: crd.metadata!.name!,
        });
        // A real server shows `conditions: null` at first.
        const { conditions } = (status ?? {}) as { conditions?: { type: string; status: string }[] | null };
        return conditions?.some((each) => each.type === "Established" && each.status === "True") ?? false;
      });
    }
    return world;
  }

  /** Starts the operator with short backoffs; its requests and logs are recorded. */
  async start(options: Partial<StartOptions> & { as?: UserInfo; fault?: WriteFault } = {}): Promise<RunningOperator> {
    assert.equal(this.#running, undefined, "the operator of this world runs already");
    const { as, fault = () => "pass", ...rest } = options;
    this.requests = [];
    this.#died = Promise.withResolvers<void>();
    const transport = this.#recording(this.cluster.transport(as), fault);
    this.#running = await this.#operator.start({
      transport,
      random: new SeededRandom(1),
      logger: createLogger((record) => this.logs.push(record)),
      controller: { backoff: { initialMs: 5, maxMs: 50 } },
      ...rest,
    });
    return this.#running;
  }

  /** The operator that runs. */
  get running(): RunningOperator {
    assert.ok(this.#running, "no operator runs");
    return this.#running;
  }

  /** Stops the operator gracefully. */
  async stop(): Promise<void> {
    await this.running.stop(10_000);
    this.#running = undefined;
  }

  /** Ends the operator as kill -9 would. */
  async kill(): Promise<void> {
    await this.running.crash();
    this.#running = undefined;
  }

  /** What the operator wrote since it started. */
  get writes(): SeenRequest[] {
    return this.requests.filter(({ method, path }) => method !== "GET" && !path.includes("selfsubjectaccessreviews"));
  }

  /** Creates a namespace of this world; `name` comes after its prefix. */
  async namespace(name: string, labels: Record<string, string> = {}): Promise<string> {
    const full = `${this.prefix}-${name}`;
    await this.client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: full, labels } });
    if (!this.#namespaces.includes(full)) this.#namespaces.push(full);
    return full;
  }

  /**
   * Waits, woken by changes of `resources`, until `holds`; fails with what `describe` says after a minute (the real
   * garbage collector looks for new kinds every thirty seconds).
   */
  async until(
    resources: readonly ApiResource[],
    holds: () => Promise<boolean>,
    describe?: () => Promise<unknown>,
  ): Promise<void> {
    const stop = new AbortController();
    const timeout = setTimeout(() => stop.abort(new Error("the world did not get there within 60 s")), 60_000);
    let changed = Promise.withResolvers<void>();
    stop.signal.addEventListener("abort", () => changed.resolve());
    const watching = resources.map(async (resource) => {
      // A real server may end a watch whenever it likes.
      while (!stop.signal.aborted) {
        const options = { signal: stop.signal, metadataOnly: true, resourceVersion: "0" };
        try {
          for await (const _ of this.client.watch(resource, options)) changed.resolve();
        } catch (error) {
          if (!stop.signal.aborted) throw error;
        }
      }
    });
    try {
      while (!(await holds())) {
        if (stop.signal.aborted) {
          const seen = describe ? `; seen last: ${JSON.stringify(await describe(), null, 2)}` : "";
          throw new Error(`${stop.signal.reason.message}${seen}\n${this.#lastLogs()}`);
        }
        await changed.promise;
        changed = Promise.withResolvers<void>();
      }
    } finally {
      clearTimeout(timeout);
      stop.abort();
      await Promise.all(watching);
    }
  }

  /** Waits until an object exists and `holds` for it; returns it. */
  async untilObject<T extends KubeObject>(
    resource: ApiResource,
    key: ObjectKey,
    holds: (object: T) => boolean = () => true,
  ): Promise<T> {
    let last: T | undefined;
    await this.until([resource], async () => {
      last = await this.client.find<T>(resource, key);
      return last !== undefined && holds(last);
    }, () => Promise.resolve(last ?? `no ${resource.kind} ${formatKey(key)}`));
    return last!;
  }

  /** Waits until an object is gone. */
  async untilGone(resource: ApiResource, key: ObjectKey): Promise<void> {
    let last: KubeObject | undefined;
    await this.until([resource], async () => {
      last = await this.client.find(resource, key);
      return last === undefined;
    }, () => Promise.resolve(last));
  }

  /** Waits until the operator has nothing left to do now. */
  async idle(): Promise<void> {
    // Events that are on their way count as work too: idle must hold for a while of turns, not for one.
    for (let quiet = 0, turns = 0; quiet < 20; turns++) {
      assert.ok(turns < 100_000, "the operator does not come to rest");
      await settle(1);
      quiet = this.running.idle ? quiet + 1 : 0;
    }
  }

  /** Waits until the operator has nothing left to do, or its fault has struck; then ends it as kill -9 would. */
  async idleThenKill(): Promise<void> {
    await Promise.race([this.idle(), this.#died.promise]);
    await this.kill();
  }

  /** Removes everything of this world, with the operator's help where finalizers need it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#running) await this.start();
    for (const { kind } of this.#operator.declarations) {
      if (!("crd" in kind)) continue;
      for (const namespace of this.#namespaces) {
        const { items } = await this.client.list(kind, { namespace }).catch((error) => {
          if (error instanceof NotFoundError) return { items: [] };
          throw error;
        });
        for (const { metadata } of items) {
          const key = { namespace, name: metadata!.name! };
          await this.client.delete(kind, key).catch(ignoreNotFound);
          await this.untilGone(kind, key);
        }
      }
    }
    await this.running.crash();
    this.#running = undefined;
    for (const name of this.#namespaces) await this.client.delete(Namespace, { name }).catch(ignoreNotFound);
    await this.cluster[Symbol.asyncDispose]();
  }

  #recording(inner: Transport, fault: WriteFault): Transport {
    let nthWrite = 0, dead = false;
    return {
      fetch: async (path: string, request: TransportRequest = {}) => {
        if (dead) throw new TypeError("the process is gone");
        const seen = { method: request.method ?? "GET", path };
        this.requests.push(seen);
        if (seen.method === "GET") return await inner.fetch(path, request);
        const verdict = fault(seen, ++nthWrite);
        dead ||= verdict !== "pass";
        const die = () => {
          this.#died.resolve();
          return new TypeError("the process is gone");
        };
        if (verdict === "dieBefore") throw die();
        const response = await inner.fetch(path, request);
        if (verdict === "pass") return response;
        await response.body?.cancel();
        throw die();
      },
      close: () => inner.close(),
    };
  }

  #lastLogs(): string {
    return this.logs.slice(-15).map(({ level, message, fields }) => `${level} ${message} ${JSON.stringify(fields)}`)
      .join("\n");
  }
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof NotFoundError)) throw error;
}
