import { AddressError, parseAddress } from "./ip_address.ts";

/** Why a text is no URL, in the words of Go's net/url. */
export class UrlError extends Error {}

export interface GoUrl {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
}

const PORT = /^(?::\d*)?$/;
const UNRESERVED = /[A-Za-z0-9\-_.~]/;

/** @throws {UrlError} as Go's `url.ParseRequestURI` refuses. */
export function parseRequestUri(text: string): GoUrl {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof UrlError)) throw error;
    throw new UrlError(`parse ${JSON.stringify(text)}: ${error.message}`);
  }
}

function parse(text: string): GoUrl {
  // deno-lint-ignore no-control-regex -- the characters that URLs must not have
  if (/[\x00-\x1f\x7f]/.test(text)) throw new UrlError("net/url: invalid control character in URL");
  if (text === "") throw new UrlError("empty url");
  if (text === "*") return { scheme: "", host: "", path: "*", query: "" };
  if (text.startsWith(":")) throw new UrlError("missing protocol scheme");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1] ?? "";
  const [before = "", ...query] = (scheme ? text.slice(scheme.length + 1) : text).split("?");
  const parts = { scheme: scheme.toLowerCase(), query: query.join("?") };
  if (!before.startsWith("/")) {
    if (scheme) return { ...parts, host: "", path: "" };
    throw new UrlError("invalid URI for request");
  }
  if (!scheme || !before.startsWith("//")) return { ...parts, host: "", path: unescapedPath(before) };
  const slash = before.indexOf("/", 2), authority = before.slice(2, slash < 0 ? undefined : slash);
  const host = parseAuthority(parts.scheme, authority);
  return { ...parts, host, path: slash < 0 ? "" : unescapedPath(before.slice(slash)) };
}

function parseAuthority(scheme: string, authority: string): string {
  const at = authority.lastIndexOf("@");
  const host = parseHost(scheme, authority.slice(at + 1));
  if (at >= 0 && !/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(authority.slice(0, at))) {
    throw new UrlError("net/url: invalid userinfo");
  }
  return host;
}

function parseHost(scheme: string, host: string): string {
  const open = host.lastIndexOf("[");
  if (open > 0) throw new UrlError("invalid IP-literal");
  if (open === 0) return parseLiteral(host);
  const first = host.indexOf(":"), last = host.lastIndexOf(":");
  const colon = first !== last && scheme !== "http" && scheme !== "https" ? last : first;
  if (colon >= 0 && !PORT.test(host.slice(colon))) {
    throw new UrlError(`invalid port ${JSON.stringify(host.slice(colon))} after host`);
  }
  const bad = /[ "<>\\^`{|}]/.exec(host);
  if (bad) throw new UrlError(`invalid character ${JSON.stringify(bad[0])} in host name`);
  checkEscapes(host);
  const escape = /%[2-7][0-9a-fA-F]/.exec(host);
  if (escape) throw new UrlError(`invalid URL escape ${JSON.stringify(escape[0])}`);
  return unescaped(host);
}

function parseLiteral(host: string): string {
  const close = host.lastIndexOf("]");
  if (close < 0) throw new UrlError("missing ']' in host");
  const port = host.slice(close + 1);
  if (!PORT.test(port)) throw new UrlError(`invalid port ${JSON.stringify(port)} after host`);
  const name = host.slice(1, close).replace("%25", "%");
  try {
    if (parseAddress(name).bytes.length === 4) throw new UrlError("invalid IP-literal");
  } catch (error) {
    if (error instanceof AddressError) throw new UrlError(`invalid host: ${error.message}`);
    throw error;
  }
  return `[${name}]${port}`;
}

function checkEscapes(text: string): void {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/u.exec(text);
  if (bad) throw new UrlError(`invalid URL escape ${JSON.stringify(bad[0])}`);
}

function unescaped(text: string): string {
  const bytes: number[] = [];
  for (const [part] of text.matchAll(/%[0-9a-fA-F]{2}|[^%]+|%/g)) {
    if (part.startsWith("%") && part.length === 3) bytes.push(Number.parseInt(part.slice(1), 16));
    else bytes.push(...new TextEncoder().encode(part));
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** Checked, and still escaped as it was written. */
function unescapedPath(path: string): string {
  checkEscapes(path);
  return path;
}

/** As Go's `EscapedPath`: as written if that is a valid encoding. */
export function escapedPath({ path }: GoUrl): string {
  if (/^[A-Za-z0-9\-_.~!$&'()*+,;=:@%/[\]]*$/.test(path)) return path;
  return [...new TextEncoder().encode(unescaped(path))].map((byte) => {
    const letter = String.fromCharCode(byte);
    if (UNRESERVED.test(letter) || "$&+,/:;=@".includes(letter)) return letter;
    return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

export function hostName({ host }: GoUrl): string {
  const name = host.replace(/:\d*$/, "");
  return name.startsWith("[") && name.endsWith("]") ? name.slice(1, -1) : name;
}

export function port({ host }: GoUrl): string {
  return /:(\d*)$/.exec(host)?.[1] ?? "";
}

/** Parameters by name; those that cannot be read are left out. */
export function queryOf({ query }: GoUrl): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const pair of query.split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const [name, ...rest] = pair.split("="), value = rest.join("=");
    if (/%(?![0-9a-fA-F]{2})/.test(pair)) continue;
    const key = unescaped(name!.replaceAll("+", " "));
    found.set(key, [...found.get(key) ?? [], unescaped(value.replaceAll("+", " "))]);
  }
  return found;
}
