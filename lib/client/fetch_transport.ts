import { LinkedAbort, type Transport, type TransportRequest, UsageError } from "../base/mod.ts";
import { AuthenticatedSender, type Credentials, type HeaderFields, type TlsSettings } from "./credentials.ts";
import type { Proxy } from "./proxy.ts";
import { endingBody } from "./stream_body.ts";
import { type StreamLease, StreamPool } from "./stream_pool.ts";
import { classifyFailure, UnreachableError } from "./unreachable.ts";

/** Where a transport connects to, and as whom. */
export interface SocketTransportOptions {
  /** The API server's address, such as `https://10.0.0.1:6443`; a path in it prefixes every request's. */
  server: string;
  credentials: Credentials;
  /** What is between; absent, Deno's fetch looks into the environment by itself. */
  proxy?: Proxy;
  /** Streams that share one HTTP/2 connection. */
  streamsPerConnectionMax?: number;
  /** Connections that wait for another request. */
  idleConnectionsMax?: number;
  /** How long they wait: less than a load balancer's patience. */
  idleConnectionMsMax?: number;
}

/**
 * kube-apiserver compresses a streaming list in one gzip member per flush (since 1.37), and fetch takes the end of the
 * first member for the end of the body.
 */
const PLAIN = { "accept-encoding": "identity" };

/** The clients of one set of TLS settings. */
interface Clients {
  readonly tls: TlsSettings;
  readonly requests: Deno.HttpClient;
  readonly streams: StreamPool;
}

/**
 * A transport over Deno's fetch: pooled HTTP/1.1 connections for requests, HTTP/2 ones for streams (watching over
 * HTTP/2 costs less per event, and requests over HTTP/1.1 less per request). Cannot skip verification nor check another
 * server name; use {@linkcode NodeTransport} there.
 *
 * Guarantees: rejects with {@linkcode UnreachableError}, {@linkcode UsageError} for TLS settings that cannot be used,
 * or the signal's reason. `close` fails what waits for an answer and ends every stream; an answer whose body is being
 * read is read to its end.
 */
export class FetchTransport implements Transport {
  readonly #options: Required<Omit<SocketTransportOptions, "proxy">> & Pick<SocketTransportOptions, "proxy">;
  readonly #base: string;
  readonly #sender: AuthenticatedSender;
  readonly #underWay = new Set<LinkedAbort>();
  #clients: Clients | undefined;
  #closed = false;

  constructor(options: SocketTransportOptions) {
    this.#options = { streamsPerConnectionMax: 90, idleConnectionsMax: 32, idleConnectionMsMax: 45_000, ...options };
    this.#sender = new AuthenticatedSender(options.credentials);
    this.#base = options.server.replace(/\/+$/, "");
  }

  /** See {@linkcode Transport.server}. */
  get server(): string {
    return this.#base;
  }

  /** See {@linkcode Transport.refused}. */
  get refused(): string | undefined {
    return this.#sender.refused;
  }

  /** See {@linkcode Transport.fetch}. */
  async fetch(path: string, request: TransportRequest = {}): Promise<Response> {
    const send = (headers: HeaderFields) => {
      if (this.#closed) {
        throw new UnreachableError(this.#base, "other", { cause: new Error("the transport is closed") });
      }
      return request.streaming ? this.#stream(path, request, headers) : this.#request(path, request, headers);
    };
    return await this.#sender.send(request, send);
  }

  /** See {@linkcode Transport.close}. */
  close(): void {
    this.#closed = true;
    for (const link of this.#underWay) link.abort(new DOMException("the transport was closed", "AbortError"));
    this.#underWay.clear();
    this.#retire();
  }

  async #request(path: string, request: TransportRequest, headers: HeaderFields): Promise<Response> {
    const link = new LinkedAbort([request.signal]);
    this.#underWay.add(link);
    try {
      return await this.#send(this.#current().requests, path, request, headers, link.signal);
    } finally {
      // Still linked to the request's own signal: that one may abort the body.
      this.#underWay.delete(link);
    }
  }

  async #stream(path: string, request: TransportRequest, headers: HeaderFields): Promise<Response> {
    const link = new LinkedAbort([request.signal]);
    const lease: StreamLease = this.#current().streams.lease();
    this.#underWay.add(link);
    const end = (completed: boolean) => {
      this.#underWay.delete(link);
      link[Symbol.dispose]();
      lease.release(completed);
    };
    try {
      const response = await this.#send(lease.client, path, request, { ...headers, ...PLAIN }, link.signal);
      if (response.body) return new Response(endingBody(response.body, end), response);
      end(true);
      return response;
    } catch (error) {
      end(false);
      throw error;
    }
  }

  async #send(
    client: Deno.HttpClient,
    path: string,
    request: TransportRequest,
    fields: HeaderFields,
    signal: AbortSignal,
  ): Promise<Response> {
    const headers: [string, string][] = [];
    for (const [name, value] of Object.entries(fields)) {
      if (typeof value === "string") headers.push([name, value]);
      else for (const line of value) headers.push([name, line]);
    }
    try {
      const { method, body } = request;
      // A redirect would carry the credentials to wherever it points.
      return await fetch(this.#base + path, { method, body, headers, signal, client, redirect: "manual" });
    } catch (cause) {
      if (request.signal?.aborted) throw request.signal.reason;
      throw new UnreachableError(this.#base, classifyFailure(cause), { cause, proxy: this.#options.proxy?.title });
    }
  }

  #current(): Clients {
    const { tls } = this.#options.credentials;
    if (this.#clients?.tls !== tls) {
      this.#retire();
      this.#clients = {
        tls,
        requests: this.#create(tls, false),
        streams: new StreamPool(() => this.#create(tls, true), this.#options.streamsPerConnectionMax),
      };
    }
    return this.#clients!;
  }

  #retire(): void {
    this.#clients?.requests.close();
    this.#clients?.streams.retire();
    this.#clients = undefined;
  }

  #create(tls: TlsSettings, streaming: boolean): Deno.HttpClient {
    const { idleConnectionsMax, idleConnectionMsMax, proxy } = this.#options;
    const identity = tls.cert && tls.key ? { cert: tls.cert, key: tls.key } : {};
    const settings = {
      caCerts: tls.caCerts ? [...tls.caCerts] : undefined,
      ...identity,
      // A server without HTTP/2 gives each stream a connection of its own; ALPN decides.
      http1: true,
      http2: streaming,
      poolMaxIdlePerHost: idleConnectionsMax,
      poolIdleTimeout: idleConnectionMsMax,
      ...(proxy ? { proxy: { url: proxy.url } } : {}),
    };
    try {
      return Deno.createHttpClient(settings);
    } catch (cause) {
      // It looks at certificates and keys; what it says of them quotes none.
      throw new UsageError(
        `the TLS settings for ${this.#base} cannot be used`,
        "check the certificate authority, and the client certificate with its key",
        { cause },
      );
    }
  }
}
