import type * as otel from "@opentelemetry/api";
import {
  type ApiResource,
  type DynamicObject,
  formatApiVersion,
  keyOf,
  type KubeList,
  type KubeObject,
  learnSecrets,
  type ObjectKey,
  objectPath,
  resourcePath,
} from "../apimachinery/mod.ts";
import {
  type Clock,
  invariant,
  type JsonValue,
  type Logger,
  Mask,
  parseJson,
  type Random,
  silentLogger,
  SystemClock,
  SystemRandom,
  type Transport,
  UsageError,
} from "../base/mod.ts";
import { type AccessOptions, type AccessRequest, canDo } from "./access.ts";
import { isNotFound } from "./api_error.ts";
import { listAll, type ListOptions, listPages } from "./list.ts";
import { Requester, type RequestRecord, type RequestSpec } from "./requester.ts";
import { RETRY_POLICY } from "./retry.ts";
import { METADATA_ONLY, nameKind, watch, type WatchEvent, type WatchOptions } from "./watch.ts";

/** How a {@linkcode Client} behaves. */
export interface ClientOptions {
  /** The name under which the server books the fields that this client writes. */
  fieldManager: string;
  /** How the server's audit log names this program; made of the field manager where absent. */
  userAgent?: string;
  /** Times pauses and timeouts; the machine's clock where absent. */
  clock?: Clock;
  /** Scatters pauses; the machine's randomness where absent. */
  random?: Random;
  /** Drops everything where absent. */
  logger?: Logger;
  /** Learns the values of every Secret that is read or sent; one of its own where absent. */
  mask?: Mask;
  /** Every write is a dry run: the server checks and answers it, and stores nothing. */
  dryRun?: boolean;
  /** Ends every request, and the pauses between attempts. */
  signal?: AbortSignal;
  /** Called after each write that the server has confirmed and stored. */
  onWrite?: (record: WriteRecord) => void;
  /** For one attempt, its body included; of a watch for the beginning of the answer. */
  requestTimeoutMs?: number;
  /** Attempts after the first. */
  retriesMax?: number;
  /** Told of every attempt once it has ended. */
  onRequest?: (record: RequestRecord) => void;
  /** OpenTelemetry's `Tracer`: makes a span of every request. None where absent. */
  tracer?: ReturnType<(typeof otel)["trace"]["getTracer"]>;
}

/** One confirmed write of a {@linkcode Client}. */
export interface WriteRecord {
  /** The method of the client that made it. */
  readonly verb: "create" | "replace" | "apply" | "patch" | "delete";
  /** The resource of the object. */
  readonly resource: ApiResource;
  /** The object that was written. */
  readonly key: ObjectKey;
  /** As `status`; absent for the object itself. */
  readonly subresource?: string;
  /** Version that the server gave the result; absent for deletions. */
  readonly resourceVersion?: string;
  /** Labels of the result, which decide which watches see it. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Options of every read of one object. */
export interface GetOptions {
  /** Ask for `metadata` alone (PartialObjectMetadata). */
  metadataOnly?: boolean;
  /** As `status` or `scale`; the object itself where absent. */
  subresource?: string;
  /** Ends the request, and pauses between its attempts. */
  signal?: AbortSignal;
}

/** Options of every write. */
export interface WriteOptions {
  /** As `status` or `scale`; the object itself where absent. */
  subresource?: string;
  /** The server does everything but keep the result. */
  dryRun?: boolean;
  /** Ends the request; the server may have carried it out all the same. */
  signal?: AbortSignal;
}

/** What {@linkcode Client.patch} sends, and how. */
export interface PatchOptions extends WriteOptions {
  /** The patch, in the form of its type. */
  body: JsonValue;
  /** RFC 6902, RFC 7386, or Kubernetes' own merge, which custom resources do not take. */
  type: "json" | "merge" | "strategic";
  /** Have `metadata` alone sent back. */
  metadataOnly?: boolean;
}

/** Options of {@linkcode Client.delete}. */
export interface DeleteOptions {
  /** Delete only this very object, not one of its name that came later. */
  uid?: string;
  /** Delete only this very version. */
  resourceVersion?: string;
  /** Children go after the object, before it, or stay; the resource's own default where absent. */
  propagationPolicy?: "Background" | "Foreground" | "Orphan";
  /** Seconds that a pod gets for an orderly end; 0 ends it at once. Its own where absent. */
  gracePeriodSeconds?: number;
  /** The server does everything but delete. */
  dryRun?: boolean;
  /** Ends the request; the server may have carried it out all the same. */
  signal?: AbortSignal;
}

/** Options of {@linkcode Client.raw}. */
export interface RawOptions {
  /** The HTTP method; GET where absent. */
  method?: string;
  /** What is sent, as JSON. */
  body?: JsonValue;
  /** Media types of the answer, as the header has them. */
  accept?: string;
  /** Media type of the body. */
  contentType?: string;
  /** Ends the request, and pauses between its attempts. */
  signal?: AbortSignal;
}

const PATCH_TYPES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
} as const;

/**
 * A typed client of one API server, over any {@linkcode Transport}.
 *
 * Guarantees: every write names the field manager; every body is read or cancelled; retries are bounded, and a request
 * that might have been carried out is repeated only where that does no harm (see `retryDelayMs`); errors are
 * {@linkcode ApiError}s, {@linkcode UnreachableError}s, {@linkcode MalformedAnswerError}s or the reason of the signal,
 * and hold no Secret data.
 *
 * @example
 * ```ts
 * import { Client } from "@pintle/pintle/client";
 * const transport = { fetch: () => Promise.resolve(Response.json({ metadata: { name: "a" } })), close() {} };
 * const client = new Client(transport, { fieldManager: "docs" });
 * const pods = { group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true };
 * const pod = await client.get(pods, { namespace: "default", name: "a" });
 * if (pod.metadata?.name !== "a") throw new Error("the object is the answer");
 * ```
 */
export class Client {
  /** The name under which the server books the fields that it writes. */
  readonly fieldManager: string;
  /** How requests reach the server; whoever made it closes it. */
  readonly transport: Transport;
  /** Knows the values of the Secrets that it has read or sent. */
  readonly mask: Mask;
  /** Whether every write is a dry run. */
  readonly dryRun: boolean;
  readonly #options: ClientOptions;
  readonly #requester: Requester;

  /** Makes no request. */
  constructor(from: Transport, options: ClientOptions);
  /** A client that shares the transport of `from`; options that are absent are those of `from`. */
  constructor(from: Client, options: Partial<ClientOptions>);
  constructor(from: Transport | Client, given: Partial<ClientOptions>) {
    const transport = from instanceof Client ? from.transport : from;
    const options = { ...from instanceof Client ? from.#options : {}, ...given } as ClientOptions;
    this.fieldManager = options.fieldManager;
    this.transport = transport;
    this.dryRun = options.dryRun ?? false;
    this.mask = options.mask ?? new Mask();
    const { clock = new SystemClock(), random = new SystemRandom() } = options;
    this.#options = { ...options, mask: this.mask, clock, random };
    this.#requester = new Requester(transport, {
      userAgent: options.userAgent ?? `pintle (${options.fieldManager})`,
      clock,
      random,
      logger: options.logger ?? silentLogger,
      requestTimeoutMs: options.requestTimeoutMs ?? 60_000,
      retry: { ...RETRY_POLICY, retriesMax: options.retriesMax ?? RETRY_POLICY.retriesMax },
      onRequest: options.onRequest,
      tracer: options.tracer,
      mask: this.mask,
      signal: options.signal,
    });
  }

  /**
   * This client with other options: the same transport, mask and field manager. `signal` and `onWrite` replace those of
   * this client. A client for dry runs stays one.
   *
   * @example
   * ```ts
   * import { Client, type WriteRecord } from "@pintle/pintle/client";
   * const transport = { fetch: () => Promise.resolve(Response.json({ metadata: { name: "a" } })), close() {} };
   * const client = new Client(transport, { fieldManager: "docs" }), writes: WriteRecord[] = [];
   * const bounded = client.with({ signal: AbortSignal.timeout(5_000), onWrite: (write) => writes.push(write) });
   * const secrets = { group: "", version: "v1", kind: "Secret", plural: "secrets", namespaced: true };
   * await bounded.apply(secrets, { metadata: { namespace: "default", name: "a" } });
   * if (writes[0]?.verb !== "apply") throw new Error("each write is recorded");
   * ```
   */
  with(options: Pick<ClientOptions, "signal" | "dryRun" | "onWrite">): Client {
    return new Client(this, { ...options, dryRun: this.dryRun || options.dryRun });
  }

  /** Reads one object. @throws {NotFoundError} */
  async get<T extends KubeObject = DynamicObject>(
    resource: ApiResource,
    key: ObjectKey,
    options: GetOptions = {},
  ): Promise<T> {
    const { metadataOnly, subresource, signal } = options;
    const object = await this.#requester.object<T>({
      subject: { verb: "get", resource, subresource, key },
      method: "GET",
      path: pathOf(resource, key, subresource),
      accept: metadataOnly ? METADATA_ONLY : undefined,
      repeatable: true,
      signal,
    });
    return metadataOnly ? nameKind(object, resource) : object;
  }

  /** Reads one object; undefined where there is none. */
  async find<T extends KubeObject = DynamicObject>(
    resource: ApiResource,
    key: ObjectKey,
    options: GetOptions = {},
  ): Promise<T | undefined> {
    try {
      return await this.get<T>(resource, key, options);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Reads all pages of a list as one; where the list expires in the middle it is read again, in one piece. */
  list<T extends KubeObject = DynamicObject>(resource: ApiResource, options: ListOptions = {}): Promise<KubeList<T>> {
    return listAll<T>(this.#requester, resource, options);
  }

  /** The pages of a list, one at a time. @throws {GoneError} where the list expires in the middle: begin again. */
  pages<T extends KubeObject = DynamicObject>(
    resource: ApiResource,
    options: ListOptions = {},
  ): AsyncGenerator<KubeList<T>> {
    return listPages<T>(this.#requester, resource, options);
  }

  /**
   * Creates an object; `metadata.generateName` works. Never repeated once the server may have seen it.
   *
   * @throws {AlreadyExistsError} {@linkcode InvalidError} {@linkcode NamespaceTerminatingError}
   */
  create<T extends KubeObject>(
    resource: ApiResource,
    object: T,
    options: WriteOptions & { metadataOnly?: boolean } = {},
  ): Promise<T> {
    const key = keyOf(object), { namespace } = key, { subresource, metadataOnly } = options;
    invariant(!resource.namespaced || namespace, `create ${resource.plural}: metadata.namespace is missing`);
    const path = subresource ? pathOf(resource, key, subresource) : resourcePath(resource, { namespace });
    const created = this.#write<T>(
      { verb: "create", rbacVerb: "create", method: "POST", resource, key, path },
      options,
      {
        body: withKind(object, resource),
        repeatable: this.#isDryRun(options),
        accept: metadataOnly ? METADATA_ONLY : undefined,
      },
    );
    return metadataOnly ? created.then((object) => nameKind(object, resource)) : created;
  }

  /**
   * Replaces an object; with a `metadata.resourceVersion` only that version of it. `managedFields` are not sent, so the
   * server keeps them.
   *
   * @throws {ConflictError}
   */
  replace<T extends KubeObject>(resource: ApiResource, object: T, options: WriteOptions = {}): Promise<T> {
    const key = keyOf(object), path = pathOf(resource, key, options.subresource);
    const body = withoutManagedFields(withKind(object, resource));
    const target = { verb: "replace", rbacVerb: "update", method: "PUT", resource, key, path } as const;
    return this.#write(target, options, { body, repeatable: true });
  }

  /**
   * Server-side apply: the object gets the fields that `object` holds, and loses those that an earlier apply of this
   * field manager held and this one does not. Creates the object where it is absent (which needs the RBAC verb create
   * too).
   *
   * @throws {ConflictError} without `force`, where another manager owns a field.
   */
  apply<T extends KubeObject>(
    resource: ApiResource,
    object: T,
    options: WriteOptions & { force?: boolean } = {},
  ): Promise<T> {
    const key = keyOf(object), path = pathOf(resource, key, options.subresource);
    // The server refuses an apply that brings managedFields, and an object that was read has them.
    const body = withoutManagedFields(withKind(object, resource));
    const target = { verb: "apply", rbacVerb: "patch", method: "PATCH", resource, key, path } as const;
    return this.#write(target, options, {
      body,
      repeatable: true,
      contentType: "application/apply-patch+yaml", // JSON is YAML
      query: { force: String(options.force ?? true) },
    });
  }

  /** Patches an object. A JSON patch is not repeated once the server may have seen it: it may append. */
  async patch<T extends KubeObject = DynamicObject>(
    resource: ApiResource,
    key: ObjectKey,
    options: PatchOptions,
  ): Promise<T> {
    const path = pathOf(resource, key, options.subresource), { metadataOnly, type, body } = options;
    const target = { verb: "patch", rbacVerb: "patch", method: "PATCH", resource, key, path } as const;
    const object = await this.#write<T>(target, options, {
      body,
      repeatable: type !== "json" || this.#isDryRun(options),
      contentType: PATCH_TYPES[type],
      accept: metadataOnly ? METADATA_ONLY : undefined,
    });
    return metadataOnly ? nameKind(object, resource) : object;
  }

  /**
   * Deletes an object, or asks for it where finalizers hold it.
   *
   * @throws {NotFoundError} where there is none. @throws {ConflictError} where `uid` or `resourceVersion` differs.
   */
  async delete(resource: ApiResource, key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, propagationPolicy, gracePeriodSeconds, signal } = options;
    const preconditions = uid || resourceVersion ? { uid, resourceVersion } : undefined;
    // A server that finds options in the body takes no notice of those in the query: there, a dry run would delete.
    const dryRun = this.#isDryRun(options) ? ["All"] : undefined, kind = "DeleteOptions";
    await this.#requester.text({
      subject: { verb: "delete", resource, key },
      method: "DELETE",
      path: pathOf(resource, key),
      body: { apiVersion: "v1", kind, dryRun, preconditions, propagationPolicy, gracePeriodSeconds },
      repeatable: true,
      doneWhenGone: true,
      signal,
    });
    if (!dryRun) this.#options.onWrite?.({ verb: "delete", resource, key });
  }

  /**
   * One watch, until the server or `signal` ends it; both end the iteration quietly. Reconnecting is the reflector's
   * work.
   *
   * @throws {GoneError} where `resourceVersion` is too old. @throws {UnreachableError} where the connection breaks or
   *   nothing
   * came for `idleMsMax`. @throws {ApiError} for whatever else the server says, in its answer or as an ERROR event.
   */
  watch<T extends KubeObject = DynamicObject>(
    resource: ApiResource,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    return watch<T>(this.#requester, resource, options);
  }

  /**
   * Whether the caller may do this (SelfSubjectAccessReview), or another user (SubjectAccessReview).
   *
   * @throws {ForbiddenError} where the caller may not ask about other users.
   */
  can(request: AccessRequest, options: AccessOptions = {}): Promise<boolean> {
    return canDo(this.#requester, request, options);
  }

  /**
   * A request to a plain path (`/version`, discovery): JSON is parsed, anything else is given as text.
   *
   * @throws {UsageError} for anything but a read, where the client is for dry runs: what a path heeds is not known.
   */
  async raw(path: string, { method = "GET", body, ...options }: RawOptions = {}): Promise<unknown> {
    const repeatable = method === "GET" || method === "HEAD";
    if (this.dryRun && !repeatable) throw new UsageError(`${method} ${path} is not sent: this is a dry run`);
    const spec = { subject: { verb: method.toLowerCase(), path }, method, path, body, repeatable, ...options };
    const accept = options.accept ?? "application/json, */*;q=0.5";
    const answer = jsonOrText(await this.#requester.text({ ...spec, accept }));
    learnSecrets(this.mask, answer, { ofSecrets: false });
    return answer;
  }

  #isDryRun({ dryRun }: { dryRun?: boolean }): boolean {
    return this.dryRun || dryRun === true;
  }

  async #write<T extends KubeObject>(
    { verb, rbacVerb, method, resource, key, path }: WriteTarget,
    options: WriteOptions,
    request: WriteRequest,
  ): Promise<T> {
    const { subresource, signal } = options, isDryRun = this.#isDryRun(options);
    const query = { fieldManager: this.fieldManager, dryRun: isDryRun ? "All" : undefined, ...request.query };
    const subject = { verb: rbacVerb, resource, subresource, key };
    const result = await this.#requester.object<T>({ ...request, subject, method, path, query, signal });
    if (!isDryRun) {
      const { resourceVersion, labels } = result.metadata ?? {};
      this.#options.onWrite?.({ verb, resource, key: keyOf(result), subresource, resourceVersion, labels });
    }
    return result;
  }
}

/** What a write is aimed at. */
interface WriteTarget {
  readonly verb: WriteRecord["verb"];
  readonly rbacVerb: string;
  readonly method: string;
  readonly resource: ApiResource;
  readonly key: Partial<ObjectKey>;
  readonly path: string;
}

/** How a write is sent. */
type WriteRequest = Pick<RequestSpec, "body" | "repeatable" | "contentType" | "accept" | "query">;

/** The path of one object. An empty name would address the whole collection, where DELETE deletes everything. */
function pathOf(resource: ApiResource, key: Partial<ObjectKey>, subresource?: string): string {
  const { name, namespace } = key;
  invariant(name, `${resource.plural}: the object's name is missing`);
  invariant(!resource.namespaced || namespace, `${resource.plural} "${name}": the object's namespace is missing`);
  return objectPath(resource, { name, namespace }, subresource);
}

function withKind<T extends KubeObject>(object: T, resource: ApiResource): T {
  return { ...object, apiVersion: object.apiVersion ?? formatApiVersion(resource), kind: object.kind ?? resource.kind };
}

/** For a replace and an apply: a store that keeps a part of `managedFields` would strip the other managers. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  if (!object.metadata?.managedFields) return object;
  return { ...object, metadata: { ...object.metadata, managedFields: undefined } };
}

function jsonOrText(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}
