import type { KubeObject, ObjectKey } from "../apimachinery/mod.ts";
import { type ApiResource, formatKey } from "../apimachinery/mod.ts";

/** A kind with the type of its objects, as `defineResource` and the built-in kinds. */
export type TypedResource<T extends KubeObject> = ApiResource & { parseSpec?(object: T): unknown };

/** A reference to an object, existing or not. */
export interface Ref<T extends KubeObject = KubeObject> {
  /** Its kind. */
  readonly resource: TypedResource<T>;
  /** Its name, and namespace if the kind is namespaced. */
  readonly key: ObjectKey;
}

export function formatRef({ resource, key }: Ref<never>): string {
  return `${resource.kind} ${formatKey(key)}`;
}

/** Unique for each object of a cluster: kinds of one name differ by group. */
export function refId(ref: Ref<never>): string {
  return `${ref.resource.group}/${formatRef(ref)}`;
}
