import { formatApiVersion } from "../../apimachinery/mod.ts";
import type { ResourceType } from "../resource_type.ts";
import { compareVersions } from "./crd.ts";

interface Subresource {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly verbs: readonly string[];
}

const READ_WRITE = ["get", "patch", "update"];

/** Subresources with a kind or verbs of their own. */
const SUBRESOURCES: Readonly<Record<string, Subresource>> = {
  scale: { group: "autoscaling", version: "v1", kind: "Scale", verbs: READ_WRITE },
  token: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest", verbs: ["create"] },
  eviction: { group: "policy", version: "v1", kind: "Eviction", verbs: ["create"] },
  binding: { kind: "Binding", verbs: ["create"] },
  finalize: { verbs: ["update"] },
};

function subresource(name: string): Subresource {
  return Object.hasOwn(SUBRESOURCES, name) ? SUBRESOURCES[name]! : { verbs: READ_WRITE };
}

function groupsOf(types: readonly ResourceType[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { group, version } of types) {
    const versions = groups.get(group) ?? [];
    if (!versions.includes(version)) versions.push(version);
    groups.set(group, versions);
  }
  for (const versions of groups.values()) versions.sort(compareVersions);
  return groups;
}

export function apiVersions(): Record<string, unknown> {
  return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
}

export function apiGroupList(types: readonly ResourceType[]): Record<string, unknown> {
  const groups = [...groupsOf(types)].filter(([group]) => group !== "").map(([group]) => groupBody(types, group));
  return { kind: "APIGroupList", apiVersion: "v1", groups };
}

/** Undefined where not served. */
export function apiGroup(types: readonly ResourceType[], group: string): Record<string, unknown> | undefined {
  if (group === "" || !types.some((type) => type.group === group)) return undefined;
  return { kind: "APIGroup", apiVersion: "v1", ...groupBody(types, group) };
}

function groupBody(types: readonly ResourceType[], group: string): Record<string, unknown> {
  const versions = (groupsOf(types).get(group) ?? []).map((version) => ({
    groupVersion: `${group}/${version}`,
    version,
  }));
  return { name: group, versions, preferredVersion: versions[0] };
}

/** `GET /api/v1`, `GET /apis/<group>/<version>`; undefined where not served. */
export function apiResourceList(
  types: readonly ResourceType[],
  groupVersion: string,
): Record<string, unknown> | undefined {
  const served = types.filter((type) => formatApiVersion(type) === groupVersion);
  if (served.length === 0) return undefined;
  const resources = served.flatMap((type) => [
    {
      name: type.plural,
      singularName: type.singular,
      namespaced: type.namespaced,
      kind: type.kind,
      verbs: type.verbs,
      ...(type.shortNames.length ? { shortNames: type.shortNames } : {}),
      ...(type.categories.length ? { categories: type.categories } : {}),
    },
    ...type.subresources.map((name) => {
      const { group, version, kind = type.kind, verbs } = subresource(name);
      return {
        name: `${type.plural}/${name}`,
        singularName: "",
        namespaced: type.namespaced,
        ...(group ? { group, version } : {}),
        kind,
        verbs,
      };
    }),
  ]);
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources };
}

/** `GET /api` or `/apis` as `apidiscovery.k8s.io/v2` (KEP-3352). */
export function aggregatedDiscovery(types: readonly ResourceType[], of: "core" | "groups"): Record<string, unknown> {
  const groups = [...groupsOf(types)].filter(([group]) => (group === "") === (of === "core"));
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: groups.map(([group, versions]) => ({
      metadata: group === "" ? { creationTimestamp: null } : { name: group, creationTimestamp: null },
      versions: versions.map((version) => ({
        version,
        resources: types.filter((type) => type.group === group && type.version === version).map(resourceDiscovery),
        freshness: "Current",
      })),
    })),
  };
}

function resourceDiscovery(type: ResourceType): Record<string, unknown> {
  const { group, version, kind } = type;
  return {
    resource: type.plural,
    responseKind: { group, version, kind },
    scope: type.namespaced ? "Namespaced" : "Cluster",
    singularResource: type.singular,
    verbs: type.verbs,
    ...(type.shortNames.length ? { shortNames: type.shortNames } : {}),
    ...(type.categories.length ? { categories: type.categories } : {}),
    ...(type.subresources.length
      ? { subresources: type.subresources.map((name) => subresourceDiscovery(type, name)) }
      : {}),
  };
}

function subresourceDiscovery(type: ResourceType, name: string): Record<string, unknown> {
  const { group = type.group, version = type.version, kind = type.kind, verbs } = subresource(name);
  return { subresource: name, responseKind: { group, version, kind }, verbs };
}
