import { LinkedAbort, type Transport, type TransportRequest, UsageError } from "../base/mod.ts";
import { AuthenticatedSender, type Credentials, type HeaderFields, type TlsSettings } from "./credentials.ts";
import type { Proxy } from "./proxy.ts";
import { endingBody } from "./stream_body.ts";
import { type StreamLease, StreamPool } from "./stream_pool.ts";
import { classifyFailure, UnreachableError } from "./unreachable.ts";

export interface SocketTransportOptions {
  /** Such as `https://10.0.0.1:6443`; its path prefixes every request's. */
  server: string;
  credentials: Credentials;
  proxy?: Proxy;
  streamsPerConnectionMax?: number;
  idleConnectionsMax?: number;
  /** Less than a load balancer's timeout. */
  idleConnectionMsMax?: number;
}

/** kube-apiserver (since 1.37) sends a streaming list as one gzip member per flush; fetch ends after the first. */
const IDENTITY_ENCODING = { "accept-encoding": "identity" };

interface Clients {
  readonly tls: TlsSettings;
  readonly requests: Deno.HttpClient;
  readonly streams: StreamPool;
}

/**
 * A transport over Deno's fetch: pooled HTTP/1.1 for requests and HTTP/2 for streams, each the cheaper one. Only
 * {@linkcode NodeTransport} can skip verification or check another server name.
 *
 * Guarantees: rejects with {@linkcode UnreachableError}, {@linkcode UsageError} for unusable TLS settings, or the
 * signal's reason. `close` fails requests without a response and ends every stream; a body being read is read to its
 * end.
 */
export class FetchTransport implements Transport {
  readonly #options: Required<Omit<SocketTransportOptions, "proxy">> & Pick<SocketTransportOptions, "proxy">;
  readonly #base: string;
  readonly #sender: AuthenticatedSender;
  readonly #inFlight = new Set<LinkedAbort>();
  #clients: Clients | undefined;
  #closed = false;

  constructor(options: SocketTransportOptions) {
    this.#options = { streamsPerConnectionMax: 90, idleConnectionsMax: 32, idleConnectionMsMax: 45_000, ...options };
    this.#sender = new AuthenticatedSender(options.credentials);
    this.#base = options.server.replace(/\/+$/, "");
  }

  get server(): string {
    return this.#base;
  }

  get refused(): string | undefined {
    return this.#sender.refused;
  }

  async fetch(path: string, request: TransportRequest = {}): Promise<Response> {
    const send = (headers: HeaderFields) => {
      if (this.#closed) {
        throw new UnreachableError(this.#base, "other", { cause: new Error("the transport is closed") });
      }
      return request.streaming ? this.#stream(path, request, headers) : this.#request(path, request, headers);
    };
    return await this.#sender.send(request, send);
  }

  close(): void {
    this.#closed = true;
    for (const link of this.#inFlight) link.abort(new DOMException("the transport was closed", "AbortError"));
    this.#inFlight.clear();
    this.#retire();
  }

  async #request(path: string, request: TransportRequest, headers: HeaderFields): Promise<Response> {
    const link = new LinkedAbort([request.signal]);
    this.#inFlight.add(link);
    try {
      return await this.#send(path, request, {
        client: this.#current().requests,
        fields: headers,
        signal: link.signal,
      });
    } finally {
      // The request's own signal stays linked: it may abort the body.
      this.#inFlight.delete(link);
    }
  }

  async #stream(path: string, request: TransportRequest, headers: HeaderFields): Promise<Response> {
    const link = new LinkedAbort([request.signal]);
    const lease: StreamLease = this.#current().streams.lease();
    this.#inFlight.add(link);
    const end = (completed: boolean) => {
      this.#inFlight.delete(link);
      link[Symbol.dispose]();
      lease.release(completed);
    };
    try {
      const response = await this.#send(path, request, {
        client: lease.client,
        fields: { ...headers, ...IDENTITY_ENCODING },
        signal: link.signal,
      });
      if (response.body) return new Response(endingBody(response.body, end), response);
      end(true);
      return response;
    } catch (error) {
      end(false);
      throw error;
    }
  }

  async #send(
    path: string,
    request: TransportRequest,
    { client, fields, signal }: {
      readonly client: Deno.HttpClient;
      readonly fields: HeaderFields;
      readonly signal: AbortSignal;
    },
  ): Promise<Response> {
    const headers: [string, string][] = [];
    for (const [name, value] of Object.entries(fields)) {
      if (typeof value === "string") headers.push([name, value]);
      else for (const line of value) headers.push([name, line]);
    }
    try {
      const { method, body } = request;
      // A redirect would send the credentials to another server.
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
      // Without HTTP/2 (ALPN) each stream has its own connection.
      http1: true,
      http2: streaming,
      poolMaxIdlePerHost: idleConnectionsMax,
      poolIdleTimeout: idleConnectionMsMax,
      ...(proxy ? { proxy: { url: proxy.url } } : {}),
    };
    try {
      return Deno.createHttpClient(settings);
    } catch (cause) {
      // Errors about certificates and keys quote none of them.
      throw new UsageError(
        `the TLS settings for ${this.#base} cannot be used`,
        "check the certificate authority, and the client certificate with its key",
        { cause },
      );
    }
  }
}
