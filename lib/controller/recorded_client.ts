import { describeError, isObject } from "../base/mod.ts";
import {
  type AnyKind,
  type ApiResource,
  type DynamicObject,
  formatKey,
  keyOf,
  type KubeList,
  type KubeObject,
  type ObjectKey,
} from "../apimachinery/mod.ts";
import {
  Client,
  type DeleteOptions,
  type GetOptions,
  isNotFound,
  type ListOptions,
  type PatchOptions,
  type WriteOptions,
} from "../client/mod.ts";
import type { CachedReader } from "./context.ts";
import { journalError, type JournalWrite, type PassRecord } from "./journal.ts";
import { targetOf } from "./key_state.ts";
import { objectChanges } from "./object_changes.ts";

/** The object in memory; null if there is none, undefined if no store holds the whole kind. */
export type StoredObject = (resource: ApiResource, key: ObjectKey) => KubeObject | null | undefined;

interface Write<T> {
  readonly verb: JournalWrite["verb"];
  readonly resource: ApiResource;
  readonly key: { readonly namespace?: string; readonly name?: string };
  readonly options: WriteOptions & { readonly metadataOnly?: boolean };
  readonly body: unknown;
  send(): Promise<T>;
}

/** The client of one pass: records its requests, with the changes that its writes made. */
export class RecordedClient extends Client {
  readonly #record: PassRecord;
  readonly #stored: StoredObject;

  constructor(
    client: Client,
    options: Parameters<Client["with"]>[0],
    { record, stored }: { readonly record: PassRecord; readonly stored: StoredObject },
  ) {
    super(client, options);
    this.#record = record;
    this.#stored = stored;
  }

  override with(options: Parameters<Client["with"]>[0]): RecordedClient {
    return new RecordedClient(super.with(options), {}, { record: this.#record, stored: this.#stored });
  }

  override async get<T extends KubeObject = DynamicObject>(
    resource: ApiResource,
    key: ObjectKey,
    options?: GetOptions,
  ): Promise<T> {
    const read = { object: targetOf(resource, key), from: "server" } as const;
    try {
      const object = await super.get<T>(resource, key, options);
      this.#record.read({ ...read, version: object.metadata?.resourceVersion });
      return object;
    } catch (error) {
      this.#record.read({ ...read, ...(isNotFound(error) ? { version: null } : { error: shortError(error) }) });
      throw error;
    }
  }

  override async list<T extends KubeObject = DynamicObject>(
    resource: ApiResource,
    options: ListOptions = {},
  ): Promise<KubeList<T>> {
    const where = [options.namespace && `in ${options.namespace}`, options.labelSelector, options.fieldSelector];
    const object = [targetOf(resource, { name: "" }).trim(), ...where.filter(Boolean)].join(" ");
    const read = { object, from: "server" } as const;
    try {
      const list = await super.list<T>(resource, options);
      this.#record.read({ ...read, version: list.metadata?.resourceVersion, count: list.items.length });
      return list;
    } catch (error) {
      this.#record.read({ ...read, error: shortError(error) });
      throw error;
    }
  }

  override create<T extends KubeObject>(
    resource: ApiResource,
    object: T,
    options: WriteOptions & { metadataOnly?: boolean } = {},
  ): Promise<T> {
    const send = () => super.create(resource, object, options);
    return this.#written({ verb: "create", resource, key: keyOf(object), options, body: object, send });
  }

  override replace<T extends KubeObject>(resource: ApiResource, object: T, options: WriteOptions = {}): Promise<T> {
    const send = () => super.replace(resource, object, options);
    return this.#written({ verb: "replace", resource, key: keyOf(object), options, body: object, send });
  }

  override apply<T extends KubeObject>(
    resource: ApiResource,
    object: T,
    options: WriteOptions & { force?: boolean } = {},
  ): Promise<T> {
    const send = () => super.apply(resource, object, options);
    return this.#written({ verb: "apply", resource, key: keyOf(object), options, body: object, send });
  }

  override patch<T extends KubeObject = DynamicObject>(
    resource: ApiResource,
    key: ObjectKey,
    options: PatchOptions,
  ): Promise<T> {
    const send = () => super.patch<T>(resource, key, options), { type, body } = options;
    return this.#written({ verb: "patch", resource, key, options, body: type === "json" ? {} : body, send });
  }

  override async delete(resource: ApiResource, key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    const { group, plural } = resource, write = { verb: "delete", group, plural, ...key } as const;
    const before = this.#stored(resource, key)?.metadata?.resourceVersion;
    try {
      await super.delete(resource, key, options);
      if (!(this.dryRun || options.dryRun)) this.#record.write({ ...write, before });
    } catch (error) {
      this.#record.write({ ...write, before, error: shortError(error) });
      throw error;
    }
  }

  async #written<T extends KubeObject>({ verb, resource, key, options, body, send }: Write<T>): Promise<T> {
    const { namespace, name = "" } = key, { subresource, metadataOnly } = options, { group, plural } = resource;
    const write = { verb, group, plural, namespace, name, subresource } as const;
    // Before the request: its event may arrive before its answer.
    const stored = verb === "create" ? null : this.#stored(resource, { namespace, name });
    const before = stored?.metadata?.resourceVersion;
    try {
      const after = await send();
      if (this.dryRun || options.dryRun) return after;
      const { resourceVersion: version, name: made = name } = after.metadata ?? {};
      const part = partOf(subresource, metadataOnly), isSent = stored === undefined;
      const changes = objectChanges(resource, stored ? part(stored) : undefined, part(isSent ? bodyOf(body) : after));
      this.#record.write({ ...write, name: made, before, version, isNew: stored === null, changes, isSent });
      return after;
    } catch (error) {
      this.#record.write({ ...write, before, error: shortError(error) });
      throw error;
    }
  }
}

/** A JSON patch has no fields. */
function bodyOf(body: unknown): KubeObject {
  return isObject(body) ? body as KubeObject : {};
}

function partOf(
  subresource: string | undefined,
  metadataOnly: boolean | undefined,
): (object: KubeObject) => KubeObject {
  if (subresource === "status") return (object) => ({ status: (object as { status?: unknown }).status }) as KubeObject;
  return metadataOnly ? ({ metadata }) => ({ metadata }) : (object) => object;
}

function shortError(error: unknown): string {
  return journalError(describeError(error));
}

/** Records what a handler reads from memory. */
export function recordedReader(
  record: PassRecord,
  resource: AnyKind,
  reader: CachedReader<KubeObject>,
): CachedReader<KubeObject> {
  const all = targetOf(resource, { name: "" }).trim();
  const list = (object: string, count: number) => record.read({ object, from: "cache", count });
  return {
    get: (key) => {
      const object = reader.get(key), version = object?.metadata?.resourceVersion ?? (object ? undefined : null);
      record.read({ object: `${all} ${formatKey(key)}`, from: "cache", version });
      return object;
    },
    values: () => {
      list(all, reader.size);
      return reader.values();
    },
    byIndex: (index, value) => {
      const objects = reader.byIndex(index, value);
      list(`${all} by ${index}=${value}`, objects.length);
      return objects;
    },
    get size() {
      return reader.size;
    },
  };
}
