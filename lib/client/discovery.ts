import { type ApiResource, parseApiVersion } from "../apimachinery/mod.ts";
import { isObject } from "../base/mod.ts";
import type { Client } from "./client.ts";
import { ApiError, NotFoundError, ServerError } from "./api_error.ts";
import { MalformedAnswerError, notKubernetes } from "./unreachable.ts";

export interface DiscoveredResource extends ApiResource {
  readonly singular: string;
  /** As `cm`. */
  readonly shortNames: readonly string[];
  /** As `all`. */
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
}

/** The resources that a cluster serves, as far as the server knows. */
export interface Discovery {
  readonly resources: readonly DiscoveredResource[];
  /** Versions whose backend is down: their kinds may exist or not. */
  readonly unknown: readonly GroupVersion[];
}

interface ServerVersion {
  readonly gitVersion: string;
  readonly major: number;
  readonly minor: number;
}

const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/**
 * Distributions write minors such as `31+`.
 *
 * @throws {MalformedAnswerError} where another program answers: a web page, a redirect to a login, other JSON.
 */
export async function serverVersion(client: Client, signal?: AbortSignal): Promise<ServerVersion> {
  const { server } = client.transport;
  const response = await client.raw("/version", { signal }).catch((error) => {
    // Every API server has this path: 404, redirects, and 400 for HTTPS come from other programs.
    const isForeign = error instanceof ApiError && (error.code < 400 || [400, 404, 405].includes(error.code));
    throw isForeign ? notKubernetes(server, `GET /version: HTTP status ${error.code}`, error) : error;
  });
  if (!isObject(response) || typeof response.gitVersion !== "string") {
    const received = isObject(response) || Array.isArray(response)
      ? "other JSON"
      : /^\s*</.test(String(response))
      ? "HTML"
      : "text";
    throw notKubernetes(server, `GET /version: ${received}`);
  }
  const { gitVersion, major, minor } = response;
  return { gitVersion, major: Number.parseInt(text(major)) || 0, minor: Number.parseInt(text(minor)) || 0 };
}

/**
 * Every resource in every served version, each group's preferred version first. Aggregated discovery (1.26 and later)
 * takes two requests, otherwise one per group and version. A version whose backend is down is `unknown`.
 *
 * @throws {MalformedAnswerError} for other documents: they do not mean that the cluster serves nothing.
 */
export async function discoverAll(client: Client, signal?: AbortSignal): Promise<Discovery> {
  const parts: Discovery[] = [];
  for (const path of ["/api", "/apis"]) {
    const response = await client.raw(path, { accept: AGGREGATED, signal });
    if (isObject(response) && response.kind === "APIGroupDiscoveryList" && Array.isArray(response.items)) {
      parts.push(aggregated(response));
    } else if (isObject(response) && Array.isArray(path === "/api" ? response.versions : response.groups)) {
      parts.push(await legacy(client, path, response, signal));
    } else throw new MalformedAnswerError(`cannot get ${path}: the response is not a discovery document`);
  }
  return {
    resources: parts.flatMap(({ resources }) => resources),
    unknown: parts.flatMap(({ unknown }) => unknown),
  };
}

/** As {@linkcode discoverAll}, but unknown versions count as absent. */
export async function discover(client: Client, signal?: AbortSignal): Promise<DiscoveredResource[]> {
  return [...(await discoverAll(client, signal)).resources];
}

/** In `version`, or in the preferred one. */
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
type GroupVersion = Pick<ApiResource, "group" | "version">;

function aggregated(response: Fields): Discovery {
  const versions = objects(response.items).flatMap((item) => {
    const group = text((item.metadata as Fields | undefined)?.name);
    return objects(item.versions).map((each) => ({ group, version: text(each.version), each }));
  });
  return {
    resources: versions.flatMap(({ group, version, each }) =>
      objects(each.resources).map((resource) => ({
        group,
        version,
        kind: text((resource.responseKind as Fields | undefined)?.kind),
        plural: text(resource.resource),
        namespaced: resource.scope === "Namespaced",
        singular: text(resource.singularResource),
        shortNames: texts(resource.shortNames),
        categories: texts(resource.categories),
        verbs: texts(resource.verbs),
        subresources: objects(resource.subresources).map((subresource) => text(subresource.subresource)),
      }))
    ),
    // Marks the last known, or unknown, document of an aggregated server.
    unknown: versions.filter(({ each }) => each.freshness === "Stale").map(({ group, version }) => ({
      group,
      version,
    })),
  };
}

async function legacy(client: Client, path: string, response: Fields, signal?: AbortSignal): Promise<Discovery> {
  const versions = path === "/api" ? texts(response.versions) : objects(response.groups).flatMap((group) => {
    const all = objects(group.versions).map((version) => text(version.groupVersion));
    const preferred = text((group.preferredVersion as Fields | undefined)?.groupVersion);
    return [...all.filter((one) => one === preferred), ...all.filter((one) => one !== preferred)];
  });
  const resources: DiscoveredResource[] = [], unknown: GroupVersion[] = [];
  for (const apiVersion of versions) {
    try {
      const one = await client.raw(`${path}/${apiVersion}`, { signal });
      if (isObject(one) && Array.isArray(one.resources)) {
        resources.push(...legacyResources(apiVersion, objects(one.resources)));
      } else unknown.push(parseApiVersion(apiVersion));
    } catch (error) {
      if (error instanceof NotFoundError) continue; // removed between the two requests: its last CRD was deleted
      if (!(error instanceof ServerError)) throw error; // its aggregated backend is down
      unknown.push(parseApiVersion(apiVersion));
    }
  }
  return { resources, unknown };
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
