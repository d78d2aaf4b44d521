import { isObject, jsonEqual } from "../base/mod.ts";

/**
 * What an object should look like: fields that it names must match, others may be anything. A text matches a RegExp, any
 * value a predicate; `undefined` says that the field must be absent; a list must have the pattern's length and match item
 * by item.
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
  /** What the pattern asks for, as text; secret values are only measured. */
  readonly expected: string;
  /** What is there instead, likewise. */
  readonly found: string;
}

/** Longest text of a value in a message; a longer one is cut. */
const SHOWN_LENGTH_MAX = 200;

/**
 * The fields of `actual` that do not match `pattern`, none where all do. With `secret`, values below `data` and `stringData`
 * are told apart by length only, so that no message holds one.
 */
export function mismatches(pattern: unknown, actual: unknown, options: { secret?: boolean } = {}): Mismatch[] {
  const found: Mismatch[] = [];
  compare(pattern, actual, "", options.secret ?? false, found);
  return found;
}

function compare(pattern: unknown, actual: unknown, path: string, secret: boolean, found: Mismatch[]): void {
  const fail = () => {
    const hidden = secret && /^(data|stringData)(\.|$)/.test(path);
    found.push({ path: path || "(object)", expected: show(pattern, hidden), found: show(actual, hidden) });
  };
  if (typeof pattern === "function") {
    if (!pattern(actual)) fail();
  } else if (pattern instanceof RegExp) {
    if (typeof actual !== "string" || !pattern.test(actual)) fail();
  } else if (Array.isArray(pattern)) {
    if (!Array.isArray(actual) || actual.length !== pattern.length) return fail();
    pattern.forEach((item, index) => compare(item, actual[index], `${path}[${index}]`, secret, found));
  } else if (isObject(pattern)) {
    const fields = Object.entries(pattern);
    // What is absent as a whole has none of the fields: a pattern may say just that.
    const object = actual === undefined && fields.length > 0 ? {} : actual;
    if (!isObject(object)) return fail();
    for (const [key, value] of fields) {
      const at = /^[A-Za-z_]\w*$/.test(key) ? (path ? `${path}.${key}` : key) : `${path}["${key}"]`;
      compare(value, Object.hasOwn(object, key) ? object[key] : undefined, at, secret, found);
    }
  } else if (!jsonEqual(pattern, actual)) fail();
}

function show(value: unknown, hidden: boolean): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") {
    return value.name ? `a value that is ${value.name}` : "a value that the test accepts";
  }
  if (value instanceof RegExp) return `a text like ${value}`;
  const text = JSON.stringify(value);
  if (hidden) return `a secret value of ${typeof value === "string" ? value.length : text.length} characters`;
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}… (${text.length} characters)`;
}

/** Lines for people: `  data.key: expected "a", found "b"`. */
export function describeMismatches(found: readonly Mismatch[]): string {
  return found.map((each) => `  ${each.path}: expected ${each.expected}, found ${each.found}`).join("\n");
}
