import type { Span, Tracer } from "@opentelemetry/api";
import { formatGroupResource, isSecretResource, learnSecrets } from "../apimachinery/mod.ts";
import {
  type Clock,
  formatJson,
  isObject,
  type JsonValue,
  LinkedAbort,
  type Logger,
  type Mask,
  parseJson,
  type Random,
  type Transport,
  UsageError,
} from "../base/mod.ts";
import { ApiError, describeTarget, NotFoundError, type RequestTarget } from "./api_error.ts";
import { errorOfResponse } from "./error_response.ts";
import { type RetryPolicy, withRetries } from "./retry.ts";
import { classifyFailure, notKubernetes, UnreachableError } from "./unreachable.ts";

/** One attempt of a request, for metrics and traces. */
export interface RequestRecord {
  /** RBAC's verb, as `update`; the HTTP method in lower case for plain paths. */
  readonly verb: string;
  /** `plural.group`, with `/subresource`; the path for plain paths. */
  readonly resource: string;
  /** Undefined for the whole cluster. */
  readonly namespace: string | undefined;
  /** Undefined for more than one object. */
  readonly name: string | undefined;
  /** HTTP status; 0 where no response came. */
  readonly code: number;
  /** Until the answer was read; for a watch, until it began. */
  readonly durationMs: number;
}

export interface RequestSpec {
  readonly subject: RequestTarget;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: unknown;
  readonly idempotent: boolean;
  /** A retried deletion succeeds if the object is gone: the attempt before deleted it. */
  readonly ignoreNotFound?: boolean;
  readonly signal?: AbortSignal;
}

export interface RequesterOptions {
  readonly userAgent: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly requestTimeoutMs: number;
  readonly retry: RetryPolicy;
  readonly onRequest?: (record: RequestRecord) => void;
  readonly tracer?: Tracer;
  readonly mask: Mask;
  /** Each ends every request. */
  readonly signals: readonly AbortSignal[];
}

const SPAN_KIND_CLIENT = 2, SPAN_STATUS_ERROR = 2; // enums of @opentelemetry/api, which is imported for its types only

/** Sends requests with time limits, retries and records. Knows nothing of objects. */
export class Requester {
  constructor(readonly transport: Transport, readonly options: RequesterOptions) {}

  /** Undefined for an empty answer. */
  async json<T>(spec: RequestSpec): Promise<T> {
    const text = await this.text(spec);
    if (text === "") return undefined as T;
    try {
      const answer = parseJson<T>(text);
      this.learn(spec.subject, answer);
      return answer;
    } catch {
      // Without the parser's error as `cause`: it quotes the answer, which may hold Secret data.
      const what = describeTarget(spec.subject);
      throw notKubernetes(this.transport.server, `cannot ${what}: the response is not JSON`);
    }
  }

  /** Teaches the mask the values of Secrets. */
  learn({ resource }: RequestTarget, body: unknown): void {
    if (isSecretResource(resource) || !resource) {
      learnSecrets(this.options.mask, body, { ofSecrets: Boolean(resource) });
    }
  }

  /** For an API object: without `metadata` another program answered. */
  async object<T extends object>(spec: RequestSpec): Promise<T> {
    const answer = await this.json<T & { metadata?: unknown }>(spec);
    if (isObject(answer) && isObject(answer.metadata)) return answer;
    throw notKubernetes(this.transport.server, `cannot ${describeTarget(spec.subject)}: unexpected JSON`);
  }

  async text(spec: RequestSpec): Promise<string> {
    const signals = new Set(this.options.signals);
    if (spec.signal) signals.add(spec.signal);
    if (signals.size <= 1) return await this.#text({ ...spec, signal: [...signals][0] });
    using any = new LinkedAbort([...signals]);
    return await this.#text({ ...spec, signal: any.signal });
  }

  #text(spec: RequestSpec): Promise<string> {
    this.learn(spec.subject, spec.body);
    const body = spec.body === undefined ? undefined : formatJson(spec.body);
    return this.#retrying(spec, () =>
      this.#record(spec, async (observe) => {
        using link = new LinkedAbort([spec.signal]);
        return await this.#timed(spec, link, async () => {
          const response = await this.#send(spec, body, link.signal, false);
          observe(response.status);
          return await response.text();
        });
      }));
  }

  /** Opens a stream. `link` ends it; the time limit covers only the beginning of the answer. */
  stream(spec: RequestSpec, link: LinkedAbort): Promise<Response> {
    return this.#record(spec, (observe) =>
      this.#timed(spec, link, async () => {
        const response = await this.#send(spec, undefined, link.signal, true);
        observe(response.status);
        return response;
      }));
  }

  #retrying(spec: RequestSpec, attempt: () => Promise<string>): Promise<string> {
    const { clock, random, logger, retry: policy } = this.options;
    const { idempotent, signal } = spec;
    return withRetries((retry) => {
      if (retry === 0) return attempt();
      logger.debug("request repeated", { request: describeTarget(spec.subject), retry });
      return attempt().catch((error) => {
        if (spec.ignoreNotFound && error instanceof NotFoundError) return "";
        throw error;
      });
    }, { idempotent, policy, clock, random, signal });
  }

  /** Every error becomes one that names the request. */
  async #timed<T>(spec: RequestSpec, link: LinkedAbort, work: () => Promise<T>): Promise<T> {
    const { clock, requestTimeoutMs } = this.options;
    const timer = clock.schedule(() => {
      link.abort(new UnreachableError("", "timeout", { during: describeTarget(spec.subject) }));
    }, requestTimeoutMs);
    try {
      return await work();
    } catch (error) {
      if (spec.signal?.aborted) throw spec.signal.reason;
      if (link.signal.aborted) throw link.signal.reason;
      // Missing credentials need a person; nothing was sent.
      if (error instanceof ApiError || error instanceof UsageError) throw error;
      const { server, kind, cause, proxy } = error instanceof UnreachableError
        ? error
        : { server: "", kind: classifyFailure(error), cause: error, proxy: undefined };
      throw new UnreachableError(server, kind, { cause, proxy, during: describeTarget(spec.subject) });
    } finally {
      clock.clear(timer);
    }
  }

  async #send(spec: RequestSpec, body: string | undefined, signal: AbortSignal, streaming: boolean): Promise<Response> {
    signal.throwIfAborted();
    const headers: Record<string, string> = {
      accept: spec.accept ?? "application/json",
      "user-agent": this.options.userAgent,
    };
    if (body !== undefined) headers["content-type"] = spec.contentType ?? "application/json";
    const path = spec.path + queryText(spec.query);
    const response = await this.transport.fetch(path, { method: spec.method, headers, body, signal, streaming });
    if (response.ok) return response;
    throw await errorOfResponse(response, spec.subject, spec.body as JsonValue | undefined);
  }

  async #record<T>(spec: RequestSpec, work: (observe: (code: number) => void) => Promise<T>): Promise<T> {
    const { clock, onRequest, tracer } = this.options;
    if (!onRequest && !tracer) return await work(() => {});
    const { verb, resource, subresource, key, path } = spec.subject;
    const named = resource ? formatGroupResource(resource) + (subresource ? `/${subresource}` : "") : path ?? spec.path;
    const recorded = async (span?: Span) => {
      const startMs = clock.elapsed();
      let code = 0;
      try {
        return await work((status) => code = status);
      } catch (error) {
        if (error instanceof ApiError) code = error.code;
        if (span) markFailed(span, error, this.options.mask);
        throw error;
      } finally {
        if (code > 0) span?.setAttribute("http.response.status_code", code);
        span?.end();
        const { namespace, name } = key ?? {};
        onRequest?.({ verb, resource: named, namespace, name, code, durationMs: clock.elapsed() - startMs });
      }
    };
    if (!tracer) return await recorded();
    const attributes = {
      "k8s.namespace.name": key?.namespace,
      "k8s.object.name": key?.name,
      "http.request.method": spec.method,
    };
    // Active, so that Deno's span of a fetch is inside.
    return await tracer.startActiveSpan(`${verb} ${named}`, { kind: SPAN_KIND_CLIENT, attributes }, recorded);
  }
}

function markFailed(span: Span, error: unknown, mask: Mask): void {
  const message = error instanceof Error ? error.message : String(error);
  span.setStatus({ code: SPAN_STATUS_ERROR, message: mask.text(message) });
}

function queryText(query: Readonly<Record<string, string | undefined>> = {}): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parts.push(`${name}=${encodeURIComponent(value)}`);
  }
  return parts.length > 0 ? `?${parts.join("&")}` : "";
}
