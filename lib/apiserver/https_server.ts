import type { Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { once } from "node:events";
import { boundedBody } from "../base/bounded_body.ts";
import { BoundedServer } from "../base/bounded_server.ts";
import { describeError, type Logger, silentLogger } from "../base/mod.ts";
import { ApiError, bodyTooLarge, unauthorized } from "./api_error.ts";
import { errorResponse } from "./api_response.ts";
import { CertificateAuthority, type Identity } from "../base/certificates.ts";
import { kubeconfigText, writePrivateFile } from "./kubeconfig.ts";
import { PROTOBUF, protobufToJson } from "./protobuf.ts";
import { mediaTypeOf } from "./request_body.ts";
import type { EmbeddedApiServer } from "./server.ts";
import { ADMIN, AUTHENTICATED_GROUP, MASTERS_GROUP, type UserInfo } from "./user_info.ts";

export interface HttpsOptions {
  readonly port?: number;
  readonly logger?: Logger;
  /** Wall time, for certificates. */
  readonly nowMs: number;
  /** Bounds the handshake and headers. */
  readonly headersTimeoutMs?: number;
  /** Bounds the full request. */
  readonly requestTimeoutMs?: number;
  readonly connectionsMax?: number;
  /** Signs certificates; generated where absent. Reuse it, so that clients trust a restarted server. */
  readonly authority?: CertificateAuthority;
}

const LOOPBACK = "127.0.0.1";
const SERVER_NAMES = ["localhost", LOOPBACK, "::1", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];

/**
 * HTTPS (HTTP/1.1) on loopback, for kubectl and client libraries. Accepts client certificates of its CA and
 * ServiceAccount tokens; answers others with 401.
 *
 * Guarantees: only authenticated clients' bodies are read, with a bound. Idle clients do not block others
 * ({@linkcode BoundedServer}). Watch events are written at once. A slow reader slows only its own watch; a disconnect
 * ends it.
 */
export class HttpsServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #bounded: BoundedServer;
  readonly #authority: CertificateAuthority;
  readonly #admin: Identity;
  readonly #api: EmbeddedApiServer;
  readonly #logger: Logger;
  readonly #open = new Set<AbortController>();
  readonly url: string;

  private constructor(api: EmbeddedApiServer, bounded: BoundedServer, authority: CertificateAuthority, logger: Logger) {
    const { server } = bounded;
    this.#api = api;
    this.#bounded = bounded;
    this.#server = server;
    this.#authority = authority;
    this.#logger = logger;
    this.#admin = authority.issue({ commonName: ADMIN.name, organizations: [MASTERS_GROUP] }, { kind: "client" });
    const address = server.address();
    this.url = `https://${LOOPBACK}:${typeof address === "object" && address ? address.port : 0}`;
    server.on("request", (request, response) => void this.#serve(request, response));
  }

  /** @throws {Error} where the port is taken. */
  static async start(api: EmbeddedApiServer, options: HttpsOptions): Promise<HttpsServer> {
    const authority = options.authority ?? new CertificateAuthority(options.nowMs);
    const identity = authority.issue({ commonName: "kube-apiserver" }, { kind: "server", names: SERVER_NAMES });
    const bounded = new BoundedServer({
      key: identity.key,
      cert: identity.certificate,
      ca: authority.certificate,
      requestCert: true,
      // A Status explains more than a broken handshake.
      rejectUnauthorized: false,
    }, {
      headersTimeoutMs: options.headersTimeoutMs ?? 10_000,
      requestTimeoutMs: options.requestTimeoutMs ?? 60_000,
      connectionsMax: options.connectionsMax ?? 1_000,
    });
    const { server } = bounded;
    const listening = once(server, "listening");
    server.listen(options.port ?? 0, LOOPBACK);
    await listening;
    api.publishAuthority(authority.certificate);
    return new HttpsServer(api, bounded, authority, options.logger ?? silentLogger);
  }

  get authority(): string {
    return this.#authority.certificate;
  }

  /** Groups become organizations. */
  issueClient(user: UserInfo): Identity {
    const organizations = user.groups.filter((group) => group !== AUTHENTICATED_GROUP);
    return this.#authority.issue({ commonName: user.name, organizations }, { kind: "client" });
  }

  /** The administrator's, with a client certificate: secret. */
  get kubeconfig(): string {
    return kubeconfigText(this.url, this.authority, { name: ADMIN.name, identity: this.#admin });
  }

  /** Mode 0600. */
  async writeKubeconfig(path: string): Promise<void> {
    await writePrivateFile(path, this.kubeconfig);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const controller of this.#open) controller.abort(new Error("the server closes"));
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#bounded.cut();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const controller = new AbortController();
    this.#open.add(controller);
    const gone = () => controller.abort(new Error("the client went away"));
    response.on("close", gone);
    response.on("error", gone);
    try {
      await this.#answer(request, response, controller.signal);
    } catch (error) {
      if (!controller.signal.aborted) {
        this.#logger.warn("a connection to the embedded API server broke", { error: describeError(error) });
      }
      response.destroy();
    } finally {
      this.#open.delete(controller);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const user = this.#authenticate(request);
    // An unknown client may never send its body.
    if (!user) return await this.#send(response, errorResponse(unauthorized()), true);
    const bytes = await boundedBody(request, this.#api.limits.bodyBytesMax);
    if (bytes === undefined) {
      return await this.#send(response, errorResponse(bodyTooLarge(this.#api.limits.bodyBytesMax)), true);
    }
    const { method = "GET", url: path = "/" } = request;
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value);
    const body = await bodyText(bytes, headers);
    const answer = typeof body === "string"
      ? await this.#api.handle({ method, path, headers, body, signal, user })
      : errorResponse(body);
    await this.#send(response, answer, false);
  }

  #authenticate(request: IncomingMessage): UserInfo | undefined {
    const socket = request.socket as TLSSocket;
    if (socket.authorized) {
      const { CN, O } = socket.getPeerCertificate().subject ?? {};
      const organizations: string[] = O === undefined ? [] : [O].flat();
      if (CN) return { name: [CN].flat()[0]!, groups: [...organizations, AUTHENTICATED_GROUP] };
    }
    const token = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    return token === undefined ? undefined : this.#api.tokens.userOf(token);
  }

  async #send(response: ServerResponse, answer: Response, close: boolean): Promise<void> {
    const headers: Record<string, string | string[]> = {};
    for (const [name, value] of answer.headers) {
      const before = headers[name];
      headers[name] = before === undefined ? value : [before, value].flat();
    }
    if (close) headers.connection = "close";
    const streams = answer.headers.get("content-type")?.includes("stream=watch") === true;
    if (!streams) {
      const text = await answer.text();
      response.writeHead(answer.status, headers);
      response.end(text);
      return;
    }
    response.writeHead(answer.status, headers);
    // Clients may wait for headers before any event.
    response.flushHeaders();
    for await (const chunk of answer.body ?? []) {
      // Bounds a watch's memory.
      if (!response.write(chunk)) await drained(response);
      if (response.destroyed) return;
    }
    response.end();
  }
}

/** Text or an error. Converts protobuf to JSON, in `headers` too. */
async function bodyText(bytes: Uint8Array, headers: Record<string, string>): Promise<string | ApiError> {
  if (bytes.length === 0 || mediaTypeOf(headers["content-type"]) !== PROTOBUF) return new TextDecoder().decode(bytes);
  try {
    const text = await protobufToJson(bytes);
    headers["content-type"] = "application/json";
    return text;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      response.off("drain", go);
      response.off("close", go);
      resolve();
    };
    response.on("drain", go);
    response.on("close", go);
  });
}
