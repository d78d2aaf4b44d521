import { PermanentError, TemporaryError } from "../base/errors.ts";
import { applyIsCurrent } from "../apimachinery/field_set.ts";
import { type DynamicObject, formatKey, keyOf, type KubeObject, type ObjectKey } from "../apimachinery/object.ts";
import { controllerOf, controllerReference, mayOwn } from "../apimachinery/owner.ts";
import { type ApiResource, formatApiVersion, formatGroupResource, parseApiVersion } from "../apimachinery/resource.ts";
import type { Informer } from "../cache/mod.ts";
import { ConflictError, NotFoundError } from "../client/mod.ts";
import type { ApplyChildOptions } from "./context.ts";
import type { CycleClient } from "./cycle_client.ts";
import { ownFields } from "./own_fields.ts";

/** The deletion of the child brings a cycle at once; this is for the case that nobody collects it. */
const PREDECESSOR_DELAY_MS = 30_000;

/** What a controller knows of the kinds that its handlers apply. */
export interface ChildKinds {
  /** The resource of a kind; asks the server's discovery where the declaration does not name it. */
  resolve(group: string, version: string, kind: string): Promise<ApiResource>;
  /** The informer of an owned kind. */
  informerOf(resource: ApiResource): Informer<KubeObject> | undefined;
  /** Every owned kind. */
  owned(): readonly ApiResource[];
}

/** Applies the children of one object in one cycle. */
export class Children {
  readonly #owner: KubeObject;
  readonly #client: CycleClient;
  readonly #kinds: ChildKinds;
  readonly #fieldManager: string;
  readonly #applied = new Set<string>();

  constructor(owner: KubeObject, client: CycleClient, kinds: ChildKinds, fieldManager: string) {
    this.#owner = owner;
    this.#fieldManager = fieldManager;
    this.#client = client;
    this.#kinds = kinds;
  }

  /**
   * See {@linkcode ReconcileContext.apply}.
   *
   * @throws {PermanentError} for a child without kind, one that an owner reference cannot reach, or one that belongs to
   * another controller. @throws {TemporaryError} where the child is still that of an object of the same name before this one.
   */
  async apply<C extends KubeObject>(child: C, options: ApplyChildOptions = {}): Promise<C> {
    const { apiVersion, kind } = child;
    if (!apiVersion || !kind) throw new PermanentError("a child needs apiVersion and kind", { reason: "InvalidChild" });
    const { group, version } = parseApiVersion(apiVersion);
    const resource = await this.#kinds.resolve(group, version, kind);
    const desired = this.#complete(child, resource, options.owned ?? true);
    this.#applied.add(`${formatGroupResource(resource)} ${formatKey(keyOf(desired))}`);
    const live = this.#kinds.informerOf(resource)?.store.get(keyOf(desired));
    if (live) {
      this.#refuseForeign(live, resource);
      const own = ownFields(live, this.#fieldManager);
      if (applyIsCurrent(desired as unknown as DynamicObject, live as unknown as DynamicObject, own)) {
        return typed(live, resource) as C;
      }
    }
    return await this.#client.apply(resource, desired);
  }

  /** See {@linkcode ReconcileContext.prune}. */
  async prune(): Promise<ObjectKey[]> {
    const gone: ObjectKey[] = [];
    for (const resource of this.#kinds.owned()) {
      for (const child of this.#kinds.informerOf(resource)?.store.values() ?? []) {
        const key = keyOf(child), { uid, deletionTimestamp } = child.metadata!;
        if (controllerOf(child)?.uid !== this.#owner.metadata!.uid || deletionTimestamp) continue;
        if (this.#applied.has(`${formatGroupResource(resource)} ${formatKey(key)}`)) continue;
        try {
          await this.#client.delete(resource, key, { uid });
          gone.push(key);
        } catch (error) {
          // Gone already, or made anew by somebody: either way it is not the child that was meant.
          if (!(error instanceof NotFoundError || error instanceof ConflictError)) throw error;
        }
      }
    }
    return gone;
  }

  #complete<C extends KubeObject>(child: C, resource: ApiResource, owned: boolean): C {
    const owner = this.#owner;
    const name = child.metadata?.name ?? owner.metadata!.name!;
    const namespace = resource.namespaced ? child.metadata?.namespace ?? owner.metadata!.namespace : undefined;
    const metadata = { ...child.metadata, name, ...(namespace ? { namespace } : {}) };
    if (!owned) return { ...child, metadata };
    if (!mayOwn(owner, namespace)) {
      const where = namespace ? `namespace ${namespace}` : "the cluster scope";
      throw new PermanentError(
        `${resource.kind} ${name} in ${where} cannot be owned by ${owner.kind} ${
          formatKey(keyOf(owner))
        }: owner references ` +
          `do not cross namespaces; apply it with { owned: false } and delete it in a delete handler`,
        { reason: "InvalidChild" },
      );
    }
    const references = [...(child.metadata?.ownerReferences ?? []), controllerReference(owner)];
    return { ...child, metadata: { ...metadata, ownerReferences: references } };
  }

  #refuseForeign(live: KubeObject, resource: ApiResource): void {
    const controller = controllerOf(live);
    const { uid, name, namespace } = this.#owner.metadata!;
    if (!controller || controller.uid === uid) return;
    const { kind, apiVersion } = this.#owner, group = parseApiVersion(apiVersion!).group;
    if (
      controller.name === name && controller.kind === kind && parseApiVersion(controller.apiVersion).group === group
    ) {
      throw new TemporaryError(
        `${resource.kind} ${formatKey(keyOf(live))} belongs to a ${kind} ${
          formatKey({ namespace, name: name! })
        } that was ` +
          `deleted, and waits for the garbage collector`,
        { reason: "ChildOfPredecessor", delay: PREDECESSOR_DELAY_MS },
      );
    }
    throw new PermanentError(
      `${resource.kind} ${formatKey(keyOf(live))} is controlled by ${controller.kind} ${controller.name}, ` +
        `not by ${this.#owner.kind} ${this.#owner.metadata?.name}`,
      { reason: "ChildConflict" },
    );
  }
}

/** Whether `reference` names `owner`'s kind, so that a change of the child concerns that kind's controller. */
export function ownerKey(child: KubeObject, kind: ApiResource): { namespace?: string; name: string } | undefined {
  const reference = controllerOf(child);
  if (!reference || reference.kind !== kind.kind) return undefined;
  if (parseApiVersion(reference.apiVersion).group !== kind.group) return undefined;
  return kind.namespaced ? { namespace: child.metadata?.namespace, name: reference.name } : { name: reference.name };
}

/** `apiVersion` and `kind`, which lists leave out of their items. */
export function typed<T extends KubeObject>(object: T, resource: ApiResource): T {
  if (object.apiVersion && object.kind) return object;
  return { ...object, apiVersion: formatApiVersion(resource), kind: resource.kind };
}
