import { formatApiVersion } from "../apimachinery/resource.ts";
import type { ApiResource } from "../apimachinery/resource.ts";
import { keyOf, type KubeObject } from "../apimachinery/object.ts";
import { ConflictError, InvalidError, NotFoundError } from "../client/mod.ts";
import type { CycleClient } from "./cycle_client.ts";

/** Fresh reads before the object is left to the next cycle. */
const ATTEMPTS_MAX = 4;

/**
 * Adds the operator's own finalizer, and takes off those of operators that it replaces, in one write: the object is held throughout.
 *
 * Guarantees: the patch tests the resourceVersion, so that a list which another operator changes at the same moment is never
 * overwritten; a finalizer is never added to an object that is being deleted (the server refuses that anyway). Undefined
 * where the object is gone, was made anew, or is being deleted by now.
 *
 * @throws {ConflictError} where the object keeps changing.
 */
export async function claim<T extends KubeObject>(
  client: CycleClient,
  resource: ApiResource,
  object: T,
  finalizer: string,
  takenOver: readonly string[] = [],
): Promise<T | undefined> {
  const claimed = await edit(client, resource, object, (current) => {
    const finalizers = current.metadata?.finalizers;
    if (current.metadata?.deletionTimestamp) return [];
    if (!finalizers) return [{ op: "add", path: "/metadata/finalizers", value: [finalizer] }];
    const removals = removalsOf(finalizers, takenOver);
    if (finalizers.includes(finalizer)) return removals;
    return [{ op: "add", path: "/metadata/finalizers/-", value: finalizer }, ...removals];
  });
  return claimed?.metadata?.deletionTimestamp ? undefined : claimed;
}

/**
 * Removes these finalizers, and no other. Undefined where the object is gone or was made anew.
 *
 * @throws {ConflictError} where the object keeps changing.
 */
export function release<T extends KubeObject>(
  client: CycleClient,
  resource: ApiResource,
  object: T,
  finalizers: readonly string[],
): Promise<T | undefined> {
  return edit(client, resource, object, (current) => removalsOf(current.metadata?.finalizers ?? [], finalizers));
}

/** From the last one on: a removal shifts whatever stands behind it. */
function removalsOf(finalizers: readonly string[], unwanted: readonly string[]): Operation[] {
  return finalizers.flatMap((each, index): Operation[] =>
    unwanted.includes(each) ? [{ op: "remove", path: `/metadata/finalizers/${index}` }] : []
  ).reverse();
}

type Operation = { op: "add"; path: string; value: string | string[] } | { op: "remove"; path: string };

async function edit<T extends KubeObject>(
  client: CycleClient,
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
      const patched = await client.patch<T>(resource, keyOf(object), [guard, ...operations], { type: "json" });
      return { ...patched, apiVersion: formatApiVersion(resource), kind: resource.kind };
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      // A failed test is a 422 on the real server, a lost race a 409.
      if (!(error instanceof ConflictError || error instanceof InvalidError) || attempt >= ATTEMPTS_MAX) throw error;
      const fresh = await client.find<T>(resource, keyOf(object));
      if (!fresh || fresh.metadata?.uid !== object.metadata?.uid) return undefined;
      current = fresh;
    }
  }
}
