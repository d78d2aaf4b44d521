import { isObject } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import type { Strategy } from "./strategy.ts";

/** For selectors (KEP-2161). */
const NAME_LABEL = "kubernetes.io/metadata.name";
/** In `spec.finalizers` until the content is gone. */
export const KUBERNETES_FINALIZER = "kubernetes";

export const namespaceStrategy: Strategy = {
  normalize(object) {
    const metadata = object.metadata!;
    metadata.labels = { ...metadata.labels, [NAME_LABEL]: metadata.name! };
  },
  prepareForCreate(object) {
    object.status = { phase: "Active" };
    const finalizers = specFinalizers(object);
    object.spec = {
      ...(isObject(object.spec) ? object.spec : {}),
      finalizers: finalizers.includes(KUBERNETES_FINALIZER) ? finalizers : [...finalizers, KUBERNETES_FINALIZER],
    };
  },
  prepareForUpdate(object, old) {
    // Only /finalize writes spec.finalizers.
    object.spec = { ...(isObject(object.spec) ? object.spec : {}), finalizers: specFinalizers(old) };
  },
};

export function specFinalizers(namespace: DynamicObject): string[] {
  const finalizers = isObject(namespace.spec) ? namespace.spec.finalizers : undefined;
  return Array.isArray(finalizers) ? [...finalizers] : [];
}
