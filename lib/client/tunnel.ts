import { type ClientRequest, request } from "node:http";
import { Agent, type AgentOptions, type RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import { connect, type ConnectionOptions } from "node:tls";
import type { Proxy } from "./proxy.ts";

/** A proxy that takes a connection and says nothing. */
const TUNNEL_MS_MAX = 30_000;

/**
 * Connections of node:https that an HTTP proxy opens a way for (CONNECT). TLS is spoken with the server, so the proxy
 * sees neither requests nor credentials. `destroy` ends what is being opened, too.
 */
export class TunnelAgent extends Agent {
  readonly #proxy: URL;
  readonly #asking = new Set<ClientRequest>();

  /** The proxy's scheme is `http:`. */
  constructor(proxy: Proxy, options: AgentOptions) {
    super(options);
    this.#proxy = new URL(proxy.url);
  }

  /** Asks the proxy for a way, then speaks TLS with whom it leads to. */
  override createConnection(
    options: RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const done = callback as (error: Error | null, stream?: Duplex) => void;
    const { hostname, port, username, password } = this.#proxy, host = options.host ?? "localhost";
    const target = `${host.includes(":") ? `[${host}]` : host}:${options.port}`;
    const account = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    const asking = request({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: port || 80,
      method: "CONNECT",
      path: target,
      headers: { host: target, ...(account === ":" ? {} : { "proxy-authorization": `Basic ${base64(account)}` }) },
      timeout: TUNNEL_MS_MAX,
    });
    this.#asking.add(asking);
    const failed = (error: Error) => {
      this.#asking.delete(asking);
      done(error);
    };
    asking.on("timeout", () => void asking.destroy(new Error("the proxy's answer timed out")));
    asking.on("error", failed);
    asking.on("connect", ({ statusCode }, socket) => {
      if (statusCode === 200) {
        this.#asking.delete(asking);
        socket.setTimeout(0);
        const servername = options.servername || serverName(host);
        return done(null, connect({ ...options as ConnectionOptions, socket, servername }));
      }
      socket.destroy();
      failed(new Error(statusCode === 407 ? "proxy authentication required" : `unsuccessful tunnel: ${statusCode}`));
    });
    asking.end();
    return undefined;
  }

  /** See `http.Agent.destroy`. */
  override destroy(): void {
    for (const asking of this.#asking) asking.destroy(new Error("the transport is closed"));
    super.destroy();
  }
}

/** The name that a server is asked for by: none where the address is a number (RFC 6066). */
function serverName(host: string): string {
  return /^[\d.]+$|:/.test(host) ? "" : host;
}

function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
