import { type ApiResource, formatApiVersion, keyOf, type KubeObject } from "../apimachinery/mod.ts";
import { type Client, ConflictError, InvalidError, NotFoundError } from "../client/mod.ts";

/** Fresh reads before the object is left to the next pass. */
const ATTEMPTS_MAX = 4;

/**
 * Adds the operator's finalizer and removes those it replaces in one write: the object is held throughout.
 *
 * Guarantees: the patch tests the resourceVersion, so another operator's concurrent change of the list is never
 * overwritten. A finalizer is never added to an object that is being deleted (the server refuses that anyway).
 * Undefined if the object is gone, recreated or being deleted.
 *
 * @throws {ConflictError} if the object keeps changing.
 */
export async function addFinalizer<T extends KubeObject>(
  client: Client,
  resource: ApiResource,
  object: T,
  { finalizer, legacyFinalizers = [] }: { readonly finalizer: string; readonly legacyFinalizers?: readonly string[] },
): Promise<T | undefined> {
  const held = await edit(client, resource, object, (current) => {
    const finalizers = current.metadata?.finalizers;
    if (current.metadata?.deletionTimestamp) return [];
    if (!finalizers) return [{ op: "add", path: "/metadata/finalizers", value: [finalizer] }];
    const removals = removalsOf(finalizers, legacyFinalizers);
    if (finalizers.includes(finalizer)) return removals;
    return [{ op: "add", path: "/metadata/finalizers/-", value: finalizer }, ...removals];
  });
  return held?.metadata?.deletionTimestamp ? undefined : held;
}

/**
 * Removes these finalizers and no other. Undefined if the object is gone or recreated.
 *
 * @throws {ConflictError} if the object keeps changing.
 */
export function removeFinalizers<T extends KubeObject>(
  client: Client,
  resource: ApiResource,
  object: T,
  finalizers: readonly string[],
): Promise<T | undefined> {
  return edit(client, resource, object, (current) => removalsOf(current.metadata?.finalizers ?? [], finalizers));
}

/** Last one first: a removal shifts the entries behind it. */
function removalsOf(finalizers: readonly string[], unwanted: readonly string[]): Operation[] {
  return finalizers.flatMap((each, index): Operation[] =>
    unwanted.includes(each) ? [{ op: "remove", path: `/metadata/finalizers/${index}` }] : []
  ).reverse();
}

type Operation = { op: "add"; path: string; value: string | string[] } | { op: "remove"; path: string };

async function edit<T extends KubeObject>(
  client: Client,
  resource: ApiResource,
  object: T,
  plan: (current: T) => Operation[],
): Promise<T | undefined> {
  let current = object;
  for (let attempt = 1;; attempt++) {
    const operations = plan(current);
    if (operations.length === 0) return current;
    // Without the test, a stale index would remove another operator's finalizer.
    const guard = { op: "test", path: "/metadata/resourceVersion", value: current.metadata!.resourceVersion! };
    try {
      const patched = await client.patch<T>(resource, keyOf(object), { type: "json", body: [guard, ...operations] });
      return { ...patched, apiVersion: formatApiVersion(resource), kind: resource.kind };
    } catch (error) {
      // A failed test is a 422 on the real server, a lost race a 409. A 404 may be about anything on the way.
      const raced = error instanceof ConflictError || error instanceof InvalidError;
      if (!(raced || error instanceof NotFoundError)) throw error;
      const fresh = await client.find<T>(resource, keyOf(object));
      if (!fresh || fresh.metadata?.uid !== object.metadata?.uid) return undefined;
      if (!raced || attempt >= ATTEMPTS_MAX) throw error;
      current = fresh;
    }
  }
}

/**
 * Sets and removes the operator's own annotations, if the object is still at its version; else by uid alone. The keys
 * have no other writer; what else changed is another change (`foreign`). Undefined if the object is gone or recreated.
 *
 * @throws {InvalidError} if the object's annotations are too large together. @throws {ConflictError} if it keeps
 * changing.
 */
export async function annotate<T extends KubeObject>(
  client: Client,
  resource: ApiResource,
  object: T,
  annotations: Readonly<Record<string, string | null>>,
): Promise<{ readonly object: T; readonly foreign: boolean } | undefined> {
  const { uid, resourceVersion } = object.metadata!;
  for (const foreign of [false, true]) {
    const guards = { uid: uid!, ...(foreign || resourceVersion === undefined ? {} : { resourceVersion }) };
    try {
      const body = { metadata: { ...guards, annotations: { ...annotations } } };
      const patched = await client.patch<T>(resource, keyOf(object), { type: "merge", body });
      return { object: { ...patched, apiVersion: formatApiVersion(resource), kind: resource.kind }, foreign };
    } catch (error) {
      if (!(error instanceof ConflictError || error instanceof NotFoundError)) throw error;
      const live = await client.find<KubeObject>(resource, keyOf(object), { metadataOnly: true });
      if (live?.metadata?.uid !== uid) return undefined;
      if (foreign || error instanceof NotFoundError) throw error;
    }
  }
  return undefined;
}

/** Compared with the object's echo to detect another writer's change. */
export function annotated<T extends KubeObject>(object: T, edit: Readonly<Record<string, string | null>>): T {
  const annotations = { ...object.metadata?.annotations };
  for (const [key, value] of Object.entries(edit)) {
    if (value === null) delete annotations[key];
    else annotations[key] = value;
  }
  return { ...object, metadata: { ...object.metadata, annotations } };
}
