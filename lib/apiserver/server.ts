import {
  type Clock,
  type Logger,
  type Random,
  silentLogger,
  SystemClock,
  SystemRandom,
  type Transport,
  type TransportRequest,
} from "../base/mod.ts";
import { AdmissionChain } from "./admission/admission_chain.ts";
import { PolicyTable } from "./admission/policy.ts";
import { WebhookTable } from "./admission/webhook.ts";
import { fetchWebhook, type ServiceFetch, WebhookCaller, type WebhookFetch } from "./admission/webhook_call.ts";
import { ApiError, methodNotAllowed } from "./api_error.ts";
import type { ApiRequest } from "./api_request.ts";
import { errorResponse, indented, wantsIndentation } from "./api_response.ts";
import { type AccessAttributes, accessDenied, Authorizer } from "./authorizer.ts";
import { BackgroundQueue } from "./background.ts";
import { bootstrap } from "./bootstrap.ts";
import { ClaimProtection } from "./claim_protection.ts";
import { deprecationWarnings } from "./validation/warnings.ts";
import { CrdLifecycle } from "./crd_lifecycle.ts";
import { GarbageCollector } from "./garbage_collector.ts";
import { impersonated } from "./impersonation.ts";
import { NamespaceDefaults } from "./namespace_defaults.ts";
import { NamespaceLifecycle } from "./namespace_lifecycle.ts";
import { isServedGroup, notFoundText, PathHandler } from "./path_handler.ts";
import { ObjectConverter } from "./object_converter.ts";
import { checkBodySize } from "./request_body.ts";
import { type RequestInfo, requestInfo } from "./request_info.ts";
import { handleResource, typeOf } from "./resource_handler.ts";
import { ResourceRegistry, storageResource } from "./resource_registry.ts";
import { builtinResourceTypes } from "./schema/definitions.ts";
import { type ServerContext } from "./server_context.ts";
import { DEFAULT_LIMITS, type ServerLimits } from "./server_limits.ts";
import { RoleAggregation } from "./role_aggregation.ts";
import { SpecialResources } from "./special_resources.ts";
import { Storage, type StorageSnapshot } from "./storage.ts";
import { TokenIssuer } from "./token_issuer.ts";
import { ADMIN, type UserInfo } from "./user_info.ts";

export interface EmbeddedApiServerOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly limits?: Partial<ServerLimits>;
  /** Begins with this content: {@linkcode EmbeddedApiServer.restore}. With that of a new cluster where absent. */
  readonly snapshot?: StorageSnapshot;
  /** Calls webhooks by URL; over the network where absent. */
  readonly webhookFetch?: WebhookFetch;
}

/**
 * An in-process Kubernetes API for demos, tests and exploration: discovery, CRUD, watches, server-side apply, CRDs,
 * garbage collection, namespaces and RBAC as in kube-apiserver 1.37. Never for production: all in memory, no pods run.
 *
 * Guarantees: each request is served in one step, in order of arrival. Only those that wait for a webhook let others
 * pass. Garbage collection and terminations follow a response in a fixed order, without timers. With a given clock and
 * seed a run repeats exactly. What is not implemented answers 404, 405 or 501.
 *
 * @example
 * ```ts
 * import { EmbeddedApiServer } from "./server.ts";
 * const server = new EmbeddedApiServer();
 * const answer = await server.transport().fetch("/api/v1/namespaces/default");
 * if ((await answer.json()).metadata.name !== "default") throw new Error("a cluster begins with a namespace");
 * server.close();
 * ```
 */
export class EmbeddedApiServer {
  readonly #context: ServerContext;
  readonly #authorizer: Authorizer;
  readonly #paths: PathHandler;
  readonly #special: SpecialResources;
  readonly #collector: GarbageCollector;
  readonly #crds: CrdLifecycle;
  readonly #defaults: NamespaceDefaults;
  readonly #webhooks: WebhookTable;
  readonly #policies: PolicyTable;
  readonly #caller: WebhookCaller;
  readonly tokens: TokenIssuer;
  #closed = false;

  constructor(options: EmbeddedApiServerOptions = {}) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const logger = options.logger ?? silentLogger;
    const clock = options.clock ?? new SystemClock(), random = options.random ?? new SystemRandom();
    const storage = new Storage({ logLengthMax: limits.logLengthMax });
    const registry = new ResourceRegistry(builtinResourceTypes), authorizer = new Authorizer(storage);
    this.#webhooks = new WebhookTable(storage);
    this.#policies = new PolicyTable(storage);
    this.#caller = new WebhookCaller(clock, options.webhookFetch ?? fetchWebhook, limits.webhookAnswerBytesMax);
    const converter = new ObjectConverter(this.#caller, random, limits);
    const context: ServerContext = {
      clock,
      random,
      logger,
      limits,
      storage,
      registry,
      background: new BackgroundQueue(logger),
      admission: new AdmissionChain(
        { authorizer, storage, registry, random, converter },
        this.#webhooks,
        this.#caller,
        this.#policies,
      ),
      converter,
    };
    this.#context = context;
    if (!options.snapshot) bootstrap(context);
    this.#authorizer = authorizer;
    this.tokens = new TokenIssuer(context.clock, context.storage);
    this.#paths = new PathHandler(context, this.tokens);
    this.#special = new SpecialResources(context, this.#authorizer, this.tokens);
    this.#crds = new CrdLifecycle(context);
    this.#collector = new GarbageCollector(context);
    new ClaimProtection(context);
    new NamespaceLifecycle(context);
    new RoleAggregation(context);
    this.#defaults = new NamespaceDefaults(context);
    if (options.snapshot) this.restore(options.snapshot);
  }

  /** For tests and exploration. */
  get storage(): Storage {
    return this.#context.storage;
  }

  get limits(): ServerLimits {
    return this.#context.limits;
  }

  /** Closing the transport leaves the server running. */
  transport(user: UserInfo = ADMIN): Transport {
    let open = true;
    const fetch = async (path: string, request: TransportRequest = {}) => {
      request.signal?.throwIfAborted();
      if (!open || this.#closed) throw new TypeError("the embedded API server is closed");
      const { method = "GET", headers = {}, body, signal } = request;
      return await this.handle({ method, path, headers, body, signal, user });
    };
    return { fetch, close: () => void (open = false) };
  }

  /** Never rejects: every error is a `metav1.Status`. */
  async handle(request: ApiRequest): Promise<Response> {
    const response = await this.#answer(request);
    return request.method === "HEAD"
      ? new Response(null, response)
      : wantsIndentation(request)
      ? await indented(response)
      : response;
  }

  async #answer(request: ApiRequest): Promise<Response> {
    const warnings: string[] = [];
    try {
      const body = request.body ?? "";
      checkBodySize(body, this.limits.bodyBytesMax);
      const user = impersonated(this.#authorizer, request.user, request.headers);
      const info = requestInfo(request.method, request.path);
      const attributes = attributesOf(info);
      if (!this.#authorizer.decide(user, attributes).allowed) throw accessDenied(user, attributes);
      if (info.kind === "path") return await this.#paths.handle(info, request.headers.accept);
      if (!isServedGroup(this.#context.registry, info)) return notFoundText();
      const type = typeOf(this.#context, info);
      // kube-apiserver routes GET alone.
      if (request.method === "HEAD") throw methodNotAllowed();
      if (type.builtin) warnings.push(...deprecationWarnings(storageResource(type)));
      const { headers, signal } = request;
      const resourceRequest = { info, type, headers, body, signal, user, warnings };
      return await (this.#special.handle(resourceRequest) ?? handleResource(this.#context, resourceRequest));
    } catch (error) {
      if (!(error instanceof ApiError)) {
        const fields = { method: request.method, path: request.path.split("?")[0], error: String(error) };
        this.#context.logger.error("the embedded API server failed on a request", fields);
      }
      return errorResponse(
        error instanceof URIError ? new ApiError(400, "BadRequest", error.message) : error,
        warnings,
      );
    }
  }

  publishAuthority(certificate: string): void {
    this.#defaults.publishAuthority(certificate);
  }

  /** Resolves after garbage collection and terminations. */
  async settled(): Promise<void> {
    await this.#context.background.idle();
  }

  snapshot(): StorageSnapshot {
    return this.#context.storage.snapshot();
  }

  /** Ends every watch. Tokens of restored accounts stay valid. */
  restore(snapshot: StorageSnapshot): void {
    this.#context.storage.restore(snapshot);
    this.#crds.rebuild();
    this.#collector.rebuild();
    this.#defaults.rebuild();
    this.#webhooks.rebuild();
    this.#policies.rebuild();
  }

  /**
   * Serves a Service's webhooks until the returned function is called. The Service need not exist: no pods run here.
   */
  serveService(namespace: string, name: string, fetch: ServiceFetch): () => void {
    return this.#caller.register(namespace, name, fetch);
  }

  close(): void {
    this.#closed = true;
    this.#context.background.close();
    this.#context.storage.close();
  }
}

/** A collection that a field selector narrows to one name is authorized as that object. */
function selectedName({ verb, query }: Exclude<RequestInfo, { kind: "path" }>): string | undefined {
  if (verb !== "list" && verb !== "watch" && verb !== "deletecollection") return undefined;
  return /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(query.get("fieldSelector") ?? "")?.[1];
}

function attributesOf(info: RequestInfo): AccessAttributes {
  if (info.kind === "path") return info;
  const { verb, group, plural, subresource } = info;
  const name = info.name ?? selectedName(info);
  // A namespace is authorized inside itself, as in RequestInfo.
  const namespace = info.namespace ?? (plural === "namespaces" && group === "" ? name : undefined);
  return { kind: "resource", verb, group, plural, subresource, namespace, name };
}
