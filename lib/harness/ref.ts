import type { KubeObject, ObjectKey } from "../apimachinery/mod.ts";
import { type ApiResource, formatKey } from "../apimachinery/mod.ts";

/** A kind that brings the type of its objects along, as `defineResource` and the built-in kinds do. */
export type TypedResource<T extends KubeObject> = ApiResource & { parseSpec?(object: T): unknown };

/** One object of a cluster, whether it exists or not. */
export interface Ref<T extends KubeObject = KubeObject> {
  /** Its kind. */
  readonly resource: TypedResource<T>;
  /** Its name, and its namespace where the kind has namespaces. */
  readonly key: ObjectKey;
}

/** `Secret team-a/token`. */
export function formatRef({ resource, key }: Ref<never>): string {
  return `${resource.kind} ${formatKey(key)}`;
}

/** Tells the objects of a cluster apart, those of another group's kind of the same name too. */
export function refId(ref: Ref<never>): string {
  return `${ref.resource.group}/${formatRef(ref)}`;
}
