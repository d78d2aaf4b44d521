import {
  type ApiResource,
  formatApiVersion,
  type KubeList,
  type KubeObject,
  resourcePath,
} from "../apimachinery/mod.ts";
import { GoneError } from "./api_error.ts";
import type { Requester } from "./requester.ts";
import { setTypeMeta } from "./watch.ts";

/** Options of a list. */
export interface ListOptions {
  /** The whole cluster where absent. */
  namespace?: string;
  /** As `app=shop,tier!=test`. */
  labelSelector?: string;
  /** As `metadata.name=login`. */
  fieldSelector?: string;
  /** Requests `metadata` alone (PartialObjectMetadata). */
  metadataOnly?: boolean;
  /** Objects per page; 0 requests one page. */
  limit?: number;
  /** Absent: the newest; `0`: any cached version; otherwise not older than this. */
  resourceVersion?: string;
  /** Ends the request; no further page is requested. */
  signal?: AbortSignal;
}

const PAGE_LIMIT = 500;
const METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

export async function* listPages<T extends KubeObject>(
  requester: Requester,
  resource: ApiResource,
  options: ListOptions,
): AsyncGenerator<KubeList<T>> {
  const { namespace, metadataOnly, limit = PAGE_LIMIT, signal } = options;
  let next: string | undefined;
  do {
    const list = await requester.object<KubeList<T>>({
      subject: { verb: "list", resource, key: { namespace } },
      method: "GET",
      path: resourcePath(resource, { namespace }),
      query: {
        labelSelector: options.labelSelector || undefined,
        fieldSelector: options.fieldSelector || undefined,
        limit: limit > 0 ? String(limit) : undefined,
        continue: next,
        // A continue token holds its version; the server refuses both.
        resourceVersion: next ? undefined : options.resourceVersion,
      },
      accept: metadataOnly ? METADATA_LIST : undefined,
      idempotent: true,
      signal,
    });
    list.items ??= [];
    for (const item of list.items) {
      // A list's built-in items have no kind, a watch's do: readers get the same.
      if (metadataOnly || item.kind === undefined) setTypeMeta(item, resource);
    }
    yield list;
    next = list.metadata?.continue || undefined;
  } while (next);
}

export async function listAll<T extends KubeObject>(
  requester: Requester,
  resource: ApiResource,
  options: ListOptions,
): Promise<KubeList<T>> {
  try {
    return await collect(requester, resource, options);
  } catch (error) {
    // The first page's version was compacted during slow reading; one page cannot expire.
    if (!(error instanceof GoneError) || options.limit === 0) throw error;
    return await collect(requester, resource, { ...options, limit: 0 });
  }
}

async function collect<T extends KubeObject>(
  requester: Requester,
  resource: ApiResource,
  options: ListOptions,
): Promise<KubeList<T>> {
  const items: T[] = [];
  let first: KubeList<T> | undefined;
  for await (const page of listPages<T>(requester, resource, options)) {
    first ??= page;
    for (const item of page.items) items.push(item);
  }
  // All pages of one list have the same version.
  const metadata = { resourceVersion: first?.metadata?.resourceVersion };
  return { apiVersion: formatApiVersion(resource), kind: `${resource.kind}List`, metadata, items };
}
