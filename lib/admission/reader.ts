import type { ApiResource, DynamicObject, KubeList, KubeObject, ObjectKey } from "../apimachinery/mod.ts";
import type { Client, GetOptions, ListOptions } from "../client/mod.ts";
import type { AdmissionReader } from "./context.ts";

/** Reads through a client, with the handler's signal by default. */
export class SignalledReader implements AdmissionReader {
  readonly #client: Client;
  readonly #signal: AbortSignal;

  /** Makes no request. */
  constructor(client: Client, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  /** See {@linkcode Client.get}. */
  get<T extends KubeObject = DynamicObject>(resource: ApiResource, key: ObjectKey, options?: GetOptions): Promise<T> {
    return this.#client.get<T>(resource, key, { signal: this.#signal, ...options });
  }

  /** See {@linkcode Client.find}. */
  find<T extends KubeObject = DynamicObject>(
    resource: ApiResource,
    key: ObjectKey,
    options?: GetOptions,
  ): Promise<T | undefined> {
    return this.#client.find<T>(resource, key, { signal: this.#signal, ...options });
  }

  /** See {@linkcode Client.list}. */
  list<T extends KubeObject = DynamicObject>(resource: ApiResource, options?: ListOptions): Promise<KubeList<T>> {
    return this.#client.list<T>(resource, { signal: this.#signal, ...options });
  }
}
