import { describeError, isObject, Mask, sleep, UsageError } from "../base/mod.ts";
import { CRDS } from "../admission/mod.ts";
import { type ApiResource, type DynamicObject, type KubeObject, parseApiVersion } from "../apimachinery/mod.ts";
import { ApiError, Client, ForbiddenError, UnauthorizedError } from "../client/mod.ts";
import { KindResolver, UnknownKindError } from "../operator/mod.ts";
import type { Cluster } from "./cluster.ts";
import { type InstallOptions, untilServed } from "./install.ts";
import { place, type PlacedObject } from "./temporary_objects.ts";
import { formatRef, type Ref } from "./ref.ts";
import { type Verdict, waitUntil } from "./waiting.ts";

/** Objects for a cluster, each as it is or as the `file:` URL of YAML or JSON. */
export type Manifests = readonly (KubeObject | URL)[];

/** Pause before discovery is read again for an unlisted kind. */
const UNDISCOVERED_MS = 100;

/** A manifest and its origin, such as `given[0]` or `crds.yaml, document 2`. */
interface SourcedManifest {
  readonly from: string;
  readonly object: DynamicObject;
}

/**
 * Installs CRDs and waits until they are established and discoverable; then namespaces; then the rest in order. Objects
 * without a namespace get `default`. Disposing removes what it added, in reverse order, and waits until it is gone.
 *
 * @param what names the list in messages.
 * @throws {UsageError} naming list and index, or file and document, kind and field of what cannot be installed.
 */
export async function installManifests(
  cluster: Pick<Cluster, "transport">,
  manifests: Manifests,
  what: string,
  options: InstallOptions,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  if (manifests.length === 0) return stack.move();
  const found = await readManifests(manifests, what);
  const transport = cluster.transport(), { clock } = options;
  stack.defer(() => transport.close());
  const client = new Client(transport, { fieldManager: what, clock, mask: new Mask() });
  const resolver = new KindResolver(client, clock, [CRDS], { discoveryMsMin: 0 });
  const origins = new Map<DynamicObject, string>();
  const put = async (wanted: readonly SourcedManifest[]) => {
    const objects: PlacedObject[] = [];
    for (const each of wanted) {
      const placed = await placedOf(each, resolver);
      origins.set(placed.object, each.from);
      objects.push(placed);
    }
    const apply = async (absent: readonly PlacedObject[]) => {
      for (const placed of absent) await applyNamed(client, placed, origins.get(placed.object)!, options);
    };
    stack.use(
      await place(objects, {
        ...options,
        client,
        refusal: {
          because: `${what} says`,
          fix: "remove it from the cluster, or from the list, or test on another cluster",
        },
      }, apply),
    );
  };
  const rankOf = ({ object }: SourcedManifest) => isCrd(object) ? 0 : object.kind === "Namespace" ? 1 : 2;
  const crds = found.filter((each) => rankOf(each) === 0);
  await put(crds);
  for (const each of crds) await untilUsable(each, resolver, { ...options, client });
  await put(found.filter((each) => rankOf(each) === 1));
  await put(found.filter((each) => rankOf(each) === 2));
  return stack.move();
}

function isCrd({ apiVersion, kind }: KubeObject): boolean {
  return kind === CRDS.kind && apiVersion === `${CRDS.group}/${CRDS.version}`;
}

async function placedOf({ from, object }: SourcedManifest, resolver: KindResolver): Promise<PlacedObject> {
  const { apiVersion = "", kind = "" } = object, { group, version } = parseApiVersion(apiVersion);
  try {
    const resource = await resolver.resolve(group, version, kind);
    const namespace = resource.namespaced ? object.metadata?.namespace ?? "default" : undefined;
    return { resource, object: { ...object, metadata: { ...object.metadata, namespace } } };
  } catch (cause) {
    if (!(cause instanceof UnknownKindError)) throw cause;
    throw new UsageError(`${from}: ${describeError(cause)}`, "list the definition of this kind too", { cause });
  }
}

async function applyNamed(
  client: Client,
  { resource, object }: PlacedObject,
  from: string,
  { signal }: InstallOptions,
): Promise<void> {
  try {
    await client.apply(resource, object, { force: true, signal });
  } catch (cause) {
    // Server-side apply answers 500 to a wrong type. Errors about RBAC name their own fix.
    const isRight = cause instanceof ForbiddenError || cause instanceof UnauthorizedError;
    if (!(cause instanceof ApiError) || isRight) throw cause;
    const name = formatRef({ resource, key: { name: object.metadata!.name! } } as Ref<never>);
    throw new UsageError(`${from}: the server refuses ${name}: ${cause.message}`, undefined, { cause });
  }
}

interface CrdSpec {
  readonly group: string;
  readonly scope: string;
  readonly names: { readonly kind: string; readonly plural: string };
  readonly versions: readonly { readonly name: string; readonly served: boolean }[];
}

async function untilUsable(
  { from, object }: SourcedManifest,
  resolver: KindResolver,
  options: InstallOptions & { readonly client: Client },
): Promise<void> {
  const { client, clock, signal, waitMsMax } = options, name = object.metadata!.name!;
  const check = async (): Promise<Verdict> => {
    const { status } = await client.get<DynamicObject>(CRDS, { name });
    const { conditions } = (status ?? {}) as { conditions?: { type: string; status: string; message?: string }[] };
    const of = (type: string) => (conditions ?? []).find((each) => each.type === type);
    const names = of("NamesAccepted");
    if (names?.status === "False") throw new UsageError(`${from}: ${CRDS.kind} ${name}: ${names.message}`);
    return of("Established")?.status === "True" ? { holds: true } : { holds: false, seen: "  it is not established" };
  };
  await waitUntil(`${from}: ${CRDS.kind} ${name} to be established`, [CRDS], check, options);
  const { group, scope, names: { kind, plural }, versions } = object.spec as unknown as CrdSpec;
  for (const { name: version } of versions.filter(({ served }) => served)) {
    const resource: ApiResource = { group, version, kind, plural, namespaced: scope === "Namespaced" };
    await untilServed(resource, options);
    for (const endMs = clock.elapsed() + waitMsMax;;) {
      const discovered = await resolver.resolve(group, version, kind).then(() => true, (error) => {
        if (!(error instanceof UnknownKindError) || clock.elapsed() >= endMs) throw error;
        return false;
      });
      if (discovered) break;
      await sleep(clock, UNDISCOVERED_MS, signal);
    }
  }
}

async function readManifests(manifests: Manifests, what: string): Promise<SourcedManifest[]> {
  const found: SourcedManifest[] = [];
  for (const [index, each] of manifests.entries()) {
    if (!(each instanceof URL)) found.push(...checked(`${what}[${index}]`, each));
    else {
      const documents = await readFile(each, `${what}[${index}]`), { length } = documents;
      for (const [nth, document] of documents.entries()) {
        found.push(...checked(length > 1 ? `${each.pathname}, document ${nth + 1}` : each.pathname, document));
      }
    }
  }
  return found;
}

async function readFile(url: URL, from: string): Promise<unknown[]> {
  if (url.protocol !== "file:") {
    throw new UsageError(`${from}: ${url} is not a file of this machine`, "download it, and give its file: URL");
  }
  const text = await Deno.readTextFile(url).catch((cause) => {
    throw new UsageError(`${from}: cannot read ${url.pathname}: ${describeError(cause)}`, undefined, { cause });
  });
  const { parseAllDocuments } = await import("../base/yaml.ts");
  return parseAllDocuments(text).map((document, nth) => {
    const [error] = document.errors;
    if (error) throw new UsageError(`${url.pathname}, document ${nth + 1}: ${error.message.split("\n", 1)[0]}`);
    return document.toJS() as unknown;
  }).filter((document) => document !== null && document !== undefined);
}

function checked(from: string, manifest: unknown): SourcedManifest[] {
  if (!isObject(manifest)) throw new UsageError(`${from} is not an object`, "give apiVersion, kind and metadata.name");
  const { kind, metadata, items } = manifest as { kind?: unknown; metadata?: unknown; items?: unknown };
  if (kind === "List" && Array.isArray(items)) {
    return items.flatMap((item, nth) => checked(`${from}, items[${nth}]`, item));
  }
  const missing = (field: string) =>
    new UsageError(`${from}${typeof kind === "string" ? ` (${kind})` : ""} has no ${field}`, `add ${field}`);
  for (const field of ["apiVersion", "kind"]) {
    if (typeof manifest[field] !== "string" || manifest[field] === "") throw missing(field);
  }
  if (!isObject(metadata) || typeof metadata.name !== "string" || metadata.name === "") throw missing("metadata.name");
  return [{ from, object: manifest as unknown as DynamicObject }];
}
