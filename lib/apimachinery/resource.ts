import type { ObjectKey } from "./object.ts";

/** The core group is the empty string. */
export interface GroupVersionKind {
  /** As `apps` or `shop.example.com`. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** What requests need of a resource. */
export interface ApiResource extends GroupVersionKind {
  /** Its name in paths: lower case, plural. */
  readonly plural: string;
  /** False for cluster-scoped objects. */
  readonly namespaced: boolean;
}

/** `group/version`, or `version` for the core group, as in `apiVersion`. */
export function formatApiVersion(gv: { group: string; version: string }): string {
  return gv.group === "" ? gv.version : `${gv.group}/${gv.version}`;
}

export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf("/");
  if (slash < 0) return { group: "", version: apiVersion };
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** `plural.group`, as in RBAC messages and CRD names; `plural` alone in the core group. */
export function formatGroupResource(resource: { group: string; plural: string }): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}

interface ResourcePath {
  /** Absent: the whole cluster. */
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** The URL path of a resource, object or subresource; every part is percent-encoded. */
export function resourcePath(resource: ApiResource, at: ResourcePath = {}): string {
  const root = resource.group === "" ? "/api/v1" : `/apis/${resource.group}/${resource.version}`;
  const parts = [root];
  if (resource.namespaced && at.namespace) parts.push("namespaces", encodeURIComponent(at.namespace));
  parts.push(resource.plural);
  if (at.name) parts.push(encodeURIComponent(at.name));
  if (at.subresource) parts.push(at.subresource);
  return parts.join("/");
}

export function objectPath(resource: ApiResource, key: ObjectKey, subresource?: string): string {
  return resourcePath(resource, { ...key, subresource });
}

/**
 * Lower case, then English's simplest rules, as Kubernetes' tools guess (meta.UnsafeGuessKindToResource).
 *
 * @example
 * ```ts
 * import { guessPlural } from "./resource.ts";
 * if (guessPlural("NetworkPolicy") !== "networkpolicies") throw new Error("y becomes ies");
 * ```
 */
export function guessPlural(kind: string): string {
  const singular = kind.toLowerCase();
  if (singular.endsWith("s") || singular.endsWith("x") || singular.endsWith("ch")) return `${singular}es`;
  if (singular.endsWith("y") && !/[aeiou]y$/.test(singular)) return `${singular.slice(0, -1)}ies`;
  return `${singular}s`;
}
