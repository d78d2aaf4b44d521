/** Why a text is no address, in the words of Go's net/netip. */
export class AddressError extends Error {}

function refused(text: string, why: string, at?: string): AddressError {
  const place = at === undefined ? "" : ` (at ${JSON.stringify(at)})`;
  return new AddressError(`ParseAddr(${JSON.stringify(text)}): ${why}${place}`);
}

export interface Address {
  /** 4 or 16. */
  readonly bytes: Uint8Array;
  readonly zone: string;
}

/** @throws {AddressError} */
export function parseAddress(text: string): Address {
  for (const letter of text) {
    if (letter === ".") return { bytes: Uint8Array.from(parseFields(text, text)), zone: "" };
    if (letter === ":") return parseVersion6(text);
    if (letter === "%") throw refused(text, "missing IPv6 address");
  }
  throw refused(text, "unable to parse IP");
}

/** The four fields of an IPv4 address; `within` is what the error quotes. */
function parseFields(text: string, within: string): number[] {
  const fields: number[] = [];
  let value = 0, digits = 0;
  for (let index = 0; index < text.length; index++) {
    const letter = text[index]!;
    if (/\d/.test(letter)) {
      if (digits === 1 && value === 0) throw refused(within, "IPv4 field has octet with leading zero");
      value = value * 10 + Number(letter);
      digits++;
      if (value > 255) throw refused(within, "IPv4 field has value >255");
    } else if (letter === ".") {
      if (index === 0 || index === text.length - 1 || text[index - 1] === ".") {
        throw refused(within, "IPv4 field must have at least one digit", text.slice(index));
      }
      if (fields.length === 3) throw refused(within, "IPv4 address too long");
      fields.push(value);
      value = digits = 0;
    } else throw refused(within, "unexpected character", text.slice(index));
  }
  if (fields.length < 3) throw refused(within, "IPv4 address too short");
  return [...fields, value];
}

function parseVersion6(text: string): Address {
  const percent = text.indexOf("%");
  const zone = percent < 0 ? "" : text.slice(percent + 1);
  if (percent >= 0 && zone === "") throw refused(text, "zone must be a non-empty string");
  let rest = percent < 0 ? text : text.slice(0, percent), ellipsis = -1;
  const bytes: number[] = [];
  if (rest.startsWith("::")) {
    ellipsis = 0;
    rest = rest.slice(2);
    if (rest === "") return { bytes: new Uint8Array(16), zone };
  }
  while (bytes.length < 16) {
    const digits = /^[0-9a-fA-F]*/.exec(rest)![0];
    if (digits.length > 4) throw refused(text, "each group must have 4 or less digits", rest);
    if (digits === "") throw refused(text, "each colon-separated field must have at least one digit", rest);
    if (rest[digits.length] === ".") {
      if (ellipsis < 0 && bytes.length !== 12) {
        throw refused(text, "embedded IPv4 address must replace the final 2 fields of the address", rest);
      }
      if (bytes.length + 4 > 16) {
        throw refused(text, "too many hex fields to fit an embedded IPv4 at the end of the address", rest);
      }
      bytes.push(...parseFields(rest, text));
      rest = "";
      break;
    }
    const value = Number.parseInt(digits, 16);
    bytes.push(value >> 8, value & 255);
    rest = rest.slice(digits.length);
    if (rest === "") break;
    if (rest[0] !== ":") throw refused(text, "unexpected character, want colon", rest);
    if (rest.length === 1) throw refused(text, "colon must be followed by more characters", rest);
    rest = rest.slice(1);
    if (rest[0] !== ":") continue;
    if (ellipsis >= 0) throw refused(text, "multiple :: in address", rest);
    ellipsis = bytes.length;
    rest = rest.slice(1);
    if (rest === "") break;
  }
  if (rest !== "") throw refused(text, "trailing garbage after address", rest);
  if (bytes.length < 16) {
    if (ellipsis < 0) throw refused(text, "address string too short");
    bytes.splice(ellipsis, 0, ...new Array<number>(16 - bytes.length).fill(0));
  } else if (ellipsis >= 0) throw refused(text, "the :: must expand to at least one field of zeros");
  return { bytes: Uint8Array.from(bytes), zone };
}

/** An IPv4 address in IPv6's clothes. */
export function isMapped({ bytes }: Address): boolean {
  return bytes.length === 16 && bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 &&
    bytes[11] === 255;
}

/** The canonical text (RFC 5952). */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) => bytes[index * 2]! << 8 | bytes[index * 2 + 1]!);
  let start = -1, length = 1;
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (to < 8 && groups[to] === 0) to++;
    if (to - from > length) [start, length] = [from, to - from];
  }
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  return start < 0 ? text(groups) : `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

export interface Prefix {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/** @throws {AddressError} */
export function parsePrefix(text: string): Prefix & { address: Address } {
  const why = (what: string) => new AddressError(`netip.ParsePrefix(${JSON.stringify(text)}): ${what}`);
  const slash = text.lastIndexOf("/");
  if (slash < 0) throw why("no '/'");
  let address: Address;
  try {
    address = parseAddress(text.slice(0, slash));
  } catch (error) {
    if (error instanceof AddressError) throw why(error.message);
    throw error;
  }
  if (address.zone !== "") throw why("IPv6 zones cannot be present in a prefix");
  const bits = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d*)$/.test(bits)) throw why(`bad bits after slash: ${JSON.stringify(bits)}`);
  if (Number(bits) > address.bytes.length * 8) throw why("prefix length out of range");
  return { bytes: address.bytes, bits: Number(bits), address };
}

export function masked({ bytes, bits }: Prefix): Uint8Array {
  return bytes.map((byte, index) => {
    const kept = Math.max(0, Math.min(8, bits - index * 8));
    return byte & (0xff00 >> kept) & 0xff;
  });
}

/** Whether the prefix covers the address. */
export function covers(prefix: Prefix, address: Uint8Array): boolean {
  if (prefix.bytes.length !== address.length) return false;
  const own = masked(prefix), theirs = masked({ bytes: address, bits: prefix.bits });
  return own.every((byte, index) => byte === theirs[index]);
}
