import { UsageError } from "../base/mod.ts";

/** The proxy variables of an environment. */
export interface ProxyVariables {
  /** `HTTPS_PROXY`: for `https://` servers. */
  readonly https?: string;
  /** `HTTP_PROXY`: for other servers. */
  readonly http?: string;
  /** `ALL_PROXY`: where the scheme's variable is missing. */
  readonly all?: string;
  /** `NO_PROXY`: names, addresses and networks of servers without a proxy. */
  readonly no?: string;
}

export interface Proxy {
  /** May hold user and password: never to be shown. */
  readonly url: string;
  /** For people, with its source: `http://***@proxy:3128 (HTTPS_PROXY)`. */
  readonly title: string;
}

export interface Route {
  readonly proxy?: Proxy;
  /**
   * Whether Deno's fetch uses this route. It reads `NO_PROXY` by its own rules, even for a given proxy. It ignores
   * ports, accepts `*` for names only, `.example` also for `example`, and treats loopback addresses as others.
   */
  readonly byFetch: boolean;
}

const SCHEMES = ["http:", "https:", "socks5:", "socks5h:"];

/** The variables of an environment, upper case before lower case. */
export function proxyVariables(env: Readonly<Record<string, string | undefined>>): ProxyVariables {
  const value = (name: string) => env[name] || env[name.toLowerCase()] || undefined;
  return { https: value("HTTPS_PROXY"), http: value("HTTP_PROXY"), all: value("ALL_PROXY"), no: value("NO_PROXY") };
}

/**
 * The route to a server, by the rules of Go (golang.org/x/net/http/httpproxy) and kubectl. An entry of `NO_PROXY` is
 * `*`, an address, a network (`10.96.0.0/12`) or a name with the names below it (`.svc`: only those); `:443` limits it
 * to that port. A loopback address has no proxy. Unlike Go, `ALL_PROXY` counts, as in fetch and curl.
 *
 * @throws {UsageError} for an invalid proxy address.
 */
export function routeTo(server: string, variables: ProxyVariables): Route {
  const url = new URL(server), { all, no = "" } = variables;
  const [variable, own] = url.protocol === "https:" ? ["HTTPS_PROXY", variables.https] : ["HTTP_PROXY", variables.http];
  const address = own || all;
  if (!address) return { byFetch: true };
  const { host, port } = placeOf(url), entries = entriesOf(no);
  if (entries.some((entry) => isPlain(entry) && leavesOut(entry, host, port))) return { byFetch: true };
  if (isLoopback(host) || entries.some((entry) => leavesOut(entry, host, port))) return { byFetch: false };
  return routeThrough(proxyOf(address, own ? variable! : "ALL_PROXY"), server, variables);
}

export function routeThrough(proxy: Proxy, server: string, { no = "" }: ProxyVariables): Route {
  const { host, port } = placeOf(new URL(server));
  const mayLeaveOut = (entry: string) => entry === "*" || leavesOut(entry.replace(/^\*?\./, ""), host, port);
  return { proxy, byFetch: !entriesOf(no).some(mayLeaveOut) };
}

/**
 * `http://` where the address has no scheme.
 *
 * @throws {UsageError} that does not quote the address: it may contain a password.
 */
export function proxyOf(address: string, source: string): Proxy {
  const text = address.includes("://") ? address : `http://${address}`, url = URL.parse(text);
  if (!url || !SCHEMES.includes(url.protocol) || url.hostname === "" || !isEncoded(url.username + url.password)) {
    throw new UsageError(
      `${source} is not an address of a proxy`,
      "write it as http://HOST:PORT, https://… or socks5://…; user and password go before the host, percent-encoded",
    );
  }
  const shown = `${url.protocol}//${url.username || url.password ? "***@" : ""}${url.host}`;
  return { url: text, title: `${shown} (${source})` };
}

function isEncoded(text: string): boolean {
  return !/%(?![\da-f]{2})/i.test(text);
}

function placeOf({ hostname, port, protocol }: URL): { readonly host: string; readonly port: string } {
  return { host: hostname.replace(/^\[|\]$/g, ""), port: port || (protocol === "https:" ? "443" : "80") };
}

function entriesOf(no: string): string[] {
  return no.split(",").map((entry) => entry.trim().toLowerCase());
}

/** Fetch supports neither the star nor ports. */
function isPlain(entry: string): boolean {
  return !entry.includes("*") && portOf(entry) === undefined;
}

function leavesOut(entry: string, host: string, port: string): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  const only = portOf(entry);
  if (only !== undefined && only !== port) return false;
  const text = (only === undefined ? entry : entry.slice(0, -only.length - 1)).replace(/^\[|\]$/g, "");
  const address = bitsOf(host);
  if (address) return isWithin(address, text);
  const name = text.replace(/^\*/, "");
  return name.startsWith(".") ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}

/** An IPv6 address has a port after brackets only. */
function portOf(entry: string): string | undefined {
  return /^(?:\[.*\]|[^:]*):(\d+)$/.exec(entry)?.[1];
}

function isWithin(address: Bits, network: string): boolean {
  const [base = "", prefix] = network.split("/"), bits = bitsOf(base);
  if (!bits || bits.size !== address.size) return false;
  const length = prefix === undefined ? bits.size : Number(prefix);
  if (!(length >= 0 && length <= bits.size)) return false;
  const rest = BigInt(bits.size - length);
  return bits.value >> rest === address.value >> rest;
}

function isLoopback(host: string): boolean {
  const address = bitsOf(host);
  return address ? isWithin(address, "127.0.0.0/8") || isWithin(address, "::1") : host === "localhost";
}

interface Bits {
  readonly value: bigint;
  readonly size: 32 | 128;
}

function bitsOf(text: string): Bits | undefined {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) {
    const parts = text.split(".").map(Number);
    return parts.some((part) => part > 255) ? undefined : { value: joined(parts, 8n), size: 32 };
  }
  if (!/^[\da-f:]*:[\da-f:]*$/i.test(text) || !URL.canParse(`http://[${text}]`)) return undefined;
  const [head = "", tail] = text.split("::");
  const groups = (part: string) => part === "" ? [] : part.split(":").map((group) => parseInt(group, 16));
  const before = groups(head), after = groups(tail ?? "");
  const zeros = Array<number>(8 - before.length - after.length).fill(0);
  return { value: joined([...before, ...zeros, ...after], 16n), size: 128 };
}

function joined(parts: readonly number[], width: bigint): bigint {
  return parts.reduce((value, part) => value << width | BigInt(part), 0n);
}
