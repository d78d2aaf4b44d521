import { formatJson } from "../../base/mod.ts";
import { type ApiResource, formatGroupResource, type KubeObject, parseQuantity } from "../../apimachinery/mod.ts";
import { type Client, isNotFound } from "../../client/mod.ts";
import { kindsSelected, type Operator } from "../../operator/mod.ts";
import { deploymentsOf } from "../inventory.ts";
import { deployedSettings } from "./deployed_settings.ts";
import { type Check, type Finding, ok, problem, warning } from "./check.ts";

/** Memory of the program with empty stores, on its first start (bench/startup.ts). */
const BASE_BYTES = 80_000_000;
/** An object's overhead beside its fields, and memory per JSON byte at the peak of the first list. */
const OBJECT_BYTES = 600, FACTOR = 4;
/** Above this share of a limit garbage collection is busy, and a burst is too much. */
const SHARE_MAX = 0.8;
/** Objects measured, and pages counted if the server gives no number. */
const SAMPLE = 100, PAGES_MAX = 20;

interface Watched {
  readonly resource: ApiResource;
  readonly labelSelector?: string;
  readonly metadataOnly?: boolean;
  transform?(object: KubeObject): object;
}

/** Memory for the operator's stores in this cluster, and whether its pods have that much. */
export const memoryCheck: Check = {
  name: "memory",
  async run({ client, operator, account, table, signal }) {
    let bytes = BASE_BYTES, largest = { name: "nothing", bytes: 0 };
    const selected = (await kindsSelected(operator, client, signal)).map(({ kind }) => ({ resource: kind }));
    for (const watched of [...watchesOf(operator), ...selected]) {
      const size = await storeBytes(client, watched, signal);
      bytes += size;
      if (size > largest.bytes) largest = { name: formatGroupResource(watched.resource), bytes: size };
    }
    const message = `about ${mebibytes(bytes)} at the peak, of which ${mebibytes(largest.bytes)} for ${largest.name}`;
    const found: Finding[] = [];
    for (const deployment of await deploymentsOf(client, account, signal)) {
      for (const { memoryLimit, container } of deployedSettings(deployment, table)) {
        const limit = memoryLimit === undefined ? undefined : parseQuantity(memoryLimit);
        if (!limit) continue;
        const share = bytes / Number(limit.nanos / 1_000_000_000n);
        const fix = "raise resources.limits.memory, or watch less";
        if (share > 1) {
          found.push(problem(`${message}: more than container ${container}'s limit of ${memoryLimit}`, fix));
        } else if (share > SHARE_MAX) {
          found.push(warning(`${message}: close to container ${container}'s limit of ${memoryLimit}`, fix));
        }
      }
    }
    return found.length > 0 ? found : [ok(message)];
  },
};

function watchesOf({ declarations }: Operator): Watched[] {
  return declarations.flatMap(({ kind, owns, watches }) => [
    ...[kind, ...owns].map((resource) => ({ resource, ...resource.view })),
    ...watches,
  ]);
}

/** Bytes of a store of all that a watch shows; 0 if the resource is not served. */
async function storeBytes(client: Client, watched: Watched, signal: AbortSignal): Promise<number> {
  const { resource, labelSelector, metadataOnly, transform = (item: KubeObject): object => item } = watched;
  let count = 0, sampled = 0, sampleBytes = 0, pages = 0;
  try {
    const options = { labelSelector, metadataOnly, limit: SAMPLE, signal };
    for await (const { items, metadata } of client.pages<KubeObject>(resource, options)) {
      count += items.length + (metadata?.remainingItemCount ?? 0);
      if (sampled === 0) {
        sampled = items.length;
        for (const item of items) sampleBytes += formatJson({ ...transform(item), metadata: trimmed(item) }).length;
      }
      // With a selector the server does not count the rest.
      if (metadata?.remainingItemCount !== undefined || ++pages === PAGES_MAX) break;
    }
  } catch (error) {
    if (isNotFound(error)) return 0;
    throw error;
  }
  return count === 0 ? 0 : count * (OBJECT_BYTES + FACTOR * sampleBytes / sampled);
}

function trimmed({ metadata }: KubeObject) {
  return { ...metadata, managedFields: undefined };
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 ** 2)} MiB`;
}
