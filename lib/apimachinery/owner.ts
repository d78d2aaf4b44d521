import type { KubeObject, OwnerReference } from "./object.ts";

/** The reference that makes `owner` the controller of another object. Assumes that a server returned `owner`. */
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
 * The reference to `object` as an owner, for use in patches; with `controller` as its controller, of which an object
 * has at most one. Assumes that a server returned `object`.
 */
export function ownerReference(
  object: KubeObject,
  { controller = false }: { controller?: boolean } = {},
): OwnerReference {
  const { controller: _, ...reference } = controllerReference(object);
  return controller ? controllerReference(object) : { ...reference, blockOwnerDeletion: false };
}

/** The owner reference with `controller: true`, of which an object has at most one. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((reference) => reference.controller === true);
}

/**
 * Whether `owner` may own an object in `childNamespace`: owner references never cross namespaces, and a cluster-scoped
 * object has no namespaced owner (Kubernetes, "Owners and dependents").
 */
export function mayOwn(owner: KubeObject, childNamespace: string | undefined): boolean {
  const ownerNamespace = owner.metadata?.namespace;
  return ownerNamespace === undefined || ownerNamespace === childNamespace;
}
