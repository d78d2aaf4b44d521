import type { ObjectKey } from "./object.ts";

/** Group, version and kind of an object. The core group is the empty string. */
export interface GroupVersionKind {
  /** Domain name such as `apps` or `shop.example.com`. */
  readonly group: string;
  /** As `v1` or `v1beta1`. */
  readonly version: string;
  /** CamelCase singular. */
  readonly kind: string;
}

/** What requests need of a resource. */
export interface ApiResource extends GroupVersionKind {
  /** The resource's name in paths: lower case, plural. */
  readonly plural: string;
  /** False where its objects are cluster-scoped. */
  readonly namespaced: boolean;
}

/** `group/version`, or `version` for the core group: what `apiVersion` holds. */
export function formatApiVersion(gv: { group: string; version: string }): string {
  return gv.group === "" ? gv.version : `${gv.group}/${gv.version}`;
}

/** The inverse of {@linkcode formatApiVersion}. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf("/");
  if (slash < 0) return { group: "", version: apiVersion };
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** `plural.group`, as in RBAC messages and CRD names; `plural` alone in the core group. */
export function formatGroupResource(resource: { group: string; plural: string }): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** The target of a request within a resource. */
interface ResourcePath {
  /** Absent: the whole cluster. */
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** The URL path of a resource, an object or a subresource; every part is percent-encoded. */
export function resourcePath(resource: ApiResource, at: ResourcePath = {}): string {
  const root = resource.group === "" ? "/api/v1" : `/apis/${resource.group}/${resource.version}`;
  const parts = [root];
  if (resource.namespaced && at.namespace) parts.push("namespaces", encodeURIComponent(at.namespace));
  parts.push(resource.plural);
  if (at.name) parts.push(encodeURIComponent(at.name));
  if (at.subresource) parts.push(at.subresource);
  return parts.join("/");
}

/** The path of the object of `key`. */
export function objectPath(resource: ApiResource, key: ObjectKey, subresource?: string): string {
  return resourcePath(resource, { ...key, subresource });
}

/**
 * The plural that Kubernetes' own tools guess for a kind: lower case, then English's simplest rules
 * (meta.UnsafeGuessKindToResource).
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
