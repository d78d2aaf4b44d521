import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import { CertificateAuthority } from "../../lib/base/certificates.ts";
import { type Clock, sleep } from "../../lib/base/mod.ts";

/** A request as it reaches the gate. */
export interface GateRequest {
  readonly method: string;
  readonly path: string;
  /** Whether it is a watch, whose answer does not end by itself. */
  readonly isWatch: boolean;
  /** Whether it may change something in the cluster; leases apart. */
  readonly isWrite: boolean;
  /** `holderIdentity` of the Lease that it writes; empty for a lease that is given up. */
  readonly holder?: string;
}

/** What becomes of a request. A connection that is cut is closed; one that is reset ends with a TCP RST. */
export type Verdict =
  | { readonly kind: "pass" }
  /** The server gets it later. */
  | { readonly kind: "delay"; readonly delayMs: number }
  /** The server never gets it, and the connection ends. */
  | { readonly kind: "cut" | "reset" }
  /** The server never gets it, and no answer comes. */
  | { readonly kind: "swallow" }
  /** The server carries it out; the connection ends instead of an answer. */
  | { readonly kind: "loseAnswer" }
  /** The server carries it out; no answer comes. */
  | { readonly kind: "holdAnswer" }
  /** Of a watch: the connection ends after a while. */
  | { readonly kind: "cutLater"; readonly afterMs: number }
  /** Of a watch: after a while nothing comes any more, and the connection stays. */
  | { readonly kind: "stall"; readonly afterMs: number };

/** What follows the requests that pass a gate. */
export interface GateObserver {
  /** Called when a request is about to reach the API server. */
  onRequest?(request: GateRequest): void;
  /** Called when the API server has answered it, whether or not the answer is passed on. */
  onAnswer?(request: GateRequest, status: number): void;
}

/** How a gate is opened. */
export interface GateOptions extends GateObserver {
  /** The API server behind it, with the authority that signed its certificate. */
  readonly server: string;
  readonly ca: string;
  readonly clock: Clock;
}

const PASS: Verdict = { kind: "pass" };
const LOOPBACK = "127.0.0.1";
/** Headers that are about one connection. */
const OF_CONNECTIONS = new Set([
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "keep-alive",
  "accept-encoding",
]);

/**
 * A reverse proxy in front of the API server, for the requests of one process: it counts them, and decides what becomes
 * of each. It ends TLS itself, so that it sees what is asked; credentials pass through it unread.
 */
export class Gate implements AsyncDisposable {
  readonly #options: GateOptions;
  readonly #server: Server;
  readonly #upstream: Deno.HttpClient;
  readonly #sockets = new Map<number | undefined, Socket>();
  readonly #watches = new Set<ServerResponse>();
  readonly #closed = new AbortController();
  readonly #authority: CertificateAuthority;
  #port = 0;
  /** Requests so far. */
  requests = 0;
  /** Writes so far that reached the API server; leases apart. */
  writes = 0;
  /** Answers and watch events so far that were 410 Gone. */
  gone = 0;
  /** Requests so far that did not simply pass. */
  disturbed = 0;
  /** Decides what becomes of a request. Everything passes at first. */
  verdict: (request: GateRequest) => Verdict = () => PASS;

  private constructor(options: GateOptions) {
    this.#options = options;
    this.#authority = new CertificateAuthority(options.clock.now());
    const { key, certificate } = this.#authority.issue({ commonName: "gate" }, { kind: "server", names: [LOOPBACK] });
    this.#server = createServer({ key, cert: certificate });
    this.#upstream = Deno.createHttpClient({ caCerts: [options.ca], http2: false, poolMaxIdlePerHost: 32 });
    this.#server.on("connection", (socket: Socket) => {
      const { remotePort } = socket;
      this.#sockets.set(remotePort, socket);
      socket.on("error", () => {}); // it is closed next
      socket.once("close", () => this.#sockets.delete(remotePort));
    });
    this.#server.on("request", (request, response) => void this.#serve(request, response));
  }

  /** Opens a gate on a free port. */
  static async open(options: GateOptions): Promise<Gate> {
    const gate = new Gate(options);
    const listening = once(gate.#server, "listening");
    gate.#server.listen(0, LOOPBACK);
    await listening;
    gate.#port = (gate.#server.address() as { port: number }).port;
    return gate;
  }

  /** A kubeconfig for who has `token`, by way of the gate. */
  kubeconfig(token: string, namespace: string): string {
    const cluster = {
      server: `https://${LOOPBACK}:${this.#port}`,
      "certificate-authority-data": btoa(this.#authority.certificate),
    };
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "gate", cluster }],
      users: [{ name: "operator", user: { token } }],
      contexts: [{ name: "gate", context: { cluster: "gate", user: "operator", namespace } }],
      "current-context": "gate",
    });
  }

  /** Cuts every watch that is open now. */
  cutWatches(): void {
    for (const response of this.#watches) response.destroy();
  }

  /** Cuts every connection and listens no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets.values()) socket.destroy();
    await closed;
    this.#upstream.close();
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const abort = new AbortController(), stop = () => abort.abort();
    response.on("error", stop);
    response.on("close", stop);
    this.#closed.signal.addEventListener("abort", stop, { once: true });
    try {
      const body = await bodyOf(incoming), request = requestOf(incoming, body);
      this.requests++;
      await this.#carryOut(request, { incoming, response, body, signal: abort.signal });
    } catch {
      // The API server is away, or one of the two sides has gone: the other one learns it in the same way.
      response.destroy();
    } finally {
      this.#closed.signal.removeEventListener("abort", stop);
    }
  }

  async #carryOut(request: GateRequest, exchange: Exchange): Promise<void> {
    const verdict = this.verdict(request), { response, signal } = exchange;
    if (verdict.kind !== "pass") this.disturbed++;
    switch (verdict.kind) {
      case "cut":
        return void response.destroy();
      case "reset":
        return this.#reset(exchange.incoming);
      case "swallow":
        return;
      case "delay":
        await sleep(this.#options.clock, verdict.delayMs, signal);
        break;
      case "pass":
      case "loseAnswer":
      case "holdAnswer":
      case "cutLater":
      case "stall":
        break;
      default:
        verdict satisfies never;
    }
    const answer = await this.#ask(request, exchange);
    if (verdict.kind === "loseAnswer") {
      await answer.body?.cancel();
      response.destroy();
    } else if (verdict.kind === "holdAnswer") await answer.body?.cancel();
    else if (request.isWatch) await this.#passWatch(answer, response, verdict);
    else await this.#passAnswer(answer, response);
  }

  async #ask(request: GateRequest, { incoming, body, signal }: Exchange): Promise<Response> {
    const { server, onRequest, onAnswer } = this.#options;
    if (request.isWrite) this.writes++;
    onRequest?.(request);
    const headers = new Headers({ "accept-encoding": "identity" });
    for (const [name, value] of Object.entries(incoming.headers)) {
      if (!OF_CONNECTIONS.has(name)) headers.set(name, String(value));
    }
    const { method, path } = request, client = this.#upstream;
    const answer = await fetch(server + path, { method, headers, client, signal, ...(body.length > 0 && { body }) });
    if (answer.status === 410) this.gone++;
    onAnswer?.(request, answer.status);
    return answer;
  }

  async #passAnswer(answer: Response, response: ServerResponse): Promise<void> {
    const bytes = new Uint8Array(await answer.arrayBuffer());
    response.writeHead(answer.status, headersOf(answer));
    response.end(bytes);
  }

  async #passWatch(answer: Response, response: ServerResponse, verdict: Verdict): Promise<void> {
    const { clock } = this.#options;
    let isSilent = false;
    const timer = verdict.kind === "cutLater"
      ? clock.schedule(() => response.destroy(), verdict.afterMs)
      : verdict.kind === "stall"
      ? clock.schedule(() => isSilent = true, verdict.afterMs)
      : undefined;
    this.#watches.add(response);
    try {
      response.writeHead(answer.status, headersOf(answer));
      response.flushHeaders();
      const decoder = new TextDecoder();
      for await (const chunk of answer.body ?? []) {
        if (decoder.decode(chunk, { stream: true }).includes('"code":410')) this.gone++;
        if (!isSilent) response.write(chunk);
      }
      if (!isSilent) response.end();
    } finally {
      this.#watches.delete(response);
      if (timer) clock.clear(timer);
    }
  }

  #reset(incoming: IncomingMessage): void {
    const socket = this.#sockets.get(incoming.socket.remotePort);
    if (socket) socket.resetAndDestroy();
    else incoming.socket.destroy();
  }
}

/** One request with the connection on which it came. */
interface Exchange {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

function requestOf({ method = "GET", url: path = "/" }: IncomingMessage, body: Uint8Array): GateRequest {
  const isLease = path.startsWith("/apis/coordination.k8s.io/"), isRead = method === "GET";
  const isReview = path.startsWith("/apis/authorization.k8s.io/");
  return {
    method,
    path,
    isWatch: isRead && /[?&]watch=(1|true)/.test(path),
    isWrite: !isRead && !isLease && !isReview,
    ...(isLease && !isRead && { holder: holderOf(body) }),
  };
}

function holderOf(body: Uint8Array): string {
  try {
    return JSON.parse(new TextDecoder().decode(body)).spec?.holderIdentity ?? "";
  } catch {
    return ""; // a deletion has none
  }
}

function headersOf(answer: Response): Record<string, string> {
  return Object.fromEntries([...answer.headers].filter(([name]) => !OF_CONNECTIONS.has(name)));
}

async function bodyOf(incoming: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
  const body = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
