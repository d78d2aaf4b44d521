import { type ApiResource, parseApiVersion } from "../apimachinery/mod.ts";
import { isObject } from "../base/mod.ts";
import type { Client } from "./client.ts";
import { NotFoundError, ServerError } from "./api_error.ts";

/** A resource that a cluster serves. */
export interface DiscoveredResource extends ApiResource {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  /** Names of its subresources, such as `status`. */
  readonly subresources: readonly string[];
}

/** What `/version` says. */
export interface ServerVersion {
  readonly gitVersion: string;
  readonly major: number;
  readonly minor: number;
}

const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/** The server's version. Distributions write minors such as `31+`. */
export async function serverVersion(client: Client, signal?: AbortSignal): Promise<ServerVersion> {
  const answer = await client.raw("GET", "/version", undefined, { signal });
  const { gitVersion = "", major = "", minor = "" } = (isObject(answer) ? answer : {}) as Record<string, string>;
  return { gitVersion, major: Number.parseInt(major) || 0, minor: Number.parseInt(minor) || 0 };
}

/**
 * Every resource of a cluster in every served version, each group's preferred version first. Two requests where the server has
 * aggregated discovery (1.26 and later), otherwise one per group and version; a group whose backend is down is left out.
 */
export async function discover(client: Client, signal?: AbortSignal): Promise<DiscoveredResource[]> {
  const resources: DiscoveredResource[] = [];
  for (const path of ["/api", "/apis"]) {
    const answer = await client.raw("GET", path, undefined, { accept: AGGREGATED, signal });
    if (isObject(answer) && answer.kind === "APIGroupDiscoveryList") resources.push(...aggregated(answer));
    else resources.push(...await legacy(client, path, answer, signal));
  }
  return resources;
}

/** The resource of a group and kind, in `version` or in the preferred one; undefined where the cluster has none. */
export function findResource(
  resources: readonly DiscoveredResource[],
  group: string,
  kind: string,
  version?: string,
): DiscoveredResource | undefined {
  return resources.find((one) =>
    one.group === group && one.kind === kind && (version === undefined || one.version === version)
  );
}

type Fields = Record<string, unknown>;

function aggregated(answer: Fields): DiscoveredResource[] {
  return objects(answer.items).flatMap((group) =>
    objects(group.versions).flatMap((version) =>
      objects(version.resources).map((resource) => ({
        group: text((group.metadata as Fields | undefined)?.name),
        version: text(version.version),
        kind: text((resource.responseKind as Fields | undefined)?.kind),
        plural: text(resource.resource),
        namespaced: resource.scope === "Namespaced",
        singular: text(resource.singularResource),
        shortNames: texts(resource.shortNames),
        categories: texts(resource.categories),
        verbs: texts(resource.verbs),
        subresources: objects(resource.subresources).map((subresource) => text(subresource.subresource)),
      }))
    )
  );
}

async function legacy(
  client: Client,
  path: string,
  answer: unknown,
  signal?: AbortSignal,
): Promise<DiscoveredResource[]> {
  const fields = isObject(answer) ? answer : {};
  const versions = path === "/api" ? texts(fields.versions) : objects(fields.groups).flatMap((group) => {
    const all = objects(group.versions).map((version) => text(version.groupVersion));
    const preferred = text((group.preferredVersion as Fields | undefined)?.groupVersion);
    return [...all.filter((one) => one === preferred), ...all.filter((one) => one !== preferred)];
  });
  const resources: DiscoveredResource[] = [];
  for (const apiVersion of versions) {
    try {
      const one = await client.raw("GET", `${path}/${apiVersion}`, undefined, { signal });
      resources.push(...legacyResources(apiVersion, isObject(one) ? objects(one.resources) : []));
    } catch (error) {
      // The version was removed between the two requests (its last CRD was deleted), or its aggregated backend is down.
      if (!(error instanceof NotFoundError || error instanceof ServerError)) throw error;
    }
  }
  return resources;
}

function legacyResources(apiVersion: string, entries: readonly Fields[]): DiscoveredResource[] {
  const { group, version } = parseApiVersion(apiVersion);
  const names = entries.map((entry) => text(entry.name));
  return entries.filter((entry) => !text(entry.name).includes("/")).map((entry) => {
    const plural = text(entry.name);
    return {
      group,
      version,
      kind: text(entry.kind),
      plural,
      namespaced: entry.namespaced === true,
      singular: text(entry.singularName),
      shortNames: texts(entry.shortNames),
      categories: texts(entry.categories),
      verbs: texts(entry.verbs),
      subresources: names.filter((name) => name.startsWith(`${plural}/`)).map((name) => name.slice(plural.length + 1)),
    };
  });
}

function objects(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
