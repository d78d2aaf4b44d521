import {
  type Clock,
  deepFreeze,
  describeError,
  durationMs,
  jsonClone,
  type Logger,
  type Mask,
  Memo,
  PermanentError,
  type TransportRequest,
  truncate,
} from "../base/mod.ts";
import {
  type ApiResource,
  diff,
  formatKey,
  JSON_PATCH_OPERATIONS_MAX,
  jsonPatchBetween,
  type KubeObject,
  learnSecrets,
} from "../apimachinery/mod.ts";
import { matchesFilter, runWithTimeout } from "../handling/mod.ts";
import { AdmissionError } from "./admission_error.ts";
import type { AdmissionContext, AdmissionReader, MutationContext } from "./context.ts";
import type { AdmissionDeclaration } from "./declaration.ts";
import {
  type AdmissionRequest,
  type AdmissionVerdict,
  MalformedReviewError,
  parseReview,
  reviewResponse,
} from "./review.ts";

export interface AdmissionRecord {
  readonly webhook: string;
  /** A denial is 200, a failure is not. */
  readonly code: number;
  readonly denied: boolean;
  readonly durationMs: number;
}

export interface AdmissionHost {
  readonly clock: Clock;
  /** Its lines name the webhook and the object. */
  readonly logger: Logger;
  /** Learns the values of reviewed Secrets. */
  readonly mask?: Mask;
  /** A handler's reader, with its signal. */
  reader(signal: AbortSignal): AdmissionReader;
  readonly index: AdmissionContext<KubeObject, unknown>["index"];
  /** Of a stored object; undefined where it is not watched. */
  remembered?(kind: ApiResource, object: KubeObject): Pick<Memo, "of"> | undefined;
  readonly shared: Memo;
  /** Aborts when the operator stops. */
  readonly signal: AbortSignal;
  /** Handlers wait for it: from then on indexes are complete. */
  readonly ready?: Promise<void>;
  /** Called with every answered review. */
  readonly onReview?: (record: AdmissionRecord) => void;
}

export interface AdmissionBounds {
  /** An API server takes requests of 3 MiB, and a review holds the object twice. */
  readonly bodyBytesMax: number;
  /** More are refused, and the failure policy decides. */
  readonly inFlightMax: number;
}

const BOUNDS: AdmissionBounds = { bodyBytesMax: 8 * 1024 * 1024, inFlightMax: 500 };
/** Hidden from handlers. */
const CREDENTIALS = new Set(["authorization", "proxy-authorization", "cookie"]);
const WARNINGS_MAX = 16, WARNING_LENGTH_MAX = 256;
/** Share of a webhook's timeout for the response to travel. */
const RESPONSE_MARGIN_MS = 500;

export function webhookPath({ type, webhook }: Pick<AdmissionDeclaration, "type" | "webhook">): string {
  return `/${type}/${webhook}`;
}

/**
 * An operator's admission webhooks, fetch-shaped: for a socket's server and for an API server in this process.
 *
 * Guarantees: every request is answered, within the timeout in its URL. A denial is a response; a handler that fails,
 * times out or does not exist is an HTTP error, for the failure policy. Unexpected errors are only logged: the response
 * names only the handler.
 */
export class AdmissionWebhooks {
  readonly #declarations: ReadonlyMap<string, AdmissionDeclaration>;
  readonly #host: AdmissionHost;
  readonly #bounds: AdmissionBounds;
  #inFlight = 0;

  constructor(
    declarations: readonly AdmissionDeclaration[],
    host: AdmissionHost,
    bounds: Partial<AdmissionBounds> = {},
  ) {
    this.#declarations = new Map(declarations.map((each) => [webhookPath(each), each]));
    this.#host = host;
    this.#bounds = { ...BOUNDS, ...bounds };
  }

  extended(more: readonly AdmissionDeclaration[]): AdmissionWebhooks {
    return new AdmissionWebhooks([...this.#declarations.values(), ...more], this.#host, this.#bounds);
  }

  get bodyBytesMax(): number {
    return this.#bounds.bodyBytesMax;
  }

  /** Never rejects. */
  async fetch(path: string, { method = "GET", headers = {}, body = "" }: TransportRequest = {}): Promise<Response> {
    const { pathname, searchParams } = new URL(path, "https://webhook");
    const declaration = this.#declarations.get(pathname);
    if (!declaration) return plainText(404, "no webhook is served at this path");
    const { clock, onReview } = this.#host, startMs = clock.elapsed();
    const timeout = searchParams.get("timeout");
    const { response, denied } = await this.#respond(declaration, timeout, { method, headers, body });
    onReview?.({ webhook: pathname, code: response.status, denied, durationMs: clock.elapsed() - startMs });
    return response;
  }

  async #respond(
    declaration: AdmissionDeclaration,
    timeout: string | null,
    { method, headers, body }: Required<Pick<TransportRequest, "method" | "headers" | "body">>,
  ): Promise<{ readonly response: Response; readonly denied: boolean }> {
    const refusal = (code: number, message: string) => ({ response: plainText(code, message), denied: false });
    if (method !== "POST") return refusal(405, "a webhook accepts only POST");
    if (!/^application\/json\b/.test(headers["content-type"] ?? "")) {
      return refusal(415, "a review must be application/json");
    }
    if (body.length > this.#bounds.bodyBytesMax) {
      return refusal(413, `a review may have at most ${this.#bounds.bodyBytesMax} bytes`);
    }
    if (this.#inFlight >= this.#bounds.inFlightMax) return refusal(429, "too many reviews in flight");
    this.#inFlight++;
    try {
      const request = parseReview(body);
      const verdict = await this.#decide(declaration, request, headers, handlerMs(declaration, timeout));
      const init = { headers: { "content-type": "application/json" } };
      return { response: new Response(reviewResponse(request.uid, verdict), init), denied: !verdict.allowed };
    } catch (error) {
      if (error instanceof MalformedReviewError) return refusal(400, error.message);
      this.#host.logger.error("an admission handler failed", {
        webhook: declaration.webhook,
        error: describeError(error),
      });
      return refusal(
        500,
        `the ${declaration.type} handler "${declaration.id}" failed: the reason is in the operator's log`,
      );
    } finally {
      this.#inFlight--;
    }
  }

  async #decide(
    declaration: AdmissionDeclaration,
    request: AdmissionRequest,
    headers: Readonly<Record<string, string>>,
    timeoutMs: number,
  ): Promise<AdmissionVerdict> {
    const object = deepFreeze((request.object ?? request.oldObject)!) as KubeObject;
    if (!matchesFilter(declaration, object)) return { allowed: true };
    const { mask } = this.#host;
    if (mask) learnSecrets(mask, [request.object, request.oldObject], { ofSecrets: false });
    const warnings: string[] = [], draft = jsonClone(object);
    const { name, namespace, operation } = request, key = formatKey({ namespace: namespace || undefined, name });
    const log = this.#host.logger.with({ webhook: declaration.webhook, operation, object: key });
    try {
      await runWithTimeout(
        this.#host.clock,
        timeoutMs,
        this.#host.signal,
        async (signal) => {
          await this.#host.ready;
          await declaration.handler(
            this.#context(declaration, request, { headers, object, draft, warnings, log, signal }),
          );
        },
      );
    } catch (error) {
      const denied = denial(error);
      if (!denied) throw error;
      // Shown to the user, and it may quote a Secret that the handler has read.
      const status = { ...denied, message: mask?.text(denied.message) ?? denied.message };
      log.info("admission refused", { code: status.code, reason: status.message, user: request.user.username });
      return { allowed: false, status, warnings };
    }
    if (declaration.type === "validate") return { allowed: true, warnings };
    const patch = jsonPatchBetween(object, draft);
    if (patch.length > JSON_PATCH_OPERATIONS_MAX) {
      throw new Error(`${patch.length} changes of one object; the maximum is ${JSON_PATCH_OPERATIONS_MAX}`);
    }
    if (patch.length > 0) {
      log.debug("admission changed the object", { paths: patch.map(({ path }) => path).slice(0, 20) });
    }
    return { allowed: true, warnings, patch };
  }

  #context(
    { kind, param }: AdmissionDeclaration,
    request: AdmissionRequest,
    { headers, object, draft, warnings, log, signal }: {
      readonly headers: Readonly<Record<string, string>>;
      readonly object: KubeObject;
      readonly draft: KubeObject;
      readonly warnings: string[];
      readonly log: Logger;
      readonly signal: AbortSignal;
    },
  ): MutationContext<KubeObject, unknown> {
    const { operation, subresource, dryRun, user, name, namespace } = request;
    const old = deepFreeze(request.oldObject) as KubeObject | undefined;
    const { labels = {}, annotations = {} } = object.metadata ?? {}, host = this.#host;
    let memory: Pick<Memo, "of"> | undefined;
    return {
      operation,
      object,
      old,
      draft,
      name,
      namespace,
      labels,
      annotations,
      subresource,
      dryRun,
      user,
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIALS.has(name))),
      // Objects not created yet share no state: they may never exist, or their name may go to others.
      memo: (create) => (memory ??= (old && host.remembered?.(kind, old)) ?? new Memo()).of(create),
      shared: (create) => host.shared.of(create),
      param,
      log,
      signal,
      get spec() {
        return kind.parseSpec(object);
      },
      get oldSpec() {
        return old && parsedOrNothing(() => kind.parseSpec(old));
      },
      diff: operation === "UPDATE" ? diff(old, object) : [],
      warn: (message) => {
        if (warnings.length < WARNINGS_MAX) {
          warnings.push(truncate(host.mask?.text(message) ?? message, WARNING_LENGTH_MAX));
        }
      },
      client: host.reader(signal),
      index: host.index,
      clock: host.clock,
    };
  }
}

/** A little shorter than the API server waits. */
function handlerMs({ timeoutMs }: AdmissionDeclaration, requested: string | null): number {
  let waits = timeoutMs;
  try {
    if (requested !== null) waits = Math.min(waits, durationMs(requested));
  } catch {
    // An unreadable timeout leaves the declared one.
  }
  return Math.max(waits - RESPONSE_MARGIN_MS, waits / 2);
}

/** Undefined where the handler failed. */
function denial(error: unknown): AdmissionVerdict["status"] {
  if (error instanceof AdmissionError) return { code: error.code, message: error.message };
  if (error instanceof PermanentError) return { code: 422, message: error.message };
  return undefined;
}

function parsedOrNothing<V>(parse: () => V): V | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof PermanentError) return undefined;
    throw error;
  }
}

function plainText(code: number, message: string): Response {
  return new Response(`${message}\n`, { status: code, headers: { "content-type": "text/plain; charset=utf-8" } });
}
