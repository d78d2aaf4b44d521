import { LAST_APPLIED_ANNOTATION } from "../apimachinery/mod.ts";
import { describeError, formatJson, isObject, jsonEqual, truncate } from "../base/mod.ts";

/**
 * A pattern of an object: fields that it names must match, others may be anything. A text matches a RegExp,
 * any value a predicate; `undefined` means that the field must be absent; a list must have the pattern's length and
 * match item by item.
 */
export type Pattern<T> = T extends (infer Item)[] ? readonly Pattern<Item>[]
  : T extends object ? { readonly [Key in keyof T]?: Pattern<T[Key]> | Matcher<T[Key]> | undefined }
  : T | Matcher<T>;

/** A free condition on one value. */
export type Matcher<T> = RegExp | ((value: T) => boolean);

/** One field that is not as it should be. */
export interface Mismatch {
  /** As `data.key`, `status.conditions[0].reason`. */
  readonly path: string;
  /** The pattern as text; secret values are only measured. */
  readonly expected: string;
  /** What is there instead, likewise. */
  readonly found: string;
}

/** Longest text of a value in a message; a longer one is cut. */
const SHOWN_LENGTH_MAX = 200;

/**
 * The fields of `actual` that do not match `pattern`, none where all do. A predicate that throws does not hold. With
 * `secret`, what may hold data of the Secret is described by its length only, so that no message has a value.
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
      // As `(text) => text.length > 3` does while the field is absent. Its message may quote the value.
      fail(secret ? "; the test threw" : `; the test threw: ${describeError(error)}`);
    }
  } else if (pattern instanceof RegExp) {
    // `search` is one that remembers no position, whatever flags the pattern has.
    if (typeof actual !== "string" || actual.search(pattern) < 0) fail();
  } else if (Array.isArray(pattern)) {
    if (!Array.isArray(actual) || actual.length !== pattern.length) return fail();
    pattern.forEach((item, index) => compare(item, actual[index], `${path}[${index}]`, into));
  } else if (isObject(pattern)) {
    const fields = Object.entries(pattern);
    // What is absent as a whole has none of the fields: a pattern may require that.
    const object = actual === undefined && fields.length > 0 ? {} : actual;
    if (!isObject(object)) return fail();
    for (const [key, value] of fields) {
      const at = /^[A-Za-z_]\w*$/.test(key) ? (path ? `${path}.${key}` : key) : `${path}["${key}"]`;
      compare(value, Object.hasOwn(object, key) ? object[key] : undefined, at, into);
    }
  } else if (!jsonEqual(pattern, actual)) fail();
}

/** Whether a field of a Secret can hold none of its data. */
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
    if (value instanceof RegExp) return "a text of a certain form";
    return `a secret value of ${typeof value === "string" ? value.length : formatJson(value).length} characters`;
  }
  if (value instanceof RegExp) return `a text like ${value}`;
  return shorten(formatJson(value), SHOWN_LENGTH_MAX);
}

/** A text for a message: one that is too long is cut, with a note. */
export function shorten(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${truncate(text, lengthMax)}… (${text.length} characters)`;
}

/** Lines for people: `  data.key: expected "a", found "b"`. */
export function describeMismatches(found: readonly Mismatch[]): string {
  return found.map((each) => `  ${each.path}: expected ${each.expected}, found ${each.found}`).join("\n");
}
