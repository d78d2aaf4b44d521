import { formatJson, isObject, jsonClone, jsonEqual, parseJson, setKey } from "../base/mod.ts";
import { diff } from "../apimachinery/mod.ts";

/** A field that a round trip through another version loses or changes. */
interface LostField {
  readonly path: readonly string[];
  /** After the round trip; absent where it is lost. */
  readonly was?: unknown;
  /** Absent where there is no value. */
  readonly is?: unknown;
}

/** All annotations of an object may have 256 KiB. */
const FIELDS_LENGTH_MAX = 32 * 1024;

/** Holds fields of `version` while the object is in another one. */
export function preservedAnnotation(version: string): string {
  return `conversion.pintle.dev/${version}`;
}

/**
 * Fields that differ in `returned` after a round trip. `normal` fills in a schema's defaults, which are no difference;
 * values are kept as in `object`.
 */
export function lostFields(object: unknown, returned: unknown, normal: (object: unknown) => unknown): LostField[] {
  return diff(normal(returned), normal(object)).flatMap(({ path }) => {
    const was = valueAt(returned, path), is = valueAt(object, path);
    return jsonEqual(was, is) ? [] : [{ path, ...(was !== undefined && { was }), ...(is !== undefined && { is }) }];
  });
}

/** Undefined where the text would be too long. */
export function packFields(fields: readonly LostField[]): string | undefined {
  const text = formatJson(fields);
  return text.length > FIELDS_LENGTH_MAX ? undefined : text;
}

/** Any client can set the annotation, so only paths in spec and status count. */
export function unpackFields(text: string | undefined): LostField[] {
  if (text === undefined || text.length > FIELDS_LENGTH_MAX) return [];
  try {
    const fields: unknown = parseJson(text);
    return Array.isArray(fields) ? fields.filter(isLostField) : [];
  } catch {
    return [];
  }
}

function isLostField(field: unknown): field is LostField {
  if (!isObject(field) || !Array.isArray(field.path)) return false;
  const { path } = field, [root] = path;
  return (root === "spec" || root === "status") && path.length > 1 &&
    path.every((key) => typeof key === "string" && key !== "__proto__"); // no schema reads it, so it was never kept
}

/** Restores fields in a copy, except where the other version changed the value later. */
export function restoreFields<T extends object>(object: T, fields: readonly LostField[]): T {
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
