import { canonicalJson, isObject, jsonEqual, ownValue, parseJson, setKey } from "../base/mod.ts";
import type { DynamicObject } from "./object.ts";
import { quantityEqual } from "./quantity.ts";
import { parseApiVersion } from "./resource.ts";

type Fields = Record<string, unknown>;

const SEVERAL = -1;

/**
 * Whether a server-side apply of `desired` would change nothing, decided without request and schema.
 *
 * True: `desired` has every field of `ownFields` (the `fieldsV1` of our own Apply entry), owns each of its fields, and
 * `live` has the same values. False where only the schema could decide: a needless write is allowed, a missed one is
 * not. `apiVersion`, `kind`, `metadata.name` and `metadata.namespace` are not compared; quantities are compared by
 * value; a Secret's `stringData` counts as `data` (KEP-555, FieldsV1).
 */
export function applyIsCurrent(
  desired: DynamicObject,
  live: DynamicObject,
  ownFields: Record<string, unknown> | undefined,
): boolean {
  if (!ownFields) return false;
  const { apiVersion: _version, kind: _kind, metadata, ...fields } = withStringData(desired, ownFields);
  const wanted: Fields = { ...fields };
  if (metadata) {
    const { name: _name, namespace: _namespace, ...rest } = metadata as Fields;
    if (Object.values(rest).some((value) => value !== undefined)) wanted.metadata = rest;
  }
  const { group } = parseApiVersion(desired.apiVersion ?? ""),
    isBuiltIn = !group.includes(".") || group.endsWith(".k8s.io");
  return objectIsCurrent(wanted, withoutAbsent(live, "stringData"), { own: ownFieldsOf(ownFields), isBuiltIn });
}

/** A server stores `stringData` as `data`, but lists it in the owner's fields under its own name. */
function withStringData(desired: DynamicObject, own: Fields): DynamicObject {
  const texts = desired.stringData;
  if (desired.kind !== "Secret" || desired.apiVersion !== "v1" || !isObject(texts)) return desired;
  const ownsTexts = own["f:stringData"];
  if (!isObject(ownsTexts) || !sameKeys(texts, ownsTexts)) return { ...desired, stringData: null };
  const { stringData: _texts, ...rest } = desired;
  const data = isObject(desired.data) ? { ...desired.data } : {};
  for (const [key, text] of Object.entries(texts)) setKey(data, key, base64(String(text)));
  return { ...rest, data };
}

function sameKeys(texts: Fields, own: Fields): boolean {
  const keys = Object.keys(texts).filter((key) => texts[key] !== undefined);
  const owned = Object.keys(own).filter((key) => key !== ".");
  return keys.length === owned.length && keys.every((key) => Object.hasOwn(own, `f:${key}`));
}

function base64(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Folds `stringData` into `data`, to match the folded object. */
function ownFieldsOf(own: Fields): Fields {
  const texts = own["f:stringData"];
  if (!isObject(texts)) return own;
  const { "f:stringData": _texts, ...rest } = own;
  const data = own["f:data"];
  return { ...rest, "f:data": { ...(isObject(data) ? data : {}), ...texts } };
}

function withoutAbsent(live: DynamicObject, key: string): Fields {
  const { [key]: _absent, ...rest } = live;
  return rest;
}

interface Owned<Own = Fields> {
  readonly own: Own;
  readonly isBuiltIn: boolean;
}

function isCurrent(desired: unknown, live: unknown, { own, isBuiltIn }: Owned<unknown>): boolean {
  if (!isObject(own)) return false;
  switch (partsOf(own)) {
    case "":
      return jsonEqual(desired, live) || quantityEqual(desired, live);
    case "f:":
      return isObject(desired) && isObject(live) && objectIsCurrent(desired, live, { own, isBuiltIn });
    case "k:":
      return Array.isArray(desired) && Array.isArray(live) && mapIsCurrent(desired, live, { own, isBuiltIn });
    case "v:":
      return Array.isArray(desired) && Array.isArray(live) && setIsCurrent(desired, live, own);
    default:
      return false;
  }
}

/** An owned value's parts: fields, entries by keys, members of a set; "" where it is owned as one. */
function partsOf(own: Fields): string {
  let parts = "";
  for (const element in own) {
    if (element === ".") continue;
    const part = element.slice(0, 2);
    if (parts !== "" && part !== parts) return "mixed";
    parts = part;
  }
  return parts;
}

function elementsOf(own: Fields): string[] {
  return Object.keys(own).filter((element) => element !== ".");
}

function objectIsCurrent(desired: Fields, live: Fields, { own, isBuiltIn }: Owned): boolean {
  let owned = 0;
  for (const element in own) if (element !== ".") owned++;
  for (const key in desired) {
    if (desired[key] === undefined) continue;
    const part = ownValue(own, `f:${key}`), value = ownValue(live, key);
    if (part !== undefined) owned--;
    if (value === undefined && isUnstored(desired[key], { own: part, isBuiltIn })) continue;
    if (part === undefined || !isCurrent(desired[key], value, { own: part, isBuiltIn })) return false;
  }
  return owned === 0; // every owned part is still desired
}

/**
 * Whether an absent value is as applied: built-in kinds do not store zero values (Go's `omitempty`). It is owned as
 * one, so it was applied: a value that another manager removed has no owner. An empty keyed list never has an owner.
 */
function isUnstored(value: unknown, { own, isBuiltIn }: Owned<unknown>): boolean {
  if (own === undefined) return isBuiltIn && Array.isArray(value) && value.length === 0;
  return isZero(value) && isObject(own) && partsOf(own) === "";
}

function isZero(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return value === null || value === "" || value === false || value === 0;
}

/** Lists keyed by fields. The server defaults a missing key field: exactly one entry must match. */
function mapIsCurrent(desired: unknown[], live: unknown[], { own, isBuiltIn }: Owned): boolean {
  const elements = elementsOf(own);
  if (desired.length !== elements.length) return false;
  const keys = elements.map((element) => parseElement(element)), fields = Object.keys(keys[0] ?? {});
  if (!keys.every((key): key is Fields => key !== undefined && hasFields(key, fields))) return false;
  const texts = keys.map((key) => keyText(key, fields));
  const owned = positionsOf(texts), positions = positionsOf(live.map((item) => keyText(item, fields)));
  const fitting = new Map<string, Map<string | undefined, number>>(), claimed = new Uint8Array(keys.length);
  let formerPosition = -1;
  for (const item of desired) {
    if (!isObject(item)) return false;
    const found = owned.get(keyText(item, fields)) ?? onlyFitting(item, keys, fields, fitting);
    if (found === undefined || claimed[found]) return false;
    claimed[found] = 1;
    const position = positions.get(texts[found]) ?? -1;
    // Another apply would restore our order, so another order is a difference.
    if (position <= formerPosition) return false;
    formerPosition = position;
    if (!isCurrent(item, live[position], { own: own[elements[found]!], isBuiltIn })) return false;
  }
  return true;
}

/**
 * The position of the one key that matches an item without some key fields. `fitting` caches positions by an item's
 * fields: one list has few different sets.
 */
function onlyFitting(
  item: Fields,
  keys: readonly Fields[],
  fields: readonly string[],
  fitting: Map<string, Map<string | undefined, number>>,
): number | undefined {
  const present = fields.filter((field) => ownValue(item, field) !== undefined), name = present.join("\n");
  let positions = fitting.get(name);
  if (!positions) {
    positions = new Map();
    for (const [position, key] of keys.entries()) {
      const text = keyText(key, present);
      positions.set(text, positions.has(text) ? SEVERAL : position);
    }
    fitting.set(name, positions);
  }
  const found = positions.get(keyText(item, present));
  return found === SEVERAL ? undefined : found;
}

function setIsCurrent(desired: unknown[], live: unknown[], own: Fields): boolean {
  const elements = elementsOf(own);
  if (desired.length !== elements.length) return false;
  const values = new Set(elements.map((element) => canonicalJson(parseJsonText(element.slice(2)))));
  const positions = positionsOf(live.map((item) => canonicalJson(item)));
  let formerPosition = -1;
  return desired.every((item) => {
    const text = canonicalJson(item), position = positions.get(text) ?? -1, inOrder = position > formerPosition;
    formerPosition = position;
    return inOrder && values.has(text);
  });
}

function positionsOf(texts: readonly (string | undefined)[]): Map<string | undefined, number> {
  const positions = new Map<string | undefined, number>();
  texts.forEach((text, position) => {
    if (text !== undefined && !positions.has(text)) positions.set(text, position);
  });
  return positions;
}

function hasFields(key: Fields, fields: readonly string[]): boolean {
  return Object.keys(key).length === fields.length && fields.every((field) => Object.hasOwn(key, field));
}

/** An item's values in these fields, as a Map's key; undefined where one is missing. */
function keyText(item: unknown, fields: readonly string[]): string | undefined {
  if (!isObject(item)) return undefined;
  if (fields.length === 1) {
    const value = ownValue(item, fields[0]!);
    // Most lists have one key, a string. Others are formatted as a list, which differs from any string.
    return typeof value === "string" || value === undefined ? value : `[${canonicalJson(value)}]`;
  }
  const values = fields.map((field) => ownValue(item, field));
  return values.includes(undefined) ? undefined : values.map(canonicalJson).join();
}

function parseElement(element: string): Fields | undefined {
  const key = parseJsonText(element.slice(2));
  return isObject(key) ? key : undefined;
}

function parseJsonText(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // an unreadable element: the caller then returns false
    throw error;
  }
}
