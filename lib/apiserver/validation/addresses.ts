import { isIP, isIPv4, isIPv6 } from "node:net";
import type { Place } from "./place.ts";

/** IP addresses and blocks, in the words of apimachinery's `IsValidIP` and `IsValidCIDR`. */

const HINT = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const CIDR_HINT = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
const BITS_V4 = 32, BITS_V6 = 128;

/** What is wrong with an address; leading zeros as in `010.0.0.1` are refused. */
export function ipFaults(text: string): string[] {
  return isIP(text) === 0 || text.includes("%") ? [HINT] : [];
}

/** What is wrong with a block of addresses. */
export function cidrFaults(text: string): string[] {
  const [, address = "", bits = ""] = /^([^/]*)\/(\d{1,3})$/.exec(text) ?? [];
  const max = isIPv4(address) ? BITS_V4 : isIPv6(address) ? BITS_V6 : -1;
  return Number(bits) > max || /^0\d/.test(bits) ? [CIDR_HINT] : [];
}

/** The address as a number, and how many bits it has. */
function bitsOf(address: string): readonly [value: bigint, bits: number] {
  if (isIPv4(address)) {
    return [address.split(".").reduce((sum, part) => (sum << 8n) | BigInt(part), 0n), BITS_V4];
  }
  const [head = "", tail] = address.split("::");
  const groups = (text: string) => text === "" ? [] : text.split(":");
  const first = groups(head), last = tail === undefined ? [] : groups(tail);
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const parts = [...first, ...Array.from({ length: zeros }, () => "0"), ...last];
  return [parts.reduce((sum, part) => (sum << 16n) | BigInt(`0x${part}`), 0n), BITS_V6];
}

/** Whether one block is a strict subset of another; both are valid. */
export function isWithin(inner: string, outer: string): boolean {
  const [innerAddress, innerBits] = inner.split("/"), [outerAddress, outerBits] = outer.split("/");
  const [value, bits] = bitsOf(innerAddress!), [base, baseBits] = bitsOf(outerAddress!);
  if (bits !== baseBits || Number(innerBits) <= Number(outerBits)) return false;
  const shift = BigInt(bits - Number(outerBits));
  return value >> shift === base >> shift;
}

/** An address that endpoints may have: not of this machine, of a link, or of a group. */
export function nonSpecialAddress(at: Place): void {
  const { text } = at;
  if (text === "0.0.0.0" || text === "::") at.invalid(`may not be unspecified (${text})`);
  if (/^127\./.test(text) || text === "::1") at.invalid("may not be in the loopback range (127.0.0.0/8, ::1/128)");
  if (/^169\.254\./.test(text) || /^fe[89ab]/i.test(text)) {
    at.invalid("may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  }
  if (/^224\.0\.0\./.test(text) || /^ff02:/i.test(text)) {
    at.invalid("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  }
}
