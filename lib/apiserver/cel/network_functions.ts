import { type Declaration, declare, type Overload } from "./functions.ts";
import { escapedPath, type GoUrl, hostName, parseRequestUri, port, queryOf, UrlError } from "./go_url.ts";
import {
  AddressError,
  covers,
  formatAddress,
  isMapped,
  masked,
  parseAddress,
  parsePrefix,
  type Prefix,
} from "./ip_address.ts";
import { ArrayList, CelError, EntryMap, noSuchOverload, OpaqueValue, type Value } from "./value.ts";

class Ip extends OpaqueValue {
  readonly typeName = "net.IP";
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    super();
    this.bytes = bytes;
  }

  equals(other: Value): boolean {
    if (!(other instanceof Ip)) throw noSuchOverload();
    return this.text === other.text;
  }

  override get size(): number {
    return this.bytes.length;
  }

  override get text(): string {
    return formatAddress(this.bytes);
  }
}

class Cidr extends OpaqueValue {
  readonly typeName = "net.CIDR";
  readonly prefix: Prefix;

  constructor(prefix: Prefix) {
    super();
    this.prefix = prefix;
  }

  equals(other: Value): boolean {
    if (!(other instanceof Cidr)) throw noSuchOverload();
    return this.text === other.text;
  }

  override get size(): number {
    return Math.ceil(this.prefix.bits / 8);
  }

  override get text(): string {
    return `${formatAddress(this.prefix.bytes)}/${this.prefix.bits}`;
  }
}

class Url extends OpaqueValue {
  readonly typeName = "kubernetes.URL";
  readonly url: GoUrl;
  readonly #text: string;

  constructor(text: string, url: GoUrl) {
    super();
    this.url = url;
    this.#text = text;
  }

  equals(other: Value): boolean {
    if (!(other instanceof Url)) throw noSuchOverload();
    return this.#text === other.#text;
  }
}

function parseIp(text: string): Ip {
  try {
    const address = parseAddress(text);
    if (address.zone !== "") throw new CelError(`IP address ${JSON.stringify(text)} with zone value is not allowed`);
    if (isMapped(address)) {
      throw new CelError(`IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`);
    }
    return new Ip(address.bytes);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    const what = `IP Address ${JSON.stringify(text)} parse error during conversion from string`;
    throw new CelError(`${what}: ${error.message}`);
  }
}

function parseCidr(text: string): Cidr {
  const what = "network address parse error during conversion from string";
  try {
    const prefix = parsePrefix(text);
    if (isMapped(prefix.address)) {
      throw new CelError(`${what}: IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`);
    }
    return new Cidr(prefix);
  } catch (error) {
    if (error instanceof AddressError) throw new CelError(`${what}: ${what}: ${error.message}`);
    throw error;
  }
}

function parseUrl(text: string): Url {
  try {
    return new Url(text, parseRequestUri(text));
  } catch (error) {
    if (!(error instanceof UrlError)) throw error;
    throw new CelError(`URL parse error during conversion from string: ${error.message}`);
  }
}

function succeeds(parse: (text: string) => unknown): (text: string) => boolean {
  return (text) => {
    try {
      parse(text);
      return true;
    } catch (error) {
      if (error instanceof CelError) return false;
      throw error;
    }
  };
}

/** Kubernetes passes the error on as an address, which no overload takes. */
function orNoOverload<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof CelError) throw noSuchOverload();
    throw error;
  }
}

function isUnspecified({ bytes }: Ip): boolean {
  return bytes.every((byte) => byte === 0);
}

function isLoopback({ bytes }: Ip): boolean {
  if (bytes.length === 4) return bytes[0] === 127;
  return bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15] === 1;
}

function isMulticast({ bytes }: Ip): boolean {
  return bytes.length === 4 ? (bytes[0]! & 0xf0) === 0xe0 : bytes[0] === 0xff;
}

function isLinkLocalMulticast({ bytes }: Ip): boolean {
  if (bytes.length === 4) return bytes[0] === 224 && bytes[1] === 0 && bytes[2] === 0;
  return bytes[0] === 0xff && (bytes[1]! & 0x0f) === 2;
}

function isLinkLocalUnicast({ bytes }: Ip): boolean {
  if (bytes.length === 4) return bytes[0] === 169 && bytes[1] === 254;
  return bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80;
}

function isGlobalUnicast(ip: Ip): boolean {
  const broadcast = ip.bytes.length === 4 && ip.bytes.every((byte) => byte === 255);
  return !broadcast && !isUnspecified(ip) && !isLoopback(ip) && !isMulticast(ip) && !isLinkLocalUnicast(ip);
}

function containsIp({ prefix }: Cidr, ip: Ip): boolean {
  return covers(prefix, ip.bytes);
}

function containsCidr({ prefix }: Cidr, { prefix: other }: Cidr): boolean {
  return prefix.bits <= other.bits && covers(prefix, other.bytes);
}

const DECLARATIONS: Declaration[] = [
  ["string_to_ip", "ip(string): IP", parseIp],
  ["ip_family", "IP#family(): int", ({ bytes }: Ip) => bytes.length === 4 ? 4n : 6n],
  ["ip_is_canonical", "ip.isCanonical(string): bool", (text: string) => parseIp(text).text === text],
  ["ip_is_unspecified", "IP#isUnspecified(): bool", isUnspecified],
  ["ip_is_loopback", "IP#isLoopback(): bool", isLoopback],
  ["ip_is_link_local_multicast", "IP#isLinkLocalMulticast(): bool", isLinkLocalMulticast],
  ["ip_is_link_local_unicast", "IP#isLinkLocalUnicast(): bool", isLinkLocalUnicast],
  ["ip_is_global_unicast", "IP#isGlobalUnicast(): bool", isGlobalUnicast],
  ["is_ip", "isIP(string): bool", succeeds(parseIp)],
  ["ip_to_string", "string(IP): string", ({ text }: Ip) => text],
  ["string_to_cidr", "cidr(string): CIDR", parseCidr],
  [
    "cidr_contains_ip_string",
    "CIDR#containsIP(string): bool",
    (cidr: Cidr, text: string) => containsIp(cidr, orNoOverload(() => parseIp(text))),
  ],
  ["cidr_contains_ip_ip", "CIDR#containsIP(IP): bool", containsIp],
  [
    "cidr_contains_cidr_string",
    "CIDR#containsCIDR(string): bool",
    (cidr: Cidr, text: string) => containsCidr(cidr, orNoOverload(() => parseCidr(text))),
  ],
  ["cidr_contains_cidr", "CIDR#containsCIDR(CIDR): bool", containsCidr],
  ["cidr_ip", "CIDR#ip(): IP", ({ prefix }: Cidr) => new Ip(prefix.bytes)],
  ["cidr_prefix_length", "CIDR#prefixLength(): int", ({ prefix }: Cidr) => BigInt(prefix.bits)],
  ["cidr_masked", "CIDR#masked(): CIDR", ({ prefix }: Cidr) => new Cidr({ bytes: masked(prefix), bits: prefix.bits })],
  ["is_cidr", "isCIDR(string): bool", succeeds(parseCidr)],
  ["cidr_to_string", "string(CIDR): string", ({ text }: Cidr) => text],
  ["string_to_url", "url(string): URL", parseUrl],
  ["url_get_scheme", "URL#getScheme(): string", ({ url }: Url) => url.scheme],
  ["url_get_host", "URL#getHost(): string", ({ url }: Url) => url.host],
  ["url_get_hostname", "URL#getHostname(): string", ({ url }: Url) => hostName(url)],
  ["url_get_port", "URL#getPort(): string", ({ url }: Url) => port(url)],
  ["url_get_escaped_path", "URL#getEscapedPath(): string", ({ url }: Url) => escapedPath(url)],
  [
    "url_get_query",
    "URL#getQuery(): map(string, list(string))",
    ({ url }: Url) => new EntryMap([...queryOf(url)].map(([name, values]) => [name, new ArrayList(values)])),
  ],
  ["is_url_string", "isURL(string): bool", succeeds(parseUrl)],
];

export function declareNetwork(table: Map<string, Overload[]>): void {
  declare(table, DECLARATIONS);
}
