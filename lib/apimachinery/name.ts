/** Also of a DNS label. */
export const LABEL_VALUE_LENGTH_MAX = 63;

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/**
 * A DNS label of parts, joined by `-`. A long one is cut and ends with a digest of the whole: different parts give
 * different names.
 *
 * @example
 * ```ts
 * import { joinedName } from "@pintle/pintle/client";
 * if (joinedName("door", "config") !== "door-config") throw new Error("short names stay as they are");
 * if (joinedName("x".repeat(80), "a") === joinedName("x".repeat(80), "b")) throw new Error("no two are the same");
 * ```
 */
export function joinedName(...parts: readonly string[]): string {
  const whole = parts.filter((part) => part !== "").join("-");
  if (whole.length <= LABEL_VALUE_LENGTH_MAX) return whole;
  const digest = fnv1a(whole);
  return `${whole.slice(0, LABEL_VALUE_LENGTH_MAX - digest.length - 1).replace(/[-.]+$/, "")}-${digest}`;
}

/** 50 bits of FNV-1a: distinguishes names, protects nothing. */
function fnv1a(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return (hash & ((1n << 50n) - 1n)).toString(32).padStart(10, "0");
}

/** RFC 1123: names of namespaces, services. */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && DNS_LABEL.test(text);
}

/** RFC 1123: names of most objects, API groups. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && DNS_SUBDOMAIN.test(text);
}

/** Whether `text` may be a label's value. */
export function isLabelValue(text: string): boolean {
  return text === "" || (text.length <= LABEL_VALUE_LENGTH_MAX && QUALIFIED_PART.test(text));
}

/** `prefix/name`: keys of labels and annotations, finalizers. */
export function isQualifiedName(text: string): boolean {
  const slash = text.indexOf("/");
  const prefix = slash < 0 ? undefined : text.slice(0, slash), name = text.slice(slash + 1);
  if (prefix !== undefined && !isDnsSubdomain(prefix)) return false;
  return name.length <= 63 && QUALIFIED_PART.test(name);
}
