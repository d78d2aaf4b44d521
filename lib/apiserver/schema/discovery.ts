import { createHash } from "node:crypto";
import { formatApiVersion } from "../../apimachinery/mod.ts";
import type { ResourceType } from "../resource_type.ts";
import { compareVersions } from "./crd.ts";

interface Subresource {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  /** Of the parent's kind: `NodeProxyOptions`. */
  readonly kindSuffix?: string;
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
  log: { verbs: ["get"] },
  attach: { kindSuffix: "AttachOptions", verbs: ["create", "get"] },
  exec: { kindSuffix: "ExecOptions", verbs: ["create", "get"] },
  portforward: { kindSuffix: "PortForwardOptions", verbs: ["create", "get"] },
  proxy: { kindSuffix: "ProxyOptions", verbs: ["create", "delete", "get", "patch", "update"] },
};

type Listed = Pick<
  ResourceType,
  "plural" | "singular" | "namespaced" | "kind" | "verbs" | "shortNames" | "categories" | "subresources" | "builtin"
>;

/**
 * Resources of `v1` that this server lists and does not serve: they need a scheduler. What clients may list has to be
 * served, so the deprecated componentstatuses are not among them.
 */
const ONLY_LISTED: readonly Listed[] = [
  {
    ...{ plural: "bindings", singular: "binding", kind: "Binding", namespaced: true, verbs: ["create"] },
    ...{ shortNames: [], categories: [], subresources: [], builtin: true },
  },
];

/** By the priority of kube-apiserver's APIServices; groups of CRDs follow by name. */
const GROUP_ORDER = [
  "",
  "apiregistration.k8s.io",
  "apps",
  "events.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "networking.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "storage.k8s.io",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "scheduling.k8s.io",
  "coordination.k8s.io",
  "node.k8s.io",
  "discovery.k8s.io",
  "resource.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "storagemigration.k8s.io",
];

/** The verbs of custom resources, in the order in which kube-apiserver lists them. */
const CUSTOM_VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

/** Kinds that kube-apiserver stores in another version than `v1`. */
const STORED_AS: Readonly<Record<string, string>> = {
  "apiextensions.k8s.io/CustomResourceDefinition": "apiextensions.k8s.io/v1beta1",
  "autoscaling/HorizontalPodAutoscaler": "autoscaling/v2",
  "certificates.k8s.io/ClusterTrustBundle": "certificates.k8s.io/v1beta1",
  "certificates.k8s.io/PodCertificateRequest": "certificates.k8s.io/v1beta1",
  "events.k8s.io/Event": "/v1",
  "resource.k8s.io/DeviceTaintRule": "resource.k8s.io/v1beta2",
  "storagemigration.k8s.io/StorageVersionMigration": "storagemigration.k8s.io/v1beta1",
};
const HASH_BYTES = 8;

/** Changes with the version in which a kind is stored; absent where nothing is stored (StorageVersionHash). */
function storageVersionHash({ group, version, kind, verbs, versions }: ResourceType): string | undefined {
  if (!verbs.includes("get")) return undefined;
  const stored = versions?.storage ?? STORED_AS[`${group}/${kind}`] ?? `${group}/${version}`;
  return createHash("sha256").update(`${stored}/${kind}`).digest().subarray(0, HASH_BYTES).toString("base64");
}

function verbsOf({ verbs, builtin }: Pick<Listed, "verbs" | "builtin">): readonly string[] {
  return builtin ? verbs : CUSTOM_VERBS.filter((verb) => verbs.includes(verb));
}

function subresource(name: string, parentKind: string): Subresource & { readonly kind: string } {
  const known: Subresource = Object.hasOwn(SUBRESOURCES, name) ? SUBRESOURCES[name]! : { verbs: READ_WRITE };
  return { ...known, kind: known.kind ?? `${parentKind}${known.kindSuffix ?? ""}` };
}

function groupsOf(types: readonly ResourceType[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { group, version } of types) {
    const versions = groups.get(group) ?? [];
    if (!versions.includes(version)) versions.push(version);
    groups.set(group, versions);
  }
  for (const versions of groups.values()) versions.sort(compareVersions);
  const place = (group: string) => (GROUP_ORDER.indexOf(group) + GROUP_ORDER.length + 1) % (GROUP_ORDER.length + 1);
  return new Map([...groups].sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1)));
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
  const more = groupVersion === "v1" ? ONLY_LISTED.flatMap((type) => resourceEntries(type, undefined)) : [];
  const resources = [...more, ...served.flatMap((type) => resourceEntries(type, storageVersionHash(type)))];
  // kube-apiserver leaves the version out for its first group.
  return { kind: "APIResourceList", ...groupVersion !== "v1" && { apiVersion: "v1" }, groupVersion, resources };
}

/** Of a resource and of its subresources. */
function resourceEntries(type: Listed, hash: string | undefined): Record<string, unknown>[] {
  return [
    {
      name: type.plural,
      singularName: type.singular,
      namespaced: type.namespaced,
      kind: type.kind,
      verbs: verbsOf(type),
      ...(type.shortNames.length ? { shortNames: type.shortNames } : {}),
      ...(type.categories.length ? { categories: type.categories } : {}),
      ...hash !== undefined && { storageVersionHash: hash },
    },
    ...type.subresources.map((name) => {
      const { group, version, kind, verbs } = subresource(name, type.kind);
      return {
        name: `${type.plural}/${name}`,
        singularName: "",
        namespaced: type.namespaced,
        ...(group ? { group, version } : {}),
        kind,
        verbs,
      };
    }),
  ];
}

/** `GET /api` or `/apis` as `apidiscovery.k8s.io/v2` (KEP-3352). */
export function aggregatedDiscovery(types: readonly ResourceType[], of: "core" | "groups"): Record<string, unknown> {
  const groups = [...groupsOf(types)].filter(([group]) => (group === "") === (of === "core"));
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: groups.map(([group, versions]) => ({
      metadata: group === "" ? {} : { name: group },
      versions: versions.map((version) => ({
        version,
        resources: [
          ...(group === "" ? ONLY_LISTED.map((type) => resourceDiscovery(type, "", "")) : []),
          ...types.filter((type) => type.group === group && type.version === version)
            // kube-apiserver leaves the group and version of its own kinds empty here.
            .map((type) => (type.builtin ? resourceDiscovery(type, "", "") : resourceDiscovery(type, group, version))),
        ],
        freshness: "Current",
      })),
    })),
  };
}

function resourceDiscovery(type: Listed, group: string, version: string): Record<string, unknown> {
  return {
    resource: type.plural,
    responseKind: { group, version, kind: type.kind },
    scope: type.namespaced ? "Namespaced" : "Cluster",
    singularResource: type.singular,
    verbs: verbsOf(type),
    ...(type.shortNames.length ? { shortNames: type.shortNames } : {}),
    ...(type.categories.length ? { categories: type.categories } : {}),
    ...(type.subresources.length
      ? { subresources: type.subresources.map((name) => subresourceDiscovery(type, name, group, version)) }
      : {}),
  };
}

function subresourceDiscovery(
  type: Listed,
  name: string,
  ownGroup: string,
  ownVersion: string,
): Record<string, unknown> {
  const { group = ownGroup, version = ownVersion, kind, verbs } = subresource(name, type.kind);
  return { subresource: name, responseKind: { group, version, kind }, verbs };
}
