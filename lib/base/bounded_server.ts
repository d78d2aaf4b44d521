import { createServer, type Server, type ServerOptions } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

interface ServerBounds {
  readonly connectionsMax: number;
  /** Of the TLS handshake, and again of the headers. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** `awaited`: bytes are missing; `answered`: its request is being answered. */
type Phase = "awaited" | "answered" | "idle";

/**
 * An HTTPS server (HTTP/1.1) that callers without requests cannot fill. At the bound a new connection replaces the
 * longest awaited one: unfinished handshakes, headers and bodies first, then idle ones. A connection is never cut while
 * its request is answered; where all are, the new one is refused.
 */
export class BoundedServer {
  readonly server: Server;
  readonly #connectionsMax: number;
  /** By address, the oldest phase first. */
  readonly #open = new Map<string, { readonly socket: Socket; phase: Phase }>();

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

  /** Cuts every connection. `closeAllConnections()` ignores unfinished handshakes, which would block closing. */
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
    // Its close event comes later: the place is free now.
    this.#open.delete(key);
    victim.socket.destroy();
    return true;
  }

  /** A TLS socket has the address of its TCP connection. */
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
