import { sleep, UsageError } from "../base/mod.ts";
import { CRDS } from "../admission/mod.ts";
import {
  type AnyKind,
  type ApiResource,
  type Condition,
  type DesiredOf,
  type DynamicObject,
  type GroupVersionKind,
  keyOf,
  type KubeObject,
  type ObjectKey,
  type ObjectOf,
  parseApiVersion,
} from "../apimachinery/mod.ts";
import { type Client, type DeleteOptions, type ListOptions, NotFoundError, type PatchOptions } from "../client/mod.ts";
import { type KindResolver, Namespace, UnknownKindError } from "../operator/mod.ts";
import { formatRef, type Ref, refId } from "./ref.ts";
import type { WaitOptions } from "./waiting.ts";

/** Pause before requesting a kind again that has a CRD and is not served yet. */
const UNSERVED_MS = 100;

/**
 * The cluster as one scenario sees it. Until its end the scenario owns what it creates: namespaces with its prefix,
 * their content, and objects outside of them. Namespaced objects without a namespace get its own.
 */
export class ScenarioCluster {
  /** The body's client: an administrator with field manager `scenario`. */
  readonly client: Client;
  /** Prefix of all names that belong to the scenario. */
  readonly prefix: string;
  /** The scenario's namespace; it exists when the body begins. */
  readonly namespace: string;
  readonly #waiting: WaitOptions;
  readonly #kinds: KindResolver;
  readonly #namespaces = new Set<string>();
  readonly #outside: Ref<never>[] = [];

  /** The runner makes one per scenario. */
  constructor(waiting: WaitOptions, kinds: KindResolver, prefix: string) {
    this.client = waiting.client;
    this.#waiting = waiting;
    this.prefix = prefix;
    this.namespace = `${prefix}-home`;
    this.#kinds = kinds;
  }

  /** Namespaces that the body made, in order. */
  get namespaces(): readonly string[] {
    return [...this.#namespaces];
  }

  /** Objects that the body added outside of its namespaces, in order. */
  get outside(): readonly Ref<never>[] {
    return this.#outside;
  }

  /** Makes a namespace `PREFIX-name`. Returns its full name. */
  async makeNamespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<string> {
    const full = `${this.prefix}-${name}`;
    await this.create(Namespace, { metadata: { name: full, labels } });
    return full;
  }

  /** Server-side apply; fills in defaults and `metadata.namespace`. Waits for a kind whose CRD was just created. */
  apply<K extends AnyKind>(kind: K, object: DesiredOf<K>): Promise<ObjectOf<K>> {
    return this.#apply(kind, object as KubeObject) as Promise<ObjectOf<K>>;
  }

  /** The same for a manifest of any kind that the server knows; fields are not type-checked. */
  async applyManifest<M extends KubeObject>(manifest: M): Promise<M> {
    return await this.#apply(await this.#kindOf(manifest), manifest);
  }

  /** Creates an object; fills in defaults and `metadata.namespace`. Waits for a kind whose CRD was just created. */
  create<K extends AnyKind>(kind: K, object: DesiredOf<K>): Promise<ObjectOf<K>> {
    return this.#create(kind, object as KubeObject) as Promise<ObjectOf<K>>;
  }

  /** The same for a manifest of any kind that the server knows; fields are not type-checked. */
  async createManifest<M extends KubeObject>(manifest: M): Promise<M> {
    return await this.#create(await this.#kindOf(manifest), manifest);
  }

  /** Patches an object by merge patch. */
  patch<T extends KubeObject>(ref: Ref<T>, patch: object, options: Partial<PatchOptions> = {}): Promise<T> {
    return this.client.patch<T>(
      ref.resource,
      ref.key,
      { type: "merge", ...options, body: patch as never } as PatchOptions,
    );
  }

  /**
   * Requests an object's deletion; a missing one is no failure. A `toBeGone` directly after it means this object, not
   * one created since. After another expectation or `eventually`, or once the scenario creates the name again, it means
   * the present one.
   */
  async delete(ref: Ref<never>, options: DeleteOptions = {}): Promise<void> {
    if (!options.dryRun) {
      this.#waiting.deleted?.set(refId(ref), (await this.client.find(ref.resource, ref.key))?.metadata?.uid);
    }
    try {
      await this.client.delete(ref.resource, ref.key, options);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }

  /** Reads an object. */
  get<T extends KubeObject>(ref: Ref<T>): Promise<T> {
    return this.client.get<T>(ref.resource, ref.key);
  }

  /** Reads an object; undefined if it does not exist. */
  find<T extends KubeObject>(ref: Ref<T>): Promise<T | undefined> {
    return this.client.find<T>(ref.resource, ref.key);
  }

  /** Lists a kind in the scenario's namespaces. */
  async list<T extends KubeObject = DynamicObject>(
    resource: ApiResource & { parseSpec?(object: T): unknown },
    options: ListOptions = {},
  ): Promise<T[]> {
    const { items } = await this.client.list<T>(resource, options);
    return items.filter(({ metadata }) => metadata?.namespace?.startsWith(`${this.prefix}-`));
  }

  /** Objects of some kinds with conditions, in a few lines; namespaced ones only of the scenario. */
  async describe(resources: readonly ApiResource[]): Promise<string> {
    const lines: string[] = [];
    for (const resource of resources) {
      const found = resource.namespaced
        ? this.list(resource)
        : this.client.list<DynamicObject>(resource).then(({ items }) => items);
      const items = await found.catch((error) => {
        if (error instanceof NotFoundError) return [];
        throw error;
      });
      if (items.length === 0) lines.push(`  no ${resource.kind}`);
      lines.push(...items.map((object) => `  ${formatRef({ resource, key: keyOf(object) })}${conditionsOf(object)}`));
    }
    const left = lines.length - DESCRIBED_MAX;
    return [...lines.slice(0, DESCRIBED_MAX), ...(left > 0 ? [`  and ${left} more`] : [])].join("\n");
  }

  #isOutside({ namespace, name }: ObjectKey): boolean {
    return !(namespace ?? name).startsWith(`${this.prefix}-`);
  }

  /** Recorded before creation, so that a lost answer leaves nothing behind. */
  #own(resource: ApiResource, key: ObjectKey): void {
    if (resource.group === "" && resource.kind === "Namespace") this.#namespaces.add(key.name);
    else if (key.namespace === undefined || this.#isOutside(key)) this.#outside.push({ resource, key });
  }

  async #apply<T extends KubeObject>(resource: ApiResource, object: T): Promise<T> {
    const { body, key } = this.#placed(resource, object);
    const isForeign = this.#isOutside(key) && await this.client.find(resource, key) !== undefined;
    if (!isForeign) this.#own(resource, key);
    return await this.#whenServed(resource, () => this.client.apply(resource, body, { force: true }));
  }

  async #create<T extends KubeObject>(resource: ApiResource, object: T): Promise<T> {
    const { body, key } = this.#placed(resource, object);
    if (!this.#isOutside(key)) {
      this.#own(resource, key);
      return await this.#whenServed(resource, () => this.client.create(resource, body));
    }
    // The server refuses an existing object, which is another's.
    const created = await this.#whenServed(resource, () => this.client.create(resource, body));
    this.#own(resource, { ...key, name: created.metadata!.name! });
    return created;
  }

  async #kindOf({ apiVersion, kind, metadata }: KubeObject): Promise<ApiResource> {
    if (!apiVersion || !kind) {
      throw new UsageError(`a manifest without a kind: ${metadata?.name}`, "give it apiVersion and kind");
    }
    const { group, version } = parseApiVersion(apiVersion);
    return await this.#whenServed({ group, version, kind }, () => this.#kinds.resolve(group, version, kind));
  }

  /** Retries within the bound while a CRD's kind is not served yet. */
  async #whenServed<R>(kind: GroupVersionKind, send: () => Promise<R>): Promise<R> {
    const { clock, waitMsMax, signal } = this.#waiting, endMs = clock.elapsed() + waitMsMax;
    for (;;) {
      try {
        return await send();
      } catch (error) {
        const late = clock.elapsed() >= endMs;
        if (late || !isUnserved(error) || !await this.#isDefined(kind)) throw error;
      }
      await sleep(clock, UNSERVED_MS, signal);
    }
  }

  async #isDefined({ group, version, kind }: GroupVersionKind): Promise<boolean> {
    const { items } = await this.client.list<DynamicObject>(CRDS);
    return items.some(({ metadata, spec }) => {
      const { group: defined, names, versions } = spec as CrdSpec;
      return metadata?.deletionTimestamp === undefined && defined === group && names.kind === kind &&
        versions.some(({ name, served }) => served && name === version);
    });
  }

  #placed<T extends KubeObject>(resource: ApiResource, object: T): { body: T; key: ObjectKey } {
    const { metadata } = object, name = metadata?.name ?? "";
    const key = resource.namespaced ? { namespace: metadata?.namespace ?? this.namespace, name } : { name };
    if (resource.group === "" && resource.kind === "Namespace" && this.#isOutside(key)) {
      throw new UsageError(`a scenario's namespaces begin with ${this.prefix}-, not ${key.name}`, "take makeNamespace");
    }
    this.#waiting.deleted?.delete(refId({ resource, key }));
    const body = { ...object, metadata: { ...metadata, ...key } };
    if (key.name === "") delete (body.metadata as { name?: string }).name; // the server makes one of generateName
    return { body, key };
  }
}

const DESCRIBED_MAX = 10;

/** Such as `: Ready=False (Waiting): no node`; empty without conditions. */
function conditionsOf({ status }: DynamicObject): string {
  const { conditions } = (status ?? {}) as { conditions?: Condition[] | null };
  const shown = (conditions ?? []).map(({ type, status, reason, message }) =>
    `${type}=${status}${reason ? ` (${reason})` : ""}${message ? `: ${message}` : ""}`
  );
  return shown.length > 0 ? `: ${shown.join("; ")}` : "";
}

interface CrdSpec {
  readonly group: string;
  readonly names: { readonly kind: string };
  readonly versions: readonly { readonly name: string; readonly served: boolean }[];
}

/** The response names a missing object or namespace, not an unserved kind. */
function isUnserved(error: unknown): boolean {
  return error instanceof UnknownKindError || error instanceof NotFoundError && !error.status.details?.name;
}
