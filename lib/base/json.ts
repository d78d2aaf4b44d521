/** Any value that JSON can carry. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/** A JSON object. Made by {@linkcode parseJson} it has no `__proto__` key. */
export interface JsonObject {
  /** An undefined member counts as absent, and is not written. */
  [key: string]: JsonValue | undefined;
}

/** Whether `value` is an object that is neither null nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The keys that reach an object's prototype when they are assigned. */
export function isUnsafeKey(key: string): boolean {
  return key === "__proto__";
}

/** The value of a key of data. Any object inherits `constructor`, `__proto__` and their like, which are keys as good as any. */
export function ownValue(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined;
}

/**
 * Parses JSON from outside. `__proto__` keys are dropped: later code assigns keys, and that one would reach a prototype.
 *
 * @throws {SyntaxError} where `text` is not JSON.
 */
export function parseJson<T = JsonValue>(text: string): T {
  // The reviver is slow (it visits every value), and almost no text needs it.
  if (!text.includes("__proto__") && !text.includes("\\u")) return JSON.parse(text) as T;
  return JSON.parse(text, function (key, value) {
    return isUnsafeKey(key) ? undefined : value;
  }) as T;
}

/** Whether two JSON values say the same; a key that is undefined counts as absent, key order does not count. */
export function jsonEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => jsonEqual(item, right[index]));
  }
  const a = left as Record<string, unknown>, b = right as Record<string, unknown>;
  // Own keys only: `constructor` and its like are found in every object, and are keys of ConfigMaps as good as any.
  for (const key of Object.keys(a)) {
    if (a[key] !== undefined && !jsonEqual(a[key], Object.hasOwn(b, key) ? b[key] : undefined)) return false;
  }
  for (const key of Object.keys(b)) {
    if (b[key] !== undefined && (!Object.hasOwn(a, key) || a[key] === undefined)) return false;
  }
  return true;
}

/** A deep copy of a JSON value, without undefined members. */
export function jsonClone<T>(value: T): T {
  if (Array.isArray(value)) return value.map(jsonClone) as T;
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined && !isUnsafeKey(key)) copy[key] = jsonClone(item);
  }
  return copy as T;
}

/** Freezes a JSON value and all in it: what many readers share, nobody edits. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}

/** JSON text with sorted keys: equal values give equal texts, so that it can be hashed or compared. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item) => {
    if (!isObject(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}
