import { Buffer } from "node:buffer";
import {
  type Clock,
  describeError,
  formatDuration,
  formatJson,
  isObject,
  type JsonValue,
  LinkedAbort,
  parseJson,
} from "../../base/mod.ts";
import type { ApiStatus } from "../../apimachinery/mod.ts";
import { ApiError } from "../api_error.ts";
import type { WebhookClientConfig } from "../webhook_client.ts";

interface WebhookPost {
  readonly url: string;
  /** PEM; the system's CAs where absent. */
  readonly authorities?: string;
  readonly body: string;
  readonly signal: AbortSignal;
}

export type WebhookFetch = (post: WebhookPost) => Promise<Response>;

/** Calls a Service of this process. */
export type ServiceFetch = (
  path: string,
  request: { method: string; headers: Record<string, string>; body: string; signal: AbortSignal },
) => Promise<Response>;

/** Calls webhooks by URL, or by Service in this process. */
export class WebhookCaller {
  readonly #clock: Clock;
  readonly #fetch: WebhookFetch;
  readonly #answerBytesMax: number;
  readonly #services = new Map<string, ServiceFetch>();

  constructor(clock: Clock, fetch: WebhookFetch, answerBytesMax: number) {
    this.#clock = clock;
    this.#fetch = fetch;
    this.#answerBytesMax = answerBytesMax;
  }

  /** Registers until the returned function is called; the latest wins. */
  register(namespace: string, name: string, fetch: ServiceFetch): () => void {
    const key = `${namespace}/${name}`;
    this.#services.set(key, fetch);
    return () => void (this.#services.get(key) === fetch && this.#services.delete(key));
  }

  /** @throws {Error} as kube-apiserver words it, where no JSON arrives in time. */
  async post(config: WebhookClientConfig, document: unknown, timeoutSeconds: number): Promise<Record<string, unknown>> {
    const { url, deliver } = this.#endpoint(config, formatJson(document), timeoutSeconds);
    using linked = new LinkedAbort([]);
    const timer = this.#clock.schedule(
      () => linked.abort(new Error("context deadline exceeded")),
      timeoutSeconds * 1_000,
    );
    const cut = new Promise<never>((_, reject) => {
      linked.signal.addEventListener("abort", () => reject(linked.signal.reason), { once: true });
    });
    try {
      const answering = deliver(linked.signal).then((response) => this.#read(response));
      answering.catch(() => {}); // after the timeout the response is not read
      return await Promise.race([answering, cut]);
    } catch (error) {
      if (error instanceof WebhookAnswerError) throw error;
      throw new Error(`Post "${url}": ${describeError(error)}`, { cause: error });
    } finally {
      this.#clock.clear(timer);
    }
  }

  #endpoint(config: WebhookClientConfig, body: string, timeoutSeconds: number) {
    const query = `timeout=${formatDuration(timeoutSeconds * 1_000)}`, { service } = config;
    if (!service) {
      const url = `${config.url}?${query}`;
      const authorities = config.caBundle && Buffer.from(config.caBundle, "base64").toString();
      return { url, deliver: (signal: AbortSignal) => this.#fetch({ url, authorities, body, signal }) };
    }
    const { namespace, name, port = 443 } = service, path = `${service.path ?? "/"}?${query}`;
    const fetch = this.#services.get(`${namespace}/${name}`);
    const headers = { "content-type": "application/json" };
    return {
      url: `https://${name}.${namespace}.svc:${port}${path}`,
      deliver: async (signal: AbortSignal) => {
        // No pods run here, so only code of this process can serve.
        if (!fetch) throw new Error(`no endpoints available for service "${name}"`);
        return await fetch(path, { method: "POST", headers, body, signal });
      },
    };
  }

  async #read(response: Response): Promise<Record<string, unknown>> {
    const text = await boundedText(response, this.#answerBytesMax);
    if (response.status !== 200) throw new WebhookAnswerError(refusalText(response.status, text.trim()));
    let answer: JsonValue;
    try {
      answer = parseJson(text);
    } catch {
      throw new WebhookAnswerError("couldn't get version/kind; json parse error");
    }
    if (!isObject(answer)) throw new WebhookAnswerError("couldn't get version/kind; json parse error");
    return answer;
  }
}

/** Its message needs no URL. */
class WebhookAnswerError extends Error {
  override readonly name = "WebhookAnswerError";
}

function refusalText(status: number, text: string): string {
  if (status === 404) return "the server could not find the requested resource";
  if (status >= 500) {
    return `an error on the server (${formatJson(text)}) has prevented the request from succeeding`;
  }
  return "the server rejected our request for an unknown reason";
}

async function boundedText(response: Response, bytesMax: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "", bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw new WebhookAnswerError(`the answer is longer than ${bytesMax} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** One connection per call: webhooks differ in their CAs. */
export async function fetchWebhook({ url, authorities, body, signal }: WebhookPost): Promise<Response> {
  const client = Deno.createHttpClient({ caCerts: authorities ? [authorities] : [] });
  try {
    const headers = { "content-type": "application/json", accept: "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body, signal, client, redirect: "manual" });
    // Read before the client closes.
    return new Response(await answer.text(), { status: answer.status });
  } finally {
    client.close();
  }
}

export function deniedBy(webhook: string, given: unknown): ApiError {
  const status = (isObject(given) ? given : {}) as Partial<ApiStatus>;
  const denied = `admission webhook "${webhook}" denied the request`;
  const message = status.message
    ? `${denied}: ${status.message}`
    : status.reason
    ? `${denied}: ${status.reason}`
    : `${denied} without explanation`;
  const code = typeof status.code === "number" && status.code >= 400 ? status.code : 400;
  return new ApiError(code, status.reason ?? "", message, status.details);
}
