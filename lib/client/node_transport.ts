import type { Agent, AgentOptions } from "node:https";
import type { IncomingMessage } from "node:http";
import { type Transport, type TransportRequest, UsageError } from "../base/mod.ts";
import { AuthenticatedSender, type HeaderFields, type TlsSettings } from "./credentials.ts";
import type { SocketTransportOptions } from "./fetch_transport.ts";
import { classifyFailure, UnreachableError } from "./unreachable.ts";

const NO_BODY = new Set([204, 205, 304]);

/**
 * A transport over node:https, for what fetch cannot do: skip verification, check another server name, or use a proxy
 * against fetch's reading of `NO_PROXY`. Each stream has its own connection. Same contract as
 * {@linkcode FetchTransport}; does not read the environment.
 */
export class NodeTransport implements Transport {
  readonly #options: SocketTransportOptions;
  readonly #base: URL;
  readonly #prefix: string;
  readonly #sender: AuthenticatedSender;
  readonly #inFlight = new Set<() => void>();
  #agent: { readonly tls: TlsSettings; readonly requests: Agent; readonly streams: Agent } | undefined;
  #closed = false;

  /** @throws {UsageError} where the proxy is not an HTTP proxy. */
  constructor(options: SocketTransportOptions) {
    if (options.proxy && !options.proxy.url.startsWith("http:")) {
      throw new UsageError(
        `the proxy ${options.proxy.title} cannot be combined with insecure-skip-tls-verify, tls-server-name or a NO_PROXY that names the server`,
        "remove these settings, or use an http:// proxy",
      );
    }
    this.#options = options;
    this.#sender = new AuthenticatedSender(options.credentials);
    this.#base = new URL(options.server);
    this.#prefix = this.#base.pathname.replace(/\/+$/, "");
  }

  get server(): string {
    return this.#options.server;
  }

  get refused(): string | undefined {
    return this.#sender.refused;
  }

  async fetch(path: string, request: TransportRequest = {}): Promise<Response> {
    return await this.#sender.send(request, async (headers) => {
      try {
        return await this.#send(path, request, headers);
      } catch (cause) {
        if (request.signal?.aborted) throw request.signal.reason;
        throw cause instanceof UsageError ? cause : this.#unreachable(cause);
      }
    });
  }

  close(): void {
    this.#closed = true;
    for (const end of [...this.#inFlight]) end();
    this.#closeAgents();
  }

  #unreachable(cause: unknown): UnreachableError {
    return new UnreachableError(this.#base.origin, classifyFailure(cause), {
      cause,
      proxy: this.#options.proxy?.title,
    });
  }

  async #send(path: string, request: TransportRequest, fields: HeaderFields): Promise<Response> {
    const { signal, body, streaming, method = "GET" } = request;
    const https = await import("node:https"), { proxy } = this.#options; // megabytes that other transports do not need
    const tunnel = proxy && await import("./tunnel.ts");
    if (this.#closed) throw new Error("the transport is closed");
    if (this.#agent?.tls !== this.#options.credentials.tls) await this.#checkKeyMatchesCertificate();
    const agents = this.#current((settings) =>
      tunnel ? new tunnel.TunnelAgent(proxy, settings) : new https.Agent(settings)
    );
    const headers: Record<string, string | string[]> = {};
    for (const [name, value] of Object.entries(fields)) headers[name] = typeof value === "string" ? value : [...value];
    if (body !== undefined) headers["content-length"] = String(new TextEncoder().encode(body).byteLength);
    return await new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sent = https.request({
        protocol: this.#base.protocol,
        hostname: this.#base.hostname.replace(/^\[|\]$/g, ""),
        port: this.#base.port || 443,
        path: this.#prefix + path,
        method,
        headers,
        agent: streaming ? agents.streams : agents.requests,
      });
      const end = () => void sent.destroy(new Error("the request was aborted"));
      const forget = () => {
        this.#inFlight.delete(end);
        signal?.removeEventListener("abort", end);
      };
      this.#inFlight.add(end);
      signal?.addEventListener("abort", end, { once: true });
      sent.on("error", (error) => {
        forget();
        reject(error);
      });
      sent.on("response", (answer: IncomingMessage) => resolve(responseOf(answer, end, forget)));
      sent.end(body);
    });
  }

  /** Deno's node:tls leaks each socket if the key is another certificate's. */
  async #checkKeyMatchesCertificate(): Promise<void> {
    const { cert, key } = this.#options.credentials.tls;
    if (!cert || !key) return;
    const { createPrivateKey, X509Certificate } = await import("node:crypto");
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return;
    throw new UsageError(
      `the TLS settings for ${this.#base.origin} cannot be used`,
      "check the client certificate with its key",
    );
  }

  #current(create: (settings: AgentOptions) => Agent) {
    const { credentials, idleConnectionsMax = 32 } = this.#options;
    const { tls } = credentials;
    if (this.#agent?.tls !== tls) {
      this.#closeAgents();
      const settings = {
        ca: tls.caCerts ? [...tls.caCerts] : undefined,
        cert: tls.cert,
        key: tls.key,
        rejectUnauthorized: !tls.insecureSkipVerify,
        servername: tls.serverName,
      };
      this.#agent = {
        tls,
        requests: create({ ...settings, keepAlive: true, maxFreeSockets: idleConnectionsMax }),
        streams: create(settings),
      };
    }
    return this.#agent!;
  }

  #closeAgents(): void {
    this.#agent?.requests.destroy();
    this.#agent?.streams.destroy();
    this.#agent = undefined;
  }
}

/** Node's own stream conversion misses aborts and lost connections in Deno. */
function responseOf(answer: IncomingMessage, abort: () => void, forget: () => void): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers)) {
    for (const line of Array.isArray(value) ? value : [value]) if (line !== undefined) headers.append(name, line);
  }
  const init = { status: answer.statusCode, statusText: answer.statusMessage, headers };
  if (NO_BODY.has(init.status ?? 0)) {
    answer.resume();
    forget();
    return new Response(null, init);
  }
  let ended = false;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      const end = (finish: () => void) => {
        if (ended) return;
        ended = true;
        forget();
        finish();
      };
      answer.on("data", (chunk: Uint8Array<ArrayBuffer>) => {
        if (ended) return;
        controller.enqueue(new Uint8Array(chunk));
        if ((controller.desiredSize ?? 0) <= 0) answer.pause();
      });
      answer.on("end", () => end(() => controller.close()));
      answer.on("error", (error) => end(() => controller.error(error)));
      // A connection lost during the body closes without an end.
      answer.on("close", () => end(() => controller.error(new Error("connection closed before message completed"))));
    },
    pull() {
      answer.resume();
    },
    cancel() {
      ended = true;
      forget();
      abort();
    },
  });
  return new Response(body, init);
}
