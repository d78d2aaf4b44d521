import type { Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import { once } from "node:events";
import { boundedBody } from "../base/bounded_body.ts";
import { BoundedServer } from "../base/bounded_server.ts";
import type { Identity } from "../base/certificates.ts";
import { type Clock, describeError, listenHint, type Logger, type TransportRequest, UsageError } from "../base/mod.ts";

export interface ServedWebhooks {
  /** Longest body for a path. */
  bodyBytesMax(path: string): number;
  /** Never rejects. */
  fetch(path: string, request: TransportRequest): Promise<Response>;
}

export interface WebhookServerOptions {
  readonly webhooks: ServedWebhooks;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Until {@linkcode WebhookServer.setCertificate}. */
  readonly identity: Identity;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A caller without a full review by then is cut off. Thirty seconds where absent: no API server waits longer. */
  readonly requestTimeoutMs?: number;
  /** See {@linkcode BoundedServer}. A thousand where absent. */
  readonly connectionsMax?: number;
  /** Of all reviews in flight; 128 MiB where absent. A review beyond it cuts those read for longer, or is refused. */
  readonly bodiesBytesMax?: number;
  /** For reviews in flight on close. Thirty seconds where absent. */
  readonly closeMsMax?: number;
}

/**
 * API servers drop a connection after ninety seconds. A shorter limit could close one just as a review is sent, and
 * clients do not retry a POST.
 */
const KEEP_ALIVE_MS = 120_000;

/**
 * Webhooks over HTTPS (HTTP/1.1). A new certificate leaves open connections alone.
 *
 * Guarantees: bodies are bounded while read, each and together; reviews in flight are answered on close, within a
 * bound.
 */
export class WebhookServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: WebhookServerOptions;
  readonly #bounded: BoundedServer;
  /** Not fully read yet, the oldest first. */
  readonly #reading = new Set<Reading>();
  readonly #idle = Promise.withResolvers<void>();
  #currentCertificate: Identity;
  #inFlight = 0;
  #bodiesBytes = 0;
  #closesConnections = false;
  #closing = false;
  readonly port: number;

  private constructor(bounded: BoundedServer, options: WebhookServerOptions) {
    const { server } = bounded;
    this.#bounded = bounded;
    this.#server = server;
    this.#options = options;
    this.#currentCertificate = options.identity;
    const address = server.address();
    this.port = typeof address === "object" && address ? address.port : 0;
    server.on("request", (request, response) => void this.#serve(request, response));
  }

  /** @throws {UsageError} where the address cannot be bound; the message names it. */
  static async start(options: WebhookServerOptions): Promise<WebhookServer> {
    const { host, port, identity, logger, requestTimeoutMs = 30_000, connectionsMax = 1_000 } = options;
    const bounds = { connectionsMax, requestTimeoutMs, headersTimeoutMs: Math.min(10_000, requestTimeoutMs) };
    const bounded = new BoundedServer({ cert: identity.certificate, key: identity.key }, bounds), { server } = bounded;
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    try {
      const listening = once(server, "listening");
      server.listen(port, host);
      await listening;
    } catch (cause) {
      throw new UsageError(
        `cannot listen on ${host}:${port} for webhooks: ${describeError(cause)}`,
        listenHint(cause, port, "--webhook-port or PINTLE_WEBHOOK_PORT"),
        { cause },
      );
    }
    const started = new WebhookServer(bounded, options);
    logger.info("webhooks are served", { host, port: started.port });
    return started;
  }

  /** For new connections. */
  setCertificate(identity: Identity): void {
    if (identity.certificate === this.#currentCertificate.certificate) return;
    this.#server.setSecureContext({ cert: identity.certificate, key: identity.key });
    this.#currentCertificate = identity;
    this.#options.logger.info("webhooks are served with a new certificate");
  }

  /** Asks callers to reconnect, to another replica: call it a while before closing. */
  disableKeepAlive(): void {
    this.#closesConnections = true;
  }

  /** Accepts no more connections, answers reviews in flight, then cuts the rest. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { clock, closeMsMax = 30_000 } = this.#options, closed = once(this.#server, "close");
    this.#closesConnections = this.#closing = true;
    this.#server.close();
    const timer = clock.schedule(() => this.#idle.resolve(), closeMsMax);
    if (this.#inFlight > 0) await this.#idle.promise;
    clock.clear(timer);
    this.#bounded.cut();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { webhooks, logger, bodiesBytesMax = 128 * 1024 * 1024 } = this.#options;
    const reading: Reading = { bytes: 0, cut: () => request.destroy() };
    this.#reading.add(reading);
    this.#inFlight++;
    // A response is done once written; a close would cut it off.
    const written = new Promise((resolve) => response.once("close", resolve));
    try {
      const { method = "GET", url = "/", headers } = request, bytesMax = webhooks.bodyBytesMax(url);
      const reserve = (bytes: number) => this.#reserveBytes(reading, bytes, bodiesBytesMax);
      const body = (await boundedBody(request, bytesMax, reserve))?.toString();
      this.#reading.delete(reading);
      const answer = body === undefined
        ? this.#bodiesBytes > bodiesBytesMax
          ? new Response("too many bytes of reviews in flight\n", { status: 503 })
          : new Response(`a review may have at most ${bytesMax} bytes\n`, { status: 413 })
        : await webhooks.fetch(url, { method, body, headers: textHeaders(headers) });
      if (body === undefined || this.#closesConnections) response.setHeader("connection", "close");
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/plain" });
      response.end(await answer.text());
      await written;
    } catch (error) {
      logger.warn("a connection to the webhooks failed", { error: describeError(error) });
      response.destroy();
    } finally {
      this.#reading.delete(reading);
      this.#bodiesBytes -= reading.bytes;
      if (--this.#inFlight === 0 && this.#closing) this.#idle.resolve();
    }
  }

  /** Counts a review's bytes; cuts older unfinished reviews if all together exceed the bound. */
  #reserveBytes(reading: Reading, bytes: number, bodiesBytesMax: number): boolean {
    reading.bytes += bytes;
    this.#bodiesBytes += bytes;
    for (const older of this.#reading) {
      if (this.#bodiesBytes <= bodiesBytesMax || older === reading) break;
      older.cut();
      this.#reading.delete(older);
      this.#bodiesBytes -= older.bytes;
      older.bytes = 0;
    }
    return this.#bodiesBytes <= bodiesBytesMax;
  }
}

interface Reading {
  bytes: number;
  cut(): void;
}

/** Node passes repeated headers as lists. */
function textHeaders(headers: IncomingMessage["headers"]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value ?? ""].flat().join(", ")]));
}
