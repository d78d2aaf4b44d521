import { isObject, jsonClone } from "../base/mod.ts";
import { formatKey, parseKey } from "../apimachinery/mod.ts";
import { createObject } from "./create_object.ts";
import type { StorageEvent } from "./event_log.ts";
import type { ServerContext } from "./server_context.ts";
import { updateObject } from "./update_object.ts";
import type { WriteTarget } from "./write_target.ts";

const NAMESPACES = "namespaces", ACCOUNTS = "serviceaccounts", CONFIG_MAPS = "configmaps";
const ACCOUNT = "default", AUTHORITY = "kube-root-ca.crt";
const FIELD_MANAGER = "kube-controller-manager";

/**
 * Keeps ServiceAccount `default` and ConfigMap `kube-root-ca.crt` (once there is a CA) in active namespaces, as
 * kube-controller-manager does.
 */
export class NamespaceDefaults {
  readonly #server: ServerContext;
  #authority: string | undefined;

  constructor(server: ServerContext) {
    this.#server = server;
    server.storage.subscribe((resource, event) => this.#observe(resource, event));
    // At once: users expect them in a running cluster.
    for (const [name] of server.storage.scan(NAMESPACES)) this.#createDefaults(name);
  }

  rebuild(): void {
    for (const [name] of this.#server.storage.scan(NAMESPACES)) this.#enqueue(name);
  }

  publishAuthority(certificate: string): void {
    this.#authority = certificate;
    this.rebuild();
  }

  #observe(resource: string, event: StorageEvent): void {
    if (resource === NAMESPACES) {
      if (event.type === "ADDED") this.#enqueue(event.key);
      return;
    }
    const { namespace, name } = parseKey(event.key);
    if (namespace === undefined) return;
    if (resource === ACCOUNTS && name === ACCOUNT && event.type === "DELETED") this.#enqueue(namespace);
    if (resource === CONFIG_MAPS && name === AUTHORITY && event.type !== "ADDED") this.#enqueue(namespace);
  }

  #enqueue(namespace: string): void {
    this.#server.background.add(`defaults ${namespace}`, () => this.#createDefaults(namespace));
  }

  #createDefaults(namespace: string): void {
    const { storage } = this.#server;
    const found = storage.get(NAMESPACES, namespace)?.object;
    if (!found || found.metadata?.deletionTimestamp) return;
    if (!storage.get(ACCOUNTS, formatKey({ namespace, name: ACCOUNT }))) {
      createObject(this.#server, this.#target(ACCOUNTS, namespace), { metadata: { name: ACCOUNT } });
    }
    if (this.#authority === undefined) return;
    const data = { "ca.crt": this.#authority };
    const published = storage.get(CONFIG_MAPS, formatKey({ namespace, name: AUTHORITY }))?.object;
    if (!published) {
      createObject(this.#server, this.#target(CONFIG_MAPS, namespace), { metadata: { name: AUTHORITY }, data });
    } else if (!isObject(published.data) || published.data["ca.crt"] !== this.#authority) {
      const target = { ...this.#target(CONFIG_MAPS, namespace), name: AUTHORITY };
      updateObject(this.#server, target, (live) => ({ ...jsonClone(live), data }));
    }
  }

  #target(resource: string, namespace: string): WriteTarget {
    const options = { dryRun: false, fieldManager: FIELD_MANAGER, force: false, fieldValidation: "Ignore" } as const;
    return { type: this.#server.registry.byStorage(resource)!, namespace, options, warnings: [] };
  }
}
