import type { AnyKind, KubeObject, ObjectKey, ObjectOf } from "../apimachinery/mod.ts";
import type { WatchedChange, WatchOptions } from "../controller/mod.ts";

/**
 * Watches another kind, or a `view` of it; `map` names the objects to reconcile for each change, and must be pure. For
 * `reconcile`'s option `watches`.
 *
 * @example
 * ```ts
 * import { Secret, watch } from "@pintle/pintle";
 * const byLabel = watch(Secret, ({ metadata }) => {
 *   const name = metadata?.labels?.["shop.example.com/widget"];
 *   return name ? [{ namespace: metadata?.namespace, name }] : [];
 * });
 * if (byLabel.resource !== Secret) throw new Error("the kind that it watches");
 * ```
 */
export function watch<K extends AnyKind, Primary extends KubeObject = KubeObject>(
  kind: K,
  map: (object: ObjectOf<K>, change: WatchedChange<Primary, ObjectOf<K>>) => Iterable<ObjectKey>,
  options: Pick<WatchOptions<Primary, ObjectOf<K>>, "fieldSelector" | "indexes"> = {},
): WatchOptions<Primary, ObjectOf<K>> {
  const { metadataOnly, labelSelector, transform } = kind.view ?? {};
  const viewed = {
    metadataOnly,
    labelSelector,
    transform: transform as WatchOptions<Primary, ObjectOf<K>>["transform"],
  };
  return { ...options, ...viewed, resource: kind, map: (change) => map(change.object, change) };
}
