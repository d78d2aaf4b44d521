import { formatJson, isObject, parseJson } from "../base/mod.ts";
import { ApiError, badRequest, expired, resourceVersionTooLarge } from "./api_error.ts";
import { asVersion, needsViews } from "./conversion.ts";
import { type ObjectFilter, objectFilter } from "./object_filter.ts";
import type { ListOptions } from "./request_options.ts";
import { storageResource } from "./resource_registry.ts";
import type { ResourceType } from "./resource_type.ts";
import type { ServerContext } from "./server_context.ts";
import type { StoredObject } from "./stored_object.ts";

export interface ListPage {
  readonly items: readonly StoredObject[];
  readonly revision: number;
  readonly continueToken?: string;
  readonly remaining?: number;
}

/** Where the next page begins; `revision` -1 accepts changes between pages. */
interface PageToken {
  readonly revision: number;
  readonly after: string;
}

const INCONSISTENT = -1;
const TOKEN_VERSION = "meta.k8s.io/v1";
const EXPIRED_TOKEN =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without " +
  "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. " +
  "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or " +
  "deleted between the time the first chunk was returned and now may show up in the list.";

function encodeToken(token: PageToken): string {
  return btoa(formatJson({ v: TOKEN_VERSION, rv: token.revision, start: `${token.after}\0` }))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decodeToken(text: string): PageToken {
  if (!/^[A-Za-z0-9_-]{2,}$/.test(text)) {
    throw badRequest("invalid continue token: continue key is not valid: illegal base64 data at input byte 0");
  }
  try {
    const token: unknown = parseJson(atob(text.replaceAll("-", "+").replaceAll("_", "/")));
    if (
      isObject(token) && token.v === TOKEN_VERSION && typeof token.rv === "number" && typeof token.start === "string"
    ) return { revision: token.rv, after: token.start.replace(/\0$/, "") };
  } catch {
    // Handled below, as any bad token.
  }
  throw badRequest(
    "invalid continue token: continue key is not valid: server does not recognize this encoded version ",
  );
}

/**
 * One page of a list, now or at an exact revision. All pages of a list show one revision.
 *
 * @throws {ApiError} 410 for a compacted revision, 504 for a future one, 400 for a bad token, 500 for a failed
 *   conversion.
 */
export async function listObjects(
  server: ServerContext,
  type: ResourceType,
  namespace: string | undefined,
  options: ListOptions,
): Promise<ListPage> {
  const resource = storageResource(type), { storage } = server;
  const token = options.continueToken === undefined ? undefined : decodeToken(options.continueToken);
  const revision = revisionToRead(server, resource, options, token);
  const { matches, all } = objectFilter(type, options.labels, options.fields);
  // kube-apiserver answers version 0 from its cache, which has no pages.
  const isCached = options.resourceVersion === 0 && !token;
  const limit = Math.min(isCached ? Infinity : options.limit || Infinity, server.limits.pageLimitMax);
  const found = storage.scan(resource, { namespace, after: token?.after, revision });
  const { states, lastKey, rest } = needsViews(type) && !all
    ? pageOf(await viewed(server, type, [...found]), type, limit, matches)
    : pageOf(found, type, limit, all ? undefined : matches);
  const items = needsViews(type) ? await server.converter.views(states, type) : states;
  if (rest === 0) return { items, revision };
  return {
    items,
    revision,
    continueToken: encodeToken({ revision, after: lastKey }),
    remaining: all ? rest : undefined,
  };
}

/** Selectors match the requested version, so all candidates are converted. */
async function viewed(
  server: ServerContext,
  type: ResourceType,
  found: readonly (readonly [string, StoredObject])[],
): Promise<(readonly [string, StoredObject])[]> {
  const views = await server.converter.views(found.map(([, stored]) => stored), type);
  return found.map(([key], index) => [key, views[index]!] as const);
}

/** `rest` counts the remaining states; with a filter it only says whether any remain. */
function pageOf(
  found: Iterable<readonly [string, StoredObject]>,
  type: ResourceType,
  limit: number,
  matches: ObjectFilter | undefined,
): { states: StoredObject[]; lastKey: string; rest: number } {
  const states: StoredObject[] = [];
  let lastKey = "", rest = 0;
  for (const [key, stored] of found) {
    if (states.length >= limit) {
      rest++;
      if (matches) break;
      continue;
    }
    if (matches && !matches(asVersion(stored, type))) continue;
    states.push(stored);
    lastKey = key;
  }
  return { states, lastKey, rest };
}

function revisionToRead(
  server: ServerContext,
  resource: string,
  options: ListOptions,
  token: PageToken | undefined,
): number {
  const { storage } = server;
  if (token) {
    if (options.resourceVersion) throw badRequest("specifying resource version is not allowed when using continue");
    if (token.revision === INCONSISTENT) return storage.revision;
    if (storage.canRead(resource, token.revision) && token.revision <= storage.revision) return token.revision;
    const error = expired(EXPIRED_TOKEN);
    const metadata = { continue: encodeToken({ revision: INCONSISTENT, after: token.after }) };
    Object.assign(error.status, { metadata });
    throw error;
  }
  const requested = options.resourceVersion ?? 0;
  if (requested > storage.revision) throw resourceVersionTooLarge(requested, storage.revision);
  // A page of a list at a version is a list of exactly that version, as kube-apiserver reads it.
  const isExact = options.match === "Exact" || (options.match === undefined && options.limit > 0 && requested > 0);
  if (!isExact) return storage.revision;
  if (!storage.canRead(resource, requested)) {
    throw new ApiError(410, "Expired", "The resourceVersion for the provided list is too old.");
  }
  return requested;
}
