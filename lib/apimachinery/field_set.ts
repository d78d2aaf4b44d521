import { isObject, jsonEqual } from "../base/mod.ts";
import type { DynamicObject } from "./object.ts";
import { quantityEqual } from "./quantity.ts";

type Fields = Record<string, unknown>;

/**
 * Whether a server-side apply of `desired` would change nothing, known without a request and without a schema.
 *
 * True means: every field that `ownFields` (the `fieldsV1` of our own Apply entry) names is in `desired`, and every field of
 * `desired` is owned and has the same value in `live`. Whatever cannot be told without the schema answers false: a needless
 * write is allowed, a missed one is not. `apiVersion`, `kind`, `metadata.name` and `metadata.namespace` are identity and not
 * compared; quantities are compared by value; a Secret's `stringData` counts as its `data` (KEP-555, FieldsV1).
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
  return objectIsCurrent(wanted, withoutAbsent(live, "stringData"), ownFieldsOf(ownFields));
}

/** A server stores `stringData` as `data` and still lists it in the owner's fields under its own name. */
function withStringData(desired: DynamicObject, own: Fields): DynamicObject {
  const texts = desired.stringData;
  if (desired.kind !== "Secret" || desired.apiVersion !== "v1" || !isObject(texts)) return desired;
  const ownsTexts = own["f:stringData"];
  if (!isObject(ownsTexts) || !sameKeys(texts, ownsTexts)) return { ...desired, stringData: null };
  const { stringData: _texts, ...rest } = desired;
  const data = isObject(desired.data) ? { ...desired.data } : {};
  for (const [key, text] of Object.entries(texts)) data[key] = base64(String(text));
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

/** Ownership with `stringData` folded into `data`, to match the folded object. */
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

function isCurrent(desired: unknown, live: unknown, own: unknown): boolean {
  if (!isObject(own)) return false;
  const elements = Object.keys(own).filter((key) => key !== ".");
  if (elements.length === 0) return jsonEqual(desired, live) || quantityEqual(desired, live);
  if (elements.every((key) => key.startsWith("f:"))) {
    return isObject(desired) && isObject(live) && objectIsCurrent(desired, live, own);
  }
  if (!Array.isArray(desired) || !Array.isArray(live)) return false;
  if (elements.every((key) => key.startsWith("k:"))) return mapIsCurrent(desired, live, own, elements);
  if (elements.every((key) => key.startsWith("v:"))) return setIsCurrent(desired, live, elements);
  return false;
}

function objectIsCurrent(desired: Fields, live: Fields, own: Fields): boolean {
  const wanted = Object.keys(desired).filter((key) => desired[key] !== undefined);
  for (const key of Object.keys(own)) {
    if (key !== "." && !(key.startsWith("f:") && wanted.includes(key.slice(2)))) return false;
  }
  return wanted.every((key) => {
    if (!Object.hasOwn(own, `f:${key}`)) return false;
    return isCurrent(desired[key], Object.hasOwn(live, key) ? live[key] : undefined, own[`f:${key}`]);
  });
}

/** Lists keyed by fields. A key field that `desired` leaves out was defaulted by the server: the entry that fits must be one. */
function mapIsCurrent(desired: unknown[], live: unknown[], own: Fields, elements: string[]): boolean {
  if (desired.length !== elements.length) return false;
  const keys = elements.map((element) => parseElement(element));
  const claimed = new Set<number>();
  let formerPosition = -1;
  for (const item of desired) {
    if (!isObject(item)) return false;
    const fitting = keys.flatMap((key, index) => key && fits(item, key) ? [index] : []);
    const index = fitting[0];
    if (fitting.length !== 1 || index === undefined || claimed.has(index)) return false;
    claimed.add(index);
    const key = keys[index]!;
    const position = live.findIndex((other) => isObject(other) && contains(other, key));
    // Applying again would restore our order, so another order is a difference.
    if (position <= formerPosition) return false;
    formerPosition = position;
    if (!isCurrent(item, live[position], own[elements[index]!])) return false;
  }
  return true;
}

function setIsCurrent(desired: unknown[], live: unknown[], elements: string[]): boolean {
  if (desired.length !== elements.length) return false;
  const values = elements.map((element) => parseJsonText(element.slice(2)));
  let formerPosition = -1;
  return desired.every((item) => {
    const position = live.findIndex((other) => jsonEqual(other, item));
    const inOrder = position > formerPosition;
    formerPosition = position;
    return inOrder && values.some((value) => jsonEqual(value, item));
  });
}

function fits(item: Fields, key: Fields): boolean {
  return Object.keys(key).every((field) => item[field] === undefined || jsonEqual(item[field], key[field]));
}

function contains(item: Fields, key: Fields): boolean {
  return Object.keys(key).every((field) => jsonEqual(item[field], key[field]));
}

function parseElement(element: string): Fields | undefined {
  const key = parseJsonText(element.slice(2));
  return isObject(key) ? key : undefined;
}

function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // an element nobody can match: the caller then answers false
    throw error;
  }
}
