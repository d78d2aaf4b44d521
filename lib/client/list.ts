import {
  type ApiResource,
  formatApiVersion,
  type KubeList,
  type KubeObject,
  resourcePath,
} from "../apimachinery/mod.ts";
import { GoneError } from "./api_error.ts";
import type { Requester } from "./requester.ts";
import { nameKind } from "./watch.ts";

/** What to list. */
export interface ListOptions {
  /** The whole cluster where absent. */
  namespace?: string;
  /** Only objects with these labels, as `app=shop,tier!=test`. */
  labelSelector?: string;
  /** Only objects with these fields, as `metadata.name=login`. */
  fieldSelector?: string;
  /** Ask for `metadata` alone (PartialObjectMetadata). */
  metadataOnly?: boolean;
  /** Objects per page; 0 asks for one page. */
  limit?: number;
  /** Absent: the newest; `0`: whatever the server has at hand; otherwise not older than this. */
  resourceVersion?: string;
  /** Ends the request under way; no further page is asked for. */
  signal?: AbortSignal;
}

const PAGE_LIMIT = 500;
const METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/** See {@linkcode Client.pages}. */
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
        // A continue token holds its version already, and the server refuses both.
        resourceVersion: next ? undefined : options.resourceVersion,
      },
      accept: metadataOnly ? METADATA_LIST : undefined,
      repeatable: true,
      signal,
    });
    list.items ??= [];
    for (const item of list.items) {
      // Items of built-in kinds come without their kind, those of a watch with it: readers shall see no difference.
      if (metadataOnly || item.kind === undefined) nameKind(item, resource);
    }
    yield list;
    next = list.metadata?.continue || undefined;
  } while (next);
}

/** See {@linkcode Client.list}. */
export async function listAll<T extends KubeObject>(
  requester: Requester,
  resource: ApiResource,
  options: ListOptions,
): Promise<KubeList<T>> {
  try {
    return await collect(requester, resource, options);
  } catch (error) {
    // The version of the first page was compacted away under slow reading. One page cannot expire in its middle.
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
  // Every page of one list shows the same version; the first one's metadata speaks for all.
  const metadata = { resourceVersion: first?.metadata?.resourceVersion };
  return { apiVersion: formatApiVersion(resource), kind: `${resource.kind}List`, metadata, items };
}
