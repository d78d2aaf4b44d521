import { type ClientRequest, request } from "node:http";
import { Agent, type AgentOptions, type RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import { connect, type ConnectionOptions } from "node:tls";
import type { Proxy } from "./proxy.ts";

const TUNNEL_MS_MAX = 30_000;

/**
 * Connections of node:https through an HTTP proxy (CONNECT). TLS is end-to-end, so the proxy sees neither requests nor
 * credentials. `destroy` also ends tunnels being opened.
 */
export class TunnelAgent extends Agent {
  readonly #proxy: URL;
  readonly #connecting = new Set<ClientRequest>();

  constructor(proxy: Proxy, options: AgentOptions) {
    super(options);
    this.#proxy = new URL(proxy.url);
  }

  override createConnection(
    options: RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const done = callback as (error: Error | null, stream?: Duplex) => void;
    const { hostname, port, username, password } = this.#proxy, host = options.host ?? "localhost";
    const target = `${host.includes(":") ? `[${host}]` : host}:${options.port}`;
    const account = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    const connecting = request({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: port || 80,
      method: "CONNECT",
      path: target,
      headers: { host: target, ...(account === ":" ? {} : { "proxy-authorization": `Basic ${base64(account)}` }) },
      timeout: TUNNEL_MS_MAX,
    });
    this.#connecting.add(connecting);
    const failed = (error: Error) => {
      this.#connecting.delete(connecting);
      done(error);
    };
    connecting.on("timeout", () => void connecting.destroy(new Error("the proxy's response timed out")));
    connecting.on("error", failed);
    connecting.on("connect", ({ statusCode }, socket) => {
      if (statusCode === 200) {
        this.#connecting.delete(connecting);
        socket.setTimeout(0);
        const servername = options.servername || serverName(host);
        return done(null, connect({ ...options as ConnectionOptions, socket, servername }));
      }
      socket.destroy();
      failed(new Error(statusCode === 407 ? "proxy authentication required" : `unsuccessful tunnel: ${statusCode}`));
    });
    connecting.end();
    return undefined;
  }

  override destroy(): void {
    for (const connecting of this.#connecting) connecting.destroy(new Error("the transport is closed"));
    super.destroy();
  }
}

/** None for an IP address (RFC 6066). */
function serverName(host: string): string {
  return /^[\d.]+$|:/.test(host) ? "" : host;
}

function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
