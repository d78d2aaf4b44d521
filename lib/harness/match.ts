import { LAST_APPLIED_ANNOTATION } from "../apimachinery/mod.ts";
import { describeError, formatJson, isObject, jsonEqual, truncate } from "../base/mod.ts";

/**
 * A pattern of an object; absent fields match anything. A RegExp matches a text, a predicate any value. `undefined`
 * requires absence; lists match by length and item by item.
 */
export type Pattern<T> = T extends (infer Item)[] ? readonly Pattern<Item>[]
  : T extends object ? { readonly [Key in keyof T]?: Pattern<T[Key]> | Matcher<T[Key]> | undefined }
  : T | Matcher<T>;

/** A free condition on one value. */
export type Matcher<T> = RegExp | ((value: T) => boolean);

/** A field that does not match. */
export interface Mismatch {
  /** Such as `data.key`, `status.conditions[0].reason`. */
  readonly path: string;
  /** The pattern as text; secret values only by length. */
  readonly expected: string;
  /** The actual value, likewise. */
  readonly found: string;
}

const SHOWN_LENGTH_MAX = 200;

/**
 * The fields of `actual` that do not match `pattern`; a predicate that throws does not. With `secret`, Secret data is
 * described by length only, so that messages contain no value.
 */
export function mismatches(pattern: unknown, actual: unknown, options: { secret?: boolean } = {}): Mismatch[] {
  const found: Mismatch[] = [];
  compare(pattern, actual, "", { secret: options.secret ?? false, found });
  return found;
}

function compare(
  pattern: unknown,
  actual: unknown,
  path: string,
  into: { readonly secret: boolean; readonly found: Mismatch[] },
): void {
  const { secret, found } = into;
  const fail = (more = "") => {
    const hidden = secret && !isShownOfSecret(path);
    found.push({
      path: path || "(object)",
      expected: show(pattern, path, hidden),
      found: show(actual, path, hidden) + more,
    });
  };
  if (typeof pattern === "function") {
    try {
      if (!pattern(actual)) fail();
    } catch (error) {
      // `(text) => text.length > 3` throws for an absent field. Its message may quote the value.
      fail(secret ? "; the test threw" : `; the test threw: ${describeError(error)}`);
    }
  } else if (pattern instanceof RegExp) {
    // Unlike `test`, `search` keeps no position.
    if (typeof actual !== "string" || actual.search(pattern) < 0) fail();
  } else if (Array.isArray(pattern)) {
    if (!Array.isArray(actual) || actual.length !== pattern.length) return fail();
    pattern.forEach((item, index) => compare(item, actual[index], `${path}[${index}]`, into));
  } else if (isObject(pattern)) {
    const fields = Object.entries(pattern);
    // An absent object has no fields, which a pattern may require.
    const object = actual === undefined && fields.length > 0 ? {} : actual;
    if (!isObject(object)) return fail();
    for (const [key, value] of fields) {
      const at = /^[A-Za-z_]\w*$/.test(key) ? (path ? `${path}.${key}` : key) : `${path}["${key}"]`;
      compare(value, Object.hasOwn(object, key) ? object[key] : undefined, at, into);
    }
  } else if (!jsonEqual(pattern, actual)) fail();
}

function isShownOfSecret(path: string): boolean {
  if (path.startsWith("metadata.annotations[")) return !path.includes(LAST_APPLIED_ANNOTATION);
  return /^(apiVersion|kind|type|immutable|metadata\.(?!annotations$|managedFields)\w)/.test(path);
}

function show(value: unknown, path: string, hidden: boolean): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") {
    // A function in an object is named after its field, which explains nothing.
    const isNamed = value.name !== "" && !path.endsWith(value.name) && !path.endsWith(`["${value.name}"]`);
    return isNamed ? `a value that is ${value.name}` : "a value that the test accepts";
  }
  if (hidden) {
    if (value instanceof RegExp) return "a string of a certain form";
    return `a secret value of ${typeof value === "string" ? value.length : formatJson(value).length} characters`;
  }
  if (value instanceof RegExp) return `a string like ${value}`;
  return shorten(formatJson(value), SHOWN_LENGTH_MAX);
}

/** Cuts a long text, with a note. */
export function shorten(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${truncate(text, lengthMax)}… (${text.length} characters)`;
}

/** Lines such as `  data.key: expected "a", found "b"`. */
export function describeMismatches(found: readonly Mismatch[]): string {
  return found.map((each) => `  ${each.path}: expected ${each.expected}, found ${each.found}`).join("\n");
}
