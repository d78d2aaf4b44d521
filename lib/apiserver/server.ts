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
import { WebhookTable } from "./admission/webhook.ts";
import { fetchWebhook, type ServiceFetch, WebhookCaller, type WebhookFetch } from "./admission/webhook_call.ts";
import { ApiError } from "./api_error.ts";
import type { ApiRequest } from "./api_request.ts";
import { errorResponse } from "./api_response.ts";
import { type AccessAttributes, accessDenied, Authorizer } from "./authorizer.ts";
import { BackgroundQueue } from "./background.ts";
import { bootstrap } from "./bootstrap.ts";
import { CrdLifecycle } from "./crd_lifecycle.ts";
import { GarbageCollector } from "./garbage_collector.ts";
import { impersonated } from "./impersonation.ts";
import { NamespaceDefaults } from "./namespace_defaults.ts";
import { NamespaceLifecycle } from "./namespace_lifecycle.ts";
import { handlePath } from "./path_handler.ts";
import { ObjectConverter } from "./object_converter.ts";
import { checkBodySize } from "./request_body.ts";
import { type RequestInfo, requestInfo } from "./request_info.ts";
import { handleResource, typeOf } from "./resource_handler.ts";
import { ResourceRegistry } from "./resource_registry.ts";
import type { ResourceType } from "./resource_type.ts";
import { builtinResourceTypes } from "./schema/definitions.ts";
import { type ServerContext } from "./server_context.ts";
import { DEFAULT_LIMITS, type ServerLimits } from "./server_limits.ts";
import { SpecialResources } from "./special_resources.ts";
import { Storage, type StorageSnapshot } from "./storage.ts";
import { TokenIssuer } from "./token_issuer.ts";
import { ADMIN, type UserInfo } from "./user_info.ts";

/** What {@linkcode EmbeddedApiServer} is made of. */
export interface EmbeddedApiServerOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly limits?: Partial<ServerLimits>;
  /** How webhooks with a URL are called: over the network where absent. */
  readonly webhookFetch?: WebhookFetch;
}

/**
 * A Kubernetes API in the process: discovery, CRUD, watches, server-side apply, CRDs, garbage collection, namespaces
 * and RBAC as kube-apiserver 1.37 and the controllers next to it behave, for demos, tests and exploration. Never for
 * production: everything is in memory, and nothing runs pods.
 *
 * Guarantees: requests are served in the order in which they arrive, each as one step; what follows from a write
 * (garbage collection, termination) happens after its response, in a fixed order, without timers. Requests for which a
 * webhook is called, of admission or of conversion, let others in while they wait. With a given clock and seed a run
 * repeats exactly. What is not implemented answers 404, 405 or 501.
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
  readonly #special: SpecialResources;
  readonly #collector: GarbageCollector;
  readonly #crds: CrdLifecycle;
  readonly #defaults: NamespaceDefaults;
  readonly #webhooks: WebhookTable;
  readonly #caller: WebhookCaller;
  /** Bearer tokens of service accounts; the HTTPS server checks them here. */
  readonly tokens: TokenIssuer;
  #closed = false;

  constructor(options: EmbeddedApiServerOptions = {}) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const logger = options.logger ?? silentLogger;
    const clock = options.clock ?? new SystemClock(), random = options.random ?? new SystemRandom();
    const storage = new Storage({ logLengthMax: limits.logLengthMax });
    const registry = new ResourceRegistry(servedBuiltinTypes);
    this.#webhooks = new WebhookTable(storage);
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
      admission: new AdmissionChain({ storage, registry, random, converter }, this.#webhooks, this.#caller),
      converter,
    };
    this.#context = context;
    bootstrap(context);
    this.#authorizer = new Authorizer(context.storage);
    this.tokens = new TokenIssuer(context.clock, context.storage);
    this.#special = new SpecialResources(context, this.#authorizer, this.tokens);
    this.#crds = new CrdLifecycle(context);
    this.#collector = new GarbageCollector(context);
    new NamespaceLifecycle(context);
    this.#defaults = new NamespaceDefaults(context);
  }

  /** The objects themselves; for tests and exploration. */
  get storage(): Storage {
    return this.#context.storage;
  }

  /** The bounds in force. */
  get limits(): ServerLimits {
    return this.#context.limits;
  }

  /** The way in for code of this process, as `user`. Its `close` leaves the server running. */
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

  /** Serves one request. Never rejects: whatever goes wrong is a `metav1.Status`. */
  async handle(request: ApiRequest): Promise<Response> {
    const warnings: string[] = [];
    try {
      const body = request.body ?? "";
      checkBodySize(body, this.limits.bodyBytesMax);
      const user = impersonated(this.#authorizer, request.user, request.headers);
      const info = requestInfo(request.method, request.path);
      const attributes = attributesOf(info);
      if (!this.#authorizer.decide(user, attributes).allowed) throw accessDenied(user, attributes);
      if (info.kind === "path") return handlePath(this.#context, info, request.headers.accept);
      const type = typeOf(this.#context, info);
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

  /** Publishes the certificate (PEM) by which clients know this server, as `kube-root-ca.crt` in every namespace. */
  publishAuthority(certificate: string): void {
    this.#defaults.publishAuthority(certificate);
  }

  /** Resolves when garbage collection and terminations have done what they can. */
  async settled(): Promise<void> {
    await this.#context.background.idle();
  }

  /** The present state. */
  snapshot(): StorageSnapshot {
    return this.#context.storage.snapshot();
  }

  /** Goes back to a state; every watch ends. Tokens stay good for accounts that are in it. */
  restore(snapshot: StorageSnapshot): void {
    this.#context.storage.restore(snapshot);
    this.#crds.rebuild();
    this.#collector.rebuild();
    this.#defaults.rebuild();
    this.#webhooks.rebuild();
  }

  /**
   * Answers the webhooks behind a Service with code of this process, until the function that it returns is called. No
   * Service needs to be there: nothing else could be behind it.
   */
  serveService(namespace: string, name: string, fetch: ServiceFetch): () => void {
    return this.#caller.register(namespace, name, fetch);
  }

  /** Ends every watch; later requests fail. */
  close(): void {
    this.#closed = true;
    this.#context.background.close();
    this.#context.storage.close();
  }
}

/**
 * Built-in types in one version each, but for Events: HorizontalPodAutoscalers would need a conversion between theirs.
 */
function servedBuiltinTypes(): readonly ResourceType[] {
  return builtinResourceTypes().filter(({ group, version }) => group !== "autoscaling" || version !== "v1");
}

function attributesOf(info: RequestInfo): AccessAttributes {
  if (info.kind === "path") return info;
  const { verb, group, plural, subresource, name } = info;
  // Requests for a namespace itself are judged inside it, as RequestInfo has it.
  const namespace = info.namespace ?? (plural === "namespaces" && group === "" ? name : undefined);
  return { kind: "resource", verb, group, plural, subresource, namespace, name };
}
