import { keyOf, type KubeObject } from "../apimachinery/object.ts";
import { type ApiResource, formatApiVersion } from "../apimachinery/resource.ts";
import { ConflictError, NotFoundError } from "../client/mod.ts";
import type { CycleClient } from "./cycle_client.ts";

/**
 * Sets and removes annotations of the operator's own. Only the uid guards the write: nobody else has business with these keys, and
 * whatever else changes in the object meanwhile is another change. Undefined where the object is gone or was made anew.
 *
 * @throws {InvalidError} where the object's annotations together are too large. @throws {ConflictError} where it keeps changing.
 */
export async function annotate<T extends KubeObject>(
  client: CycleClient,
  resource: ApiResource,
  object: T,
  annotations: Readonly<Record<string, string | null>>,
): Promise<T | undefined> {
  try {
    const body = { metadata: { uid: object.metadata!.uid!, annotations: { ...annotations } } };
    const patched = await client.patch<T>(resource, keyOf(object), body, { type: "merge" });
    return { ...patched, apiVersion: formatApiVersion(resource), kind: resource.kind };
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    if (!(error instanceof ConflictError)) throw error;
    // Another object of the name, or a server that could not merge in between many writers: the next cycle tries that one again.
    const live = await client.find<KubeObject>(resource, keyOf(object), { metadataOnly: true });
    if (live?.metadata?.uid !== object.metadata?.uid) return undefined;
    throw error;
  }
}

/** The object as it is once it has these annotations: to tell its echo from somebody else's change. */
export function annotated<T extends KubeObject>(object: T, edit: Readonly<Record<string, string | null>>): T {
  const annotations = { ...object.metadata?.annotations };
  for (const [key, value] of Object.entries(edit)) {
    if (value === null) delete annotations[key];
    else annotations[key] = value;
  }
  return { ...object, metadata: { ...object.metadata, annotations } };
}
