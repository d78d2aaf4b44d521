import { jsonEqual, type Logger, type Memo, PermanentError, TemporaryError } from "../base/mod.ts";
import {
  type AnyKind,
  type ApiResource,
  applyIsCurrent,
  compareResourceVersions,
  controllerOf,
  controllerReference,
  type DesiredOf,
  type DynamicObject,
  formatApiVersion,
  formatGroupResource,
  formatKey,
  isPartial,
  keyOf,
  type KubeObject,
  mayOwn,
  type ObjectKey,
  type ObjectOf,
  parseApiVersion,
  type ViewSpec,
} from "../apimachinery/mod.ts";
import type { Informer } from "../cache/mod.ts";
import { type Client, ConflictError, ForbiddenError, NotFoundError } from "../client/mod.ts";
import { digestOf } from "../handling/mod.ts";
import type { ApplyChildOptions, Manifest } from "./context.ts";
import { ownFields, sameInput } from "./managed_fields.ts";

/** Children of one object that are remembered; the oldest is forgotten beyond. */
const REMEMBERED_MAX = 1_000;

/** The child's deletion enqueues at once; this is for the case that nothing collects it. */
const PREDECESSOR_DELAY_MS = 30_000;
/** The owner's event enqueues at once; this is for the case that none comes. */
const OUTDATED_DELAY_MS = 1_000;
/** Deletions of one child before it is left to the next pass. */
const DELETE_ATTEMPTS_MAX = 4;

export interface ChildKinds {
  /** Asks discovery for kinds that the declaration does not name. */
  resolve(group: string, version: string, kind: string): Promise<ApiResource>;
  informerOf(resource: ApiResource): Informer<KubeObject> | undefined;
  owned(): readonly AnyKind[];
}

/** Who applied what in one pass, or in one run of a daemon. */
export class ChildRegistry {
  readonly #repeats: boolean;
  readonly #unnamed = new Map<string, { readonly call: string; readonly child: KubeObject }>();
  readonly #results = new Map<string, KubeObject>();

  /** `repeats` for a daemon, which changes its child from time to time: two calls are no mistake there. */
  constructor({ repeats = false }: { readonly repeats?: boolean } = {}) {
    this.#repeats = repeats;
  }

  /** The child after the last write of {@linkcode wrote}, until the store shows that or a later version. */
  latest(target: string, stored: KubeObject | undefined): KubeObject | undefined {
    const result = this.#results.get(target), [before, after] = [stored, result].map(versionOf);
    // Where the store has none, the child may also have been deleted since: it is written again.
    return before && after && compareResourceVersions(before, after) < 0 ? result : stored;
  }

  /** Remembers what the server answered to a write. */
  wrote(target: string, result: KubeObject): void {
    this.#results.set(target, result);
  }

  /**
   * Keeps two calls for two children from overwriting each other.
   *
   * @throws {PermanentError} naming both calls if another one applied a different unnamed child.
   */
  enter(target: string, call: string, child: KubeObject): void {
    if (this.#repeats) return;
    const former = this.#unnamed.get(target);
    if (!former) return void this.#unnamed.set(target, { call, child });
    if (jsonEqual(former.child, child)) return;
    throw new PermanentError(
      `${former.call} and ${call} both apply ${target}, the one without metadata.name: each would overwrite the other. ` +
        `Give the children names`,
      { reason: "InvalidChild" },
    );
  }
}

function versionOf(object: KubeObject | undefined): string | undefined {
  return object?.metadata?.resourceVersion;
}

interface ChildrenHost {
  readonly declaration: { readonly kind: ApiResource };
  readonly kinds: ChildKinds;
  readonly fieldManager: string;
  readonly registry: ChildRegistry;
  readonly handler: string;
  memo<M>(create: () => M): M;
  /** What the handlers of the operator share. */
  readonly shared: Memo;
  readonly log: Logger;
}

const unchangedApplies = () => new UnchangedApplies();
const unwatchedKinds = () => new Set<string>();
const unawaitedHandlers = () => new Set<string>();

/** Applies the children of one object in one handler. */
export class Children {
  readonly #owner: KubeObject;
  readonly #client: Client;
  readonly #host: ChildrenHost;
  readonly #kinds: ChildKinds;
  readonly #applied = new Set<string>();
  /** Unfinished calls, by name. */
  readonly #open = new Map<Promise<unknown>, string>();
  #calls = 0;
  #outdated: Promise<boolean> | undefined;

  constructor(owner: KubeObject, client: Client, host: ChildrenHost) {
    this.#owner = owner;
    this.#client = client;
    this.#host = host;
    this.#kinds = host.kinds;
  }

  apply<K extends AnyKind>(kind: K, child: DesiredOf<K>, options?: ApplyChildOptions): Promise<ObjectOf<K>> {
    return this.#opened(`apply(${kind?.kind})`, this.#applyKind(kind, child, options));
  }

  async #applyKind<K extends AnyKind>(kind: K, child: DesiredOf<K>, options?: ApplyChildOptions): Promise<ObjectOf<K>> {
    if (!("plural" in kind)) {
      throw new PermanentError("apply() takes a kind and a child; a manifest goes to applyManifest()", {
        reason: "InvalidChild",
      });
    }
    const manifest = { ...child, apiVersion: formatApiVersion(kind), kind: kind.kind } as Manifest;
    return await this.#apply(manifest, this.#nextCall("apply"), kind, options) as ObjectOf<K>;
  }

  applyManifest<M extends Manifest>(manifest: M, options?: ApplyChildOptions): Promise<M> {
    return this.#opened(`applyManifest(${manifest?.kind})`, this.#applyManifest(manifest, options));
  }

  async #applyManifest<M extends Manifest>(manifest: M, options?: ApplyChildOptions): Promise<M> {
    const call = this.#nextCall("applyManifest"), { apiVersion, kind } = manifest;
    if (!apiVersion || !kind) throw new PermanentError("a child needs apiVersion and kind", { reason: "InvalidChild" });
    const { group, version } = parseApiVersion(apiVersion);
    return await this.#apply(manifest, call, await this.#kinds.resolve(group, version, kind), options);
  }

  /**
   * Waits for calls that a handler did not await: their writes and failures belong to its pass. The first such call is
   * logged.
   *
   * @throws what one of them failed with.
   */
  async settle(): Promise<void> {
    const { handler, shared, log } = this.#host, calls = [...this.#open.values()];
    if (calls.length === 0) return;
    const warned = shared.of(unawaitedHandlers);
    if (!warned.has(handler)) {
      log.warn("a handler returned before its call ended: await it", { handler, call: calls[0] });
    }
    warned.add(handler);
    while (this.#open.size > 0) await Promise.all(this.#open.keys());
  }

  /** The handler gets the same promise that {@linkcode settle} awaits, so a rejection is always handled. */
  #opened<T>(name: string, call: Promise<T>): Promise<T> {
    const ended: Promise<T> = call.finally(() => this.#open.delete(ended));
    this.#open.set(ended, name);
    return ended;
  }

  #nextCall(method: string): string {
    return `${method}() number ${++this.#calls} of "${this.#host.handler}"`;
  }

  /**
   * @throws {PermanentError} if an owner reference cannot reach the child, or another controller owns it.
   * @throws {TemporaryError} if a predecessor of the same name still owns it.
   */
  async #apply<C extends KubeObject>(
    child: C,
    call: string,
    resource: ApiResource,
    options: ApplyChildOptions = {},
  ): Promise<C> {
    const desired = this.#complete(child, resource, options.owned ?? true);
    const target = `${formatGroupResource(resource)} ${formatKey(keyOf(desired))}`;
    const informer = this.#kinds.informerOf(resource), { fieldManager, registry } = this.#host;
    if (child.metadata?.name === undefined) registry.enter(target, call, desired);
    this.#applied.add(target);
    if (!informer && (options.owned ?? true)) this.#warnUnwatched(resource);
    const { view } = this.#kinds.owned().find((each) => sameResource(each, resource)) ?? {};
    const live = registry.latest(target, informer?.store.get(keyOf(desired))),
      unchanged = this.#host.memo(unchangedApplies);
    if (view && (options.owned ?? true)) this.#requireSelected(desired, resource, view);
    if (!live) {
      // A child without the labels exists all the same: the store does not show its owner.
      const hidden = view?.labelSelector && await this.#client.find(resource, keyOf(desired), { metadataOnly: true });
      if (hidden) this.#refuseForeign(hidden, resource);
      if (options.owned === false) await this.#requireOwner();
      const made = await this.#create(desired, resource, informer !== undefined);
      registry.wrote(target, made);
      if (isPartial(view)) unchanged.enter(target, desired, made, fieldManager);
      return made;
    }
    this.#refuseForeign(live, resource);
    const own = ownFields(live, fieldManager);
    // A view's missing fields would count as missing, its rewritten ones as equal.
    if (
      !isPartial(view) && applyIsCurrent(desired as unknown as DynamicObject, live as unknown as DynamicObject, own)
    ) {
      return typed(live, resource) as C;
    }
    if (unchanged.has(target, desired, live, fieldManager)) return typed(live, resource) as C;
    if (options.owned === false) await this.#requireOwner();
    const result = await this.#client.apply(resource, desired);
    registry.wrote(target, result);
    const changed = result.metadata?.resourceVersion !== live.metadata?.resourceVersion;
    if (changed && !isPartial(view)) unchanged.forget(target);
    else unchanged.enter(target, desired, changed ? result : live, fieldManager);
    return result;
  }

  /** @throws {PermanentError} for a child that its kind's watch would never show: each pass would write it again. */
  #requireSelected(child: KubeObject, { kind }: ApiResource, { labelSelector, matches }: ViewSpec): void {
    if (matches(child.metadata?.labels)) return;
    throw new PermanentError(
      `${kind} ${formatKey(keyOf(child))} lacks the labels by which \`owns\` selects its kind (${labelSelector}): ` +
        `give it these labels, or apply it with { owned: false }`,
      { reason: "InvalidChild" },
    );
  }

  /** Applies a child that no store holds. An undeclared kind has no RBAC rule either: the error names it. */
  async #create<C extends KubeObject>(desired: C, resource: ApiResource, declared: boolean): Promise<C> {
    try {
      return await this.#client.apply(resource, desired);
    } catch (error) {
      if (!declared && error instanceof ForbiddenError && error.refusedBy === "authorization") {
        const hint =
          `or declare the kind: \`owns: [${resource.kind}]\` of the handler brings the rule, and watches the children`;
        throw new ForbiddenError(error.status, error.subject, { hint, cause: error });
      }
      throw error;
    }
  }

  /** Once per kind: each apply costs a request, and such children are not watched. */
  #warnUnwatched(resource: ApiResource): void {
    const warned = this.#host.shared.of(unwatchedKinds), name = formatGroupResource(resource);
    if (warned.has(name)) return;
    warned.add(name);
    this.#host.log.warn("a kind of children is not watched: name it in `owns`, or apply it with { owned: false }", {
      resource: name,
      handler: this.#host.handler,
    });
  }

  prune(): Promise<ObjectKey[]> {
    return this.#opened("prune()", this.#prune());
  }

  async #prune(): Promise<ObjectKey[]> {
    const unwanted = this.#unwanted(), gone: ObjectKey[] = [];
    if (unwanted.length > 0 && await this.#isOutdated()) return [];
    for (const { resource, key, uid } of unwanted) {
      if (await this.#delete(resource, key, uid)) gone.push(key);
    }
    return gone;
  }

  /** Children that this handler has not applied. */
  #unwanted(): { readonly resource: ApiResource; readonly key: ObjectKey; readonly uid: string }[] {
    return this.#kinds.owned().flatMap((resource) => {
      const children = [...this.#kinds.informerOf(resource)?.store.values() ?? []];
      return children.filter((child) =>
        controllerOf(child)?.uid === this.#owner.metadata!.uid && !child.metadata!.deletionTimestamp &&
        !this.#applied.has(`${formatGroupResource(resource)} ${formatKey(keyOf(child))}`)
      ).map((child) => ({ resource, key: keyOf(child), uid: child.metadata!.uid! }));
    });
  }

  /**
   * Whether the owner has changed since this pass read it. A watch of children can be ahead of the owner's: a child of
   * the owner's next version would look unwanted. The owner's event brings another pass, which prunes.
   */
  async #isOutdated(): Promise<boolean> {
    const { kind } = this.#host.declaration, { uid, generation } = this.#owner.metadata!;
    const live = await this.#client.find<KubeObject>(kind, keyOf(this.#owner), { metadataOnly: true });
    const isOutdated = live?.metadata?.uid !== uid || live?.metadata?.generation !== generation;
    if (isOutdated) this.#host.log.debug("children wait for the owner's present version");
    return isOutdated;
  }

  /**
   * Nothing collects a child without an owner reference: one that comes after its owner would stay.
   *
   * @throws {TemporaryError} if the owner is gone, or has changed since this pass read it.
   */
  async #requireOwner(): Promise<void> {
    if (!await (this.#outdated ??= this.#isOutdated())) return;
    throw new TemporaryError("the object was changed or deleted, which its watch has not shown yet", {
      reason: "Outdated",
      delay: OUTDATED_DELAY_MS,
    });
  }

  /** False if the child of this uid is gone or replaced. @throws {ConflictError} */
  async #delete(resource: ApiResource, key: ObjectKey, uid: string): Promise<boolean> {
    for (let attempt = 1;; attempt++) {
      try {
        await this.#client.delete(resource, key, { uid });
        return true;
      } catch (error) {
        if (error instanceof NotFoundError) return false;
        // A conflict: another object has the name, or the child changed meanwhile and is still to be deleted.
        if (!(error instanceof ConflictError)) throw error;
        const live = await this.#client.find<KubeObject>(resource, key, { metadataOnly: true });
        if (live?.metadata?.uid !== uid) return false;
        if (attempt >= DELETE_ATTEMPTS_MAX) throw error;
      }
    }
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
    // A manifest may name its owner itself; a server takes each owner once.
    const others = (child.metadata?.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata!.uid);
    const references = [...others, controllerReference(owner)];
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

function sameResource(left: ApiResource, right: ApiResource): boolean {
  return left.group === right.group && left.plural === right.plural;
}

/** Whether `reference` names `owner`'s kind, so that the child's changes concern its controller. */
export function ownerKey(child: KubeObject, kind: ApiResource): { namespace?: string; name: string } | undefined {
  const reference = controllerOf(child);
  if (!reference || reference.kind !== kind.kind) return undefined;
  if (parseApiVersion(reference.apiVersion).group !== kind.group) return undefined;
  return kind.namespaced ? { namespace: child.metadata?.namespace, name: reference.name } : { name: reference.name };
}

/** Adds `apiVersion` and `kind`, which lists leave out of their items. */
export function typed<T extends KubeObject>(object: T, resource: ApiResource): T {
  if (object.apiVersion && object.kind) return object;
  return { ...object, apiVersion: formatApiVersion(resource), kind: resource.kind };
}

/**
 * Applies that changed nothing. Fields alone do not show that: an atomic list whose entries get server defaults never
 * equals what was applied.
 */
class UnchangedApplies {
  readonly #applies = new Map<string, { readonly digest: string; readonly child: KubeObject }>();

  /** Whether the last apply to `target` was this one, and only the status of `live` changed since. */
  has(target: string, desired: KubeObject, live: KubeObject, fieldManager: string): boolean {
    const last = this.#applies.get(target);
    return last !== undefined && isUnchanged(last.child, live, fieldManager) && digestOf(desired) === last.digest;
  }

  forget(target: string): void {
    this.#applies.delete(target);
  }

  /** Remembers `child` as the result of applying `desired`: applying it again changes nothing. */
  enter(target: string, desired: KubeObject, child: KubeObject, fieldManager: string): void {
    this.#applies.delete(target);
    const managedFields = child.metadata?.managedFields?.filter(({ manager }) => manager === fieldManager);
    this.#applies.set(target, { digest: digestOf(desired), child: { metadata: { ...child.metadata, managedFields } } });
    if (this.#applies.size > REMEMBERED_MAX) this.#applies.delete(this.#applies.keys().next().value!);
  }
}

/** Whether only the child's status changed since. Kinds without a generation do not show that. */
function isUnchanged(before: KubeObject, now: KubeObject, fieldManager: string): boolean {
  if (before.metadata?.resourceVersion === now.metadata?.resourceVersion) return true;
  return sameInput(before, now) && jsonEqual(ownFields(before, fieldManager), ownFields(now, fieldManager));
}
