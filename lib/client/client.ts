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
import { METADATA_ONLY, setTypeMeta, watch, type WatchEvent, type WatchOptions } from "./watch.ts";

/** Options of a {@linkcode Client}. */
export interface ClientOptions {
  /** The field manager of its writes. */
  fieldManager: string;
  /** For the server's audit log; made of the field manager where absent. */
  userAgent?: string;
  /** The machine's clock where absent. */
  clock?: Clock;
  /** The machine's randomness where absent. */
  random?: Random;
  /** Drops everything where absent. */
  logger?: Logger;
  /** Learns the values of Secrets read or sent; an own one where absent. */
  mask?: Mask;
  /** Every write is a dry run: checked, not stored. */
  dryRun?: boolean;
  /** Ends every request, and the pauses between attempts. */
  signal?: AbortSignal;
  /** Called after each write that the server confirmed and stored. */
  onWrite?: (record: WriteRecord) => void;
  /** For one attempt with its body; for a watch until the answer begins. */
  requestTimeoutMs?: number;
  /** Attempts after the first. */
  retriesMax?: number;
  /** Called after every attempt. */
  onRequest?: (record: RequestRecord) => void;
  /** OpenTelemetry's `Tracer`, for a span per request; none where absent. */
  tracer?: ReturnType<(typeof otel)["trace"]["getTracer"]>;
}

/** One confirmed write of a {@linkcode Client}. */
export interface WriteRecord {
  /** The client's method. */
  readonly verb: "create" | "replace" | "apply" | "patch" | "delete";
  /** The object's resource. */
  readonly resource: ApiResource;
  /** The written object. */
  readonly key: ObjectKey;
  /** As `status`; absent for the object itself. */
  readonly subresource?: string;
  /** The result's version; absent for deletions. */
  readonly resourceVersion?: string;
  /** The result's labels: they decide which watches see it. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Options of reads of one object. */
export interface GetOptions {
  /** Requests `metadata` alone. */
  metadataOnly?: boolean;
  /** As `status` or `scale`; the object itself where absent. */
  subresource?: string;
  /** Ends request and pauses. */
  signal?: AbortSignal;
}

/** Options of every write. */
export interface WriteOptions {
  /** As `status` or `scale`; the object itself where absent. */
  subresource?: string;
  /** Checked, not stored. */
  dryRun?: boolean;
  /** Ends the request, which may still be carried out. */
  signal?: AbortSignal;
}

/** Options of {@linkcode Client.patch}. */
export interface PatchOptions extends WriteOptions {
  /** In the form of `type`. */
  body: JsonValue;
  /** RFC 6902, RFC 7386, or Kubernetes' own merge, which custom resources do not take. */
  type: "json" | "merge" | "strategic";
  /** Requests `metadata` alone. */
  metadataOnly?: boolean;
}

/** Options of {@linkcode Client.delete}. */
export interface DeleteOptions {
  /** Delete only this object, not a later one of its name. */
  uid?: string;
  /** Delete only this version. */
  resourceVersion?: string;
  /** Children go after the object, before it, or stay; the resource's default where absent. */
  propagationPolicy?: "Background" | "Foreground" | "Orphan";
  /** Seconds for a pod to end; 0: at once. Its own where absent. */
  gracePeriodSeconds?: number;
  /** Checked, not deleted. */
  dryRun?: boolean;
  /** Ends the request, which may still be carried out. */
  signal?: AbortSignal;
}

/** Options of {@linkcode Client.raw}. */
export interface RawOptions {
  /** GET where absent. */
  method?: string;
  /** Sent as JSON. */
  body?: JsonValue;
  /** Accepted media types. */
  accept?: string;
  /** The body's media type. */
  contentType?: string;
  /** Ends request and pauses. */
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
 * Guarantees: every write names the field manager. Every body is read or cancelled. Retries are bounded; a request that
 * may have been carried out is repeated only where that does no harm (`retryDelayMs`). Errors are {@linkcode
 * ApiError}s, {@linkcode UnreachableError}s, {@linkcode MalformedAnswerError}s or the signal's reason, and hold no
 * Secret data.
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
  /** The field manager of its writes. */
  readonly fieldManager: string;
  /** Its creator closes it. */
  readonly transport: Transport;
  /** Knows the values of Secrets read or sent. */
  readonly mask: Mask;
  /** Whether every write is a dry run. */
  readonly dryRun: boolean;
  readonly #options: ClientOptions;
  readonly #signals: readonly AbortSignal[];
  readonly #requester: Requester;

  /** Makes no request. */
  constructor(from: Transport, options: ClientOptions);
  /** Shares the transport of `from`; absent options are those of `from`, whose signals still end every request. */
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
    this.#signals = [...from instanceof Client ? from.#signals : [], ...given.signal ? [given.signal] : []];
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
      signals: this.#signals,
    });
  }

  /**
   * This client with other options, and the same transport, mask and field manager. They add to its own: a request ends
   * when either signal aborts, `onWrite` is called after its own, and a client for dry runs stays one.
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
    const { onWrite: own } = this.#options, { onWrite: added } = options;
    const onWrite = own && added ? (write: WriteRecord) => (own(write), added(write)) : added ?? own;
    return new Client(this, { ...options, onWrite, dryRun: this.dryRun || options.dryRun });
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
      idempotent: true,
      signal,
    });
    return metadataOnly ? setTypeMeta(object, resource) : object;
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

  /** Reads all pages of a list; where it expires in the middle, it is read again without pages. */
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
        body: withTypeMeta(object, resource),
        idempotent: this.#isDryRun(options),
        accept: metadataOnly ? METADATA_ONLY : undefined,
      },
    );
    return metadataOnly ? created.then((object) => setTypeMeta(object, resource)) : created;
  }

  /**
   * Replaces an object; with a `metadata.resourceVersion` only that version. `managedFields` are not sent, so they
   * stay.
   *
   * @throws {ConflictError}
   */
  replace<T extends KubeObject>(resource: ApiResource, object: T, options: WriteOptions = {}): Promise<T> {
    const key = keyOf(object), path = pathOf(resource, key, options.subresource);
    const body = withoutManagedFields(withTypeMeta(object, resource));
    const target = { verb: "replace", rbacVerb: "update", method: "PUT", resource, key, path } as const;
    return this.#write(target, options, { body, idempotent: true });
  }

  /**
   * Server-side apply: sets the fields of `object`, and removes those that only this field manager's earlier apply
   * held. Creates an absent object (which needs the RBAC verb create too).
   *
   * @throws {ConflictError} without `force`, where another manager owns a field.
   */
  apply<T extends KubeObject>(
    resource: ApiResource,
    object: T,
    options: WriteOptions & { force?: boolean } = {},
  ): Promise<T> {
    const key = keyOf(object), path = pathOf(resource, key, options.subresource);
    // The server refuses an apply with managedFields, which reads return.
    const body = withoutManagedFields(withTypeMeta(object, resource));
    const target = { verb: "apply", rbacVerb: "patch", method: "PATCH", resource, key, path } as const;
    return this.#write(target, options, {
      body,
      idempotent: true,
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
      idempotent: type !== "json" || this.#isDryRun(options),
      contentType: PATCH_TYPES[type],
      accept: metadataOnly ? METADATA_ONLY : undefined,
    });
    return metadataOnly ? setTypeMeta(object, resource) : object;
  }

  /**
   * Deletes an object, or asks for it where finalizers hold it.
   *
   * @throws {NotFoundError} where there is none. @throws {ConflictError} where `uid` or `resourceVersion` differs.
   */
  async delete(resource: ApiResource, key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, propagationPolicy, gracePeriodSeconds, signal } = options;
    const preconditions = uid || resourceVersion ? { uid, resourceVersion } : undefined;
    // With options in the body a server ignores the query's: a dry run would delete.
    const dryRun = this.#isDryRun(options) ? ["All"] : undefined, kind = "DeleteOptions";
    await this.#requester.text({
      subject: { verb: "delete", resource, key },
      method: "DELETE",
      path: pathOf(resource, key),
      body: { apiVersion: "v1", kind, dryRun, preconditions, propagationPolicy, gracePeriodSeconds },
      idempotent: true,
      ignoreNotFound: true,
      signal,
    });
    if (!dryRun) this.#options.onWrite?.({ verb: "delete", resource, key });
  }

  /**
   * One watch, until the server or `signal` ends it, without an error. It does not reconnect: the reflector does.
   *
   * @throws {GoneError} where `resourceVersion` is too old. @throws {UnreachableError} where the connection breaks or
   *   is silent for `idleMsMax`. @throws {ApiError} for the server's other errors, in its answer or as an ERROR event.
   */
  watch<T extends KubeObject = DynamicObject>(
    resource: ApiResource,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    return watch<T>(this.#requester, resource, options);
  }

  /**
   * Whether the caller (SelfSubjectAccessReview) or another user (SubjectAccessReview) may do this.
   *
   * @throws {ForbiddenError} where the caller may not ask about other users.
   */
  can(request: AccessRequest, options: AccessOptions = {}): Promise<boolean> {
    return canDo(this.#requester, request, options);
  }

  /**
   * Requests a plain path (`/version`, discovery); JSON is parsed, anything else is text.
   *
   * @throws {UsageError} for any write of a dry-run client: it is unknown what a path respects.
   */
  async raw(path: string, { method = "GET", body, ...options }: RawOptions = {}): Promise<unknown> {
    const idempotent = method === "GET" || method === "HEAD";
    if (this.dryRun && !idempotent) throw new UsageError(`${method} ${path} is not sent: this is a dry run`);
    const spec = { subject: { verb: method.toLowerCase(), path }, method, path, body, idempotent, ...options };
    const accept = options.accept ?? "application/json, */*;q=0.5";
    const response = jsonOrText(await this.#requester.text({ ...spec, accept }));
    learnSecrets(this.mask, response, { ofSecrets: false });
    return response;
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

interface WriteTarget {
  readonly verb: WriteRecord["verb"];
  readonly rbacVerb: string;
  readonly method: string;
  readonly resource: ApiResource;
  readonly key: Partial<ObjectKey>;
  readonly path: string;
}

type WriteRequest = Pick<RequestSpec, "body" | "idempotent" | "contentType" | "accept" | "query">;

/** An empty name would address the collection, where DELETE deletes everything. */
function pathOf(resource: ApiResource, key: Partial<ObjectKey>, subresource?: string): string {
  const { name, namespace } = key;
  invariant(name, `${resource.plural}: the object's name is missing`);
  invariant(!resource.namespaced || namespace, `${resource.plural} "${name}": the object's namespace is missing`);
  return objectPath(resource, { name, namespace }, subresource);
}

function withTypeMeta<T extends KubeObject>(object: T, resource: ApiResource): T {
  return { ...object, apiVersion: object.apiVersion ?? formatApiVersion(resource), kind: object.kind ?? resource.kind };
}

/** For replace and apply: a store that keeps only a part of `managedFields` would strip other managers. */
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
