/** Any JSON value. A bigint is an integer that a number cannot hold exactly: see {@linkcode parseJson}. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject;

/** Any string is a key, `__proto__` included: write unknown keys with {@linkcode setKey}. */
export interface JsonObject {
  /** Undefined counts as absent, and is not written. */
  [key: string]: JsonValue | undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Writes any key: an assignment of `__proto__` would replace the prototype. */
export function setKey(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/** "JSON.parse source text access", which TypeScript's library lacks. */
const ExactJson = JSON as typeof JSON & {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): object;
};

/** Own keys only: objects inherit `constructor`, `__proto__` and others, which are valid keys of data. */
export function ownValue(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined;
}

/** Numbers of sixteen digits or more: fewer are always exact. Digits in strings may match, too. */
const LONG_INTEGER = /(?:^|[:,[\s-])\d{16}/;
const INT64_MIN = -(2n ** 63n), INT64_MAX = 2n ** 63n - 1n;

/**
 * Parses untrusted JSON. An int64 beyond ±(2^53 - 1) becomes a bigint: a number would silently change it. Floats, and
 * larger integers, which API servers read as floats, are numbers. `__proto__` is an ordinary key.
 *
 * @throws {SyntaxError} where `text` is not JSON.
 * @example
 * ```ts
 * import { formatJson, parseJson } from "@pintle/pintle/client";
 * const text = '{"small":5,"large":9007199254740993}';
 * if (formatJson(parseJson(text)) !== text) throw new Error("nothing is lost");
 * ```
 */
export function parseJson<T = JsonValue>(text: string): T {
  // A reviver visits every value: six times slower, and almost no text needs it.
  return (LONG_INTEGER.test(text) ? ExactJson.parse(text, exactInteger) : JSON.parse(text)) as T;
}

function exactInteger(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !source || !/^-?\d+$/.test(source)) return value;
  return narrowed(BigInt(source));
}

function narrowed(integer: bigint): number | bigint {
  const number = Number(integer);
  return Number.isSafeInteger(number) || integer < INT64_MIN || integer > INT64_MAX ? number : integer;
}

/** Converts another parser's value, whose integers are all bigints, to the form of {@linkcode parseJson}. */
export function narrowIntegers(value: unknown): unknown {
  if (typeof value === "bigint") return narrowed(value);
  if (Array.isArray(value)) return value.map(narrowIntegers);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, narrowIntegers(item)]));
}

/** JSON allows these in quoted text; YAML forbids them or folds them into spaces. */
const NOT_YAML = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

/**
 * JSON text for API servers and files: `JSON.stringify` throws for a bigint.
 *
 * Guarantees: integers are exact. The text is valid YAML, because API servers read server-side apply as YAML. An
 * unpaired surrogate, which UTF-8 cannot hold, becomes U+FFFD.
 */
export function formatJson(value: unknown, indent?: number): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value, undefined, indent);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    text = JSON.stringify(value, (_key, item) => exactNumber(item), indent); // three times as slow, and rarely needed
  }
  if (text === undefined) return "null";
  if (text.search(NOT_YAML) >= 0) text = text.replaceAll(NOT_YAML, escaped);
  // `JSON.stringify` escapes exactly the unpaired surrogates. Other escapes are matched to skip their backslashes.
  return text.includes("\\ud") ? text.replaceAll(/\\(?:ud[89a-f][0-9a-f]{2}|[^])/g, replaced) : text;
}

function exactNumber(value: unknown): unknown {
  return typeof value === "bigint" ? ExactJson.rawJSON(String(value)) : value;
}

function escaped(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function replaced(escape: string): string {
  return escape.length > 2 ? "\ufffd" : escape;
}

/** Undefined counts as absent; key order does not count. */
export function jsonEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  // As text: a handler may use bigints throughout, or a number that is read as a bigint.
  if (typeof left === "bigint" || typeof right === "bigint") {
    return isNumeric(left) && canonicalJson(left) === canonicalJson(right);
  }
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => jsonEqual(item, right[index]));
  }
  const a = left as Record<string, unknown>, b = right as Record<string, unknown>;
  // Own keys only: `constructor` and others are valid keys of ConfigMaps.
  for (const key of Object.keys(a)) {
    if (a[key] !== undefined && !jsonEqual(a[key], Object.hasOwn(b, key) ? b[key] : undefined)) return false;
  }
  for (const key of Object.keys(b)) {
    if (b[key] !== undefined && (!Object.hasOwn(a, key) || a[key] === undefined)) return false;
  }
  return true;
}

function isNumeric(value: unknown): boolean {
  return typeof value === "bigint" || typeof value === "number";
}

/** Without undefined members. */
export function jsonClone<T>(value: T): T {
  if (Array.isArray(value)) return value.map(jsonClone) as T;
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) setKey(copy, key, jsonClone(item));
  }
  return copy as T;
}

export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}

/** With sorted keys: equal values give equal texts. */
export function canonicalJson(value: unknown): string {
  // Most are scalars: the keys of lists.
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return JSON.stringify(value, (_key, item) => {
    if (!isObject(item)) return exactNumber(item);
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}
