import type { Mask } from "../base/mod.ts";
import { type ApiResource, keyOf, type KubeList, type KubeObject, type ObjectKey } from "../apimachinery/mod.ts";
import type { Client, PatchOptions } from "../client/mod.ts";
import { withoutManagedFields } from "./managed_fields.ts";

/** One write of a pass. */
export interface WriteRecord {
  /** The method of {@linkcode PassClient} that made it. */
  readonly verb: "create" | "replace" | "apply" | "patch" | "delete";
  /** Of which resource the object is. */
  readonly resource: ApiResource;
  /** Which object was written. */
  readonly key: ObjectKey;
  /** As `status`; absent for the object itself. */
  readonly subresource?: string;
  /** Version that the server gave the result; absent for deletions. */
  readonly resourceVersion?: string;
  /** The labels of the result, to know which watches will see it. */
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * The client of one pass: every request carries the pass's signal, and every write is entered in its log, from which
 * the engine learns what to wait for before the next pass and whether the pass changed anything.
 */
export class PassClient {
  /** Whether nothing that it writes is kept, because the pass is only planned. */
  readonly dryRun: boolean = false;
  /** The log: every write that the server confirmed, oldest first. */
  readonly writes: WriteRecord[];
  readonly #client: Client;
  readonly #signal: AbortSignal;

  /** Requests go through `client` until `signal` aborts; `writes` is a log to go on with. */
  constructor(client: Client, signal: AbortSignal, writes: WriteRecord[] = []) {
    this.#client = client;
    this.#signal = signal;
    this.writes = writes;
  }

  /** A client for work that is no pass, and so long that a log would grow without end. */
  static unbooked(client: Client, signal: AbortSignal): PassClient {
    const nowhere: WriteRecord[] = [];
    nowhere.push = () => 0;
    return new PassClient(client, signal, nowhere);
  }

  /** Knows the values of Secrets that were read or sent. */
  get mask(): Mask {
    return this.#client.mask;
  }

  /** The same log under another signal. */
  withSignal(signal: AbortSignal): PassClient {
    return new PassClient(this.#client, signal, this.writes);
  }

  /** Reads one object. @throws {NotFoundError} */
  get<T extends KubeObject>(resource: ApiResource, key: ObjectKey, options?: { metadataOnly?: boolean }): Promise<T> {
    return this.#client.get<T>(resource, key, { ...options, signal: this.#signal });
  }

  /** Reads one object, or undefined where there is none. */
  find<T extends KubeObject>(
    resource: ApiResource,
    key: ObjectKey,
    options?: { metadataOnly?: boolean },
  ): Promise<T | undefined> {
    return this.#client.find<T>(resource, key, { ...options, signal: this.#signal });
  }

  /** Reads all objects of a resource that match, page by page. */
  list<T extends KubeObject>(
    resource: ApiResource,
    options?: { namespace?: string; labelSelector?: string; fieldSelector?: string; metadataOnly?: boolean },
  ): Promise<KubeList<T>> {
    return this.#client.list<T>(resource, { ...options, signal: this.#signal });
  }

  /** The OpenAPI v3 document of a kind's group and version, as the server publishes it. */
  openApi({ group, version }: ApiResource): Promise<unknown> {
    return this.#client.raw(`/openapi/v3/${group === "" ? "api" : `apis/${group}`}/${version}`, {
      signal: this.#signal,
    });
  }

  /** Creates an object; with `metadataOnly` its data is not sent back. @throws {AlreadyExistsError} */
  async create<T extends KubeObject>(
    resource: ApiResource,
    object: T,
    options?: { metadataOnly?: boolean },
  ): Promise<T> {
    const result = await this.#client.create(resource, object, { ...options, signal: this.#signal });
    return this.#enter("create", resource, result);
  }

  /** Replaces an object; `metadata.resourceVersion` guards it. @throws {ConflictError} */
  async replace<T extends KubeObject>(
    resource: ApiResource,
    object: T,
    options?: { subresource?: string },
  ): Promise<T> {
    const body = withoutManagedFields(object);
    const result = await this.#client.replace(resource, body, { ...options, signal: this.#signal });
    return this.#enter("replace", resource, result, options?.subresource);
  }

  /** Server-side apply with the operator's field manager, forced: what the operator applies, it owns. */
  async apply<T extends KubeObject>(resource: ApiResource, object: T, options?: { subresource?: string }): Promise<T> {
    const result = await this.#client.apply(resource, object, { ...options, force: true, signal: this.#signal });
    return this.#enter("apply", resource, result, options?.subresource);
  }

  /** Patches an object. */
  async patch<T extends KubeObject>(
    resource: ApiResource,
    key: ObjectKey,
    options: Pick<PatchOptions, "type" | "body" | "subresource" | "metadataOnly">,
  ): Promise<T> {
    const result = await this.#client.patch<T>(resource, key, { ...options, signal: this.#signal });
    return this.#enter("patch", resource, result, options.subresource);
  }

  /** Deletes an object; `uid` makes sure that it is the one meant. @throws {NotFoundError} */
  async delete(
    resource: ApiResource,
    key: ObjectKey,
    options?: { uid?: string; resourceVersion?: string; propagationPolicy?: "Background" | "Foreground" | "Orphan" },
  ): Promise<void> {
    await this.#client.delete(resource, key, { ...options, signal: this.#signal });
    this.writes.push({ verb: "delete", resource, key });
  }

  #enter<T extends KubeObject>(verb: WriteRecord["verb"], resource: ApiResource, result: T, subresource?: string): T {
    const { resourceVersion, labels } = result.metadata ?? {};
    this.writes.push({ verb, resource, key: keyOf(result), subresource, resourceVersion, labels });
    return result;
  }
}
