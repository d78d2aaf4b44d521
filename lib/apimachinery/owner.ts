import type { KubeObject, OwnerReference } from "./object.ts";

/** Assumes that a server returned `owner`. */
export function controllerReference(owner: KubeObject): OwnerReference {
  const { name, uid } = owner.metadata!;
  return {
    apiVersion: owner.apiVersion!,
    kind: owner.kind!,
    name: name!,
    uid: uid!,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/**
 * `object` as an owner, for patches; with `controller` as the one controller. Assumes that a server returned `object`.
 */
export function ownerReference(
  object: KubeObject,
  { controller = false }: { controller?: boolean } = {},
): OwnerReference {
  const { controller: _, ...reference } = controllerReference(object);
  return controller ? controllerReference(object) : { ...reference, blockOwnerDeletion: false };
}

/** The one owner reference with `controller: true`, if any. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((reference) => reference.controller === true);
}

/**
 * Owner references never cross namespaces, and a cluster-scoped object has no namespaced owner (Kubernetes, "Owners and
 * dependents").
 */
export function mayOwn(owner: KubeObject, childNamespace: string | undefined): boolean {
  const ownerNamespace = owner.metadata?.namespace;
  return ownerNamespace === undefined || ownerNamespace === childNamespace;
}
