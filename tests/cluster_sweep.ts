import { SystemClock } from "../lib/base/mod.ts";
import { type ApiResource, formatGroupResource, keyOf, type KubeObject } from "../lib/apimachinery/mod.ts";
import { CRDS } from "../lib/admission/crd_conversion.ts";
import { Client, NotFoundError } from "../lib/client/mod.ts";
import { ConfigMap, Namespace, Secret } from "../lib/operator/mod.ts";
import type { Cluster } from "../lib/harness/mod.ts";
import { Expectation } from "../lib/harness/expectation.ts";

/** A kube-apiserver under load removes a CRD's finalizer only at its second try, after more than a minute. */
const GONE_MS_MAX = 180_000;

/** What has to go from a cluster that tests share, for the next one to find it as the first did. */
export class ClusterSweep {
  readonly #client: Client;
  readonly #clock = new SystemClock();
  readonly #kept: ReadonlySet<string>;
  readonly #namespace: string;

  private constructor(client: Client, namespace: string, kept: ReadonlySet<string>) {
    this.#client = client;
    this.#namespace = namespace;
    this.#kept = kept;
  }

  /** Notes what is there now and stays, definitions and namespaces; what is in `namespace` later does not. */
  static async begin(cluster: Cluster, namespace: string): Promise<ClusterSweep> {
    const client = new Client(cluster.transport(), { fieldManager: "sweep" }), kept = new Set<string>([namespace]);
    for (const resource of [CRDS, Namespace]) {
      for (const { metadata } of (await client.list(resource)).items) kept.add(metadata!.name!);
    }
    return new ClusterSweep(client, namespace, kept);
  }

  /**
   * Removes the objects of custom `kinds` everywhere, and whatever else has come that is not kept; waits until it is
   * gone.
   */
  async end(kinds: readonly ApiResource[]): Promise<void> {
    const own = new Set(kinds.map(formatGroupResource));
    for (const kind of kinds) if ("crd" in kind) await this.#remove(kind, () => true);
    for (const kind of BUILTIN) {
      await this.#remove(kind, ({ name, namespace }) => namespace === this.#namespace && name !== "kube-root-ca.crt");
    }
    await this.#remove(CRDS, ({ name }) => !this.#kept.has(name!) && !own.has(name!));
    // The cluster's own may come late.
    await this.#remove(Namespace, ({ name = "" }) => !this.#kept.has(name) && !/^(default$|kube-)/.test(name));
  }

  async #remove(kind: ApiResource, goes: (metadata: NonNullable<KubeObject["metadata"]>) => boolean): Promise<void> {
    const { items } = await this.#client.list<KubeObject>(kind).catch(nothing);
    const keys = items.filter(({ metadata }) => goes(metadata!)).map((object) => keyOf(object));
    const waiting = { client: this.#client, clock: this.#clock, waitMsMax: GONE_MS_MAX };
    for (const key of keys) {
      await this.#client.delete(kind, key).catch(nothing);
      if (kind !== Namespace && kind !== CRDS) {
        await this.#client.patch(kind, key, { type: "merge", body: { metadata: { finalizers: null } } }).catch(nothing);
      }
    }
    for (const key of keys) await new Expectation({ resource: kind, key }, waiting).toBeGone();
  }
}

/** Built-in kinds that these tests make objects of. */
const BUILTIN: readonly ApiResource[] = [ConfigMap, Secret];

/** What is gone already needs no sweeping. */
function nothing(error: unknown): { items: KubeObject[] } {
  if (error instanceof NotFoundError) return { items: [] };
  throw error;
}
