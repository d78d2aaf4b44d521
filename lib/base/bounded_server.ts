import { createServer, type Server, type ServerOptions } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** How many connections an HTTPS server keeps, and how long it waits for their callers. */
export interface ServerBounds {
  readonly connectionsMax: number;
  /** For the TLS handshake, and then again for the headers of a request. */
  readonly headersTimeoutMs: number;
  /** For a whole request. */
  readonly requestTimeoutMs: number;
}

/** What a connection is about: its caller is to send something, its request is answered, or neither. */
type Phase = "awaited" | "answered" | "idle";

/**
 * An HTTPS server (HTTP/1.1) that callers who send nothing cannot fill. Where the bound is reached, the connection that
 * has been waited for longest is cut for a new one: unfinished handshakes, headers and bodies first, idle ones then. A
 * connection whose request is answered is never cut; where all are, the new one is refused.
 */
export class BoundedServer {
  /** To listen with, and to answer. */
  readonly server: Server;
  readonly #connectionsMax: number;
  /** By the caller's address, the oldest phase first. */
  readonly #open = new Map<string, { readonly socket: Socket; phase: Phase }>();

  /** `tls` says what is shown to callers, and asked of them. */
  constructor(tls: ServerOptions, { connectionsMax, headersTimeoutMs, requestTimeoutMs }: ServerBounds) {
    this.#connectionsMax = connectionsMax;
    this.server = createServer({
      ...tls,
      handshakeTimeout: headersTimeoutMs,
      connectionsCheckingInterval: Math.min(headersTimeoutMs, 1_000),
    });
    this.server.headersTimeout = headersTimeoutMs;
    this.server.requestTimeout = requestTimeoutMs;
    this.server.on("connection", (socket: Socket) => this.#accept(socket));
    this.server.on("secureConnection", (socket: TLSSocket) => this.#enter(socket, "awaited"));
    this.server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request;
      this.#enter(socket, "awaited");
      request.once("end", () => this.#enter(socket, "answered"));
      response.once("close", () => this.#enter(socket, "idle"));
    });
  }

  /**
   * Cuts every connection. `closeAllConnections()` does not know those that have not shaken hands: they would keep a
   * server from closing.
   */
  cut(): void {
    for (const { socket } of this.#open.values()) socket.destroy();
  }

  #accept(socket: Socket): void {
    if (this.#open.size >= this.#connectionsMax && !this.#evict()) return void socket.destroy();
    const key = addressOf(socket);
    this.#open.set(key, { socket, phase: "awaited" });
    socket.once("close", () => {
      if (this.#open.get(key)?.socket === socket) this.#open.delete(key);
    });
  }

  #evict(): boolean {
    const open = [...this.#open], oldest = (phase: Phase) => open.find(([, each]) => each.phase === phase);
    const [key, victim] = oldest("awaited") ?? oldest("idle") ?? [];
    if (!key || !victim) return false;
    // Its end is noticed later: the place is free now.
    this.#open.delete(key);
    victim.socket.destroy();
    return true;
  }

  /** A TLS socket has the address of the connection that it is made of. */
  #enter(socket: Socket, phase: Phase): void {
    const key = addressOf(socket), connection = this.#open.get(key);
    if (!connection) return;
    this.#open.delete(key);
    this.#open.set(key, { ...connection, phase });
  }
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
