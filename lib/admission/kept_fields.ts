import { formatJson, isObject, jsonClone, jsonEqual, parseJson, setKey } from "../base/mod.ts";
import { diff } from "../apimachinery/mod.ts";

/** A field that a round trip through another version does not bring back by itself. */
export interface KeptField {
  /** Keys from the root of the object on, as `["spec", "size"]`. */
  readonly path: readonly string[];
  /** What the round trip makes of it; absent where it makes nothing. */
  readonly was?: unknown;
  /** What it is; absent where there is nothing. */
  readonly is?: unknown;
}

/** Longest text that is kept: all annotations of an object may have 256 KiB. */
const KEPT_LENGTH_MAX = 32 * 1024;

/** The annotation that holds fields of `version` while the object is in another one. */
export function keptAnnotation(version: string): string {
  return `conversion.pintle.dev/${version}`;
}

/**
 * The fields of `object` that are another value in `returned`, which is what a round trip made of it. `normal` says
 * what a schema makes of an object, so that a default that was filled in is no difference; values are kept as `object`
 * has them.
 */
export function keptFields(object: unknown, returned: unknown, normal: (object: unknown) => unknown): KeptField[] {
  return diff(normal(returned), normal(object)).flatMap(({ path }) => {
    const was = valueAt(returned, path), is = valueAt(object, path);
    return jsonEqual(was, is) ? [] : [{ path, ...(was !== undefined && { was }), ...(is !== undefined && { is }) }];
  });
}

/** The text of an annotation; undefined where it would be too long. */
export function packFields(fields: readonly KeptField[]): string | undefined {
  const text = formatJson(fields);
  return text.length > KEPT_LENGTH_MAX ? undefined : text;
}

/** Reads an annotation. Anybody can write one, so what cannot be a field of a spec or a status is passed over. */
export function unpackFields(text: string | undefined): KeptField[] {
  if (text === undefined || text.length > KEPT_LENGTH_MAX) return [];
  try {
    const fields: unknown = parseJson(text);
    return Array.isArray(fields) ? fields.filter(isKeptField) : [];
  } catch {
    return [];
  }
}

function isKeptField(field: unknown): field is KeptField {
  if (!isObject(field) || !Array.isArray(field.path)) return false;
  const { path } = field, [root] = path;
  return (root === "spec" || root === "status") && path.length > 1 &&
    path.every((key) => typeof key === "string" && key !== "__proto__"); // no schema reads it, so it was never kept
}

/**
 * Puts fields back where a conversion makes of an object what the round trip made of it then: whatever somebody has
 * changed in the other version since, their change wins. Returns a copy.
 */
export function restoreFields<T extends object>(object: T, fields: readonly KeptField[]): T {
  const restored = jsonClone(object);
  for (const { path, was, is } of fields) {
    if (jsonEqual(valueAt(object, path), was)) setAt(restored, path, is);
  }
  return restored;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const key of path) at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  return at;
}

function setAt(object: object, path: readonly string[], value: unknown): void {
  let at = object as Record<string, unknown>;
  for (const key of path.slice(0, -1)) {
    if (!Object.hasOwn(at, key) || !isObject(at[key])) {
      if (value === undefined) return;
      setKey(at, key, {});
    }
    at = at[key] as Record<string, unknown>;
  }
  const last = path.at(-1)!;
  if (value === undefined) delete at[last];
  else setKey(at, last, jsonClone(value));
}
