import { isObject, type Mask, type MaskedValue } from "../base/mod.ts";
import { LAST_APPLIED_ANNOTATION } from "./object.ts";

/** Of objects in lists in reviews; no API server sends deeper ones. */
const DEPTH_MAX = 4;

export function isSecretResource(resource: { readonly group: string; readonly plural: string } | undefined): boolean {
  return resource !== undefined && resource.group === "" && resource.plural === "secrets";
}

/**
 * Teaches `mask` the values of every Secret in `body`: an object, a list, a watch event's object, a patch of any type.
 * `body` must be of Secrets, or name its kind. Cheap: nothing is decoded before a text is masked.
 */
export function learnSecrets(mask: Mask, body: unknown, options: { readonly ofSecrets: boolean }): void {
  learn(mask, body, options.ofSecrets, 0);
}

function learn(mask: Mask, body: unknown, ofSecrets: boolean, depth: number): void {
  if (depth > DEPTH_MAX) return;
  if (Array.isArray(body)) {
    if (ofSecrets && body.length > 0 && isObject(body[0]) && typeof body[0].op === "string") learnJsonPatch(mask, body);
    else for (const item of body) learn(mask, item, ofSecrets, depth + 1);
  } else if (isObject(body)) {
    const isSecret = body.kind === undefined ? ofSecrets : body.kind === "Secret" && body.apiVersion === "v1";
    if (isSecret) learnSecret(mask, body);
    if (Array.isArray(body.items)) learn(mask, body.items, ofSecrets || body.kind === "SecretList", depth + 1);
  }
}

const PLAIN: readonly string[] = ["apiVersion", "kind", "metadata", "type", "immutable", "items"];

function learnSecret(mask: Mask, secret: Record<string, unknown>): void {
  const own = ownNames(secret);
  // Unknown fields may be mistyped ones, which the server refuses with their values.
  const wrong: [field: string, value: unknown][] = [];
  for (const [field, value] of Object.entries(secret)) {
    if (PLAIN.includes(field) || value === undefined || value === null) continue;
    if (typeof value !== "object") wrong.push([field, value]);
    else mask.learn(value, lengthOf(value), () => except(own, valuesOf(value, field === "data")));
  }
  const values = () => wrong.flatMap(([field, value]) => [...valuesOf(value, field === "data")]);
  if (wrong.length > 0) mask.learn(secret, lengthOf(wrong), () => except(own, values()));
  const annotations = isObject(secret.metadata) ? secret.metadata.annotations : undefined;
  if (!isObject(annotations) || !Object.hasOwn(annotations, LAST_APPLIED_ANNOTATION)) return;
  const applied = annotations[LAST_APPLIED_ANNOTATION];
  if (typeof applied === "string") mask.learn(annotations, applied.length, () => except(own, appliedValues(applied)));
}

/** A service account's token data contains its namespace, which is public and in every log line. */
function ownNames({ metadata }: Record<string, unknown>): ReadonlySet<unknown> {
  return new Set(isObject(metadata) ? [metadata.name, metadata.namespace] : []);
}

function* except(own: ReadonlySet<unknown>, values: Iterable<MaskedValue>): Generator<MaskedValue> {
  for (const value of values) {
    if (!own.has(typeof value === "string" ? value : new TextDecoder().decode(value))) yield value;
  }
}

function learnJsonPatch(mask: Mask, operations: readonly unknown[]): void {
  for (const operation of operations) {
    if (!isObject(operation) || operation.value === undefined) continue;
    const fields = `${operation.path}`.split("/").slice(1).map((field) =>
      field.replaceAll("~1", "/").replaceAll("~0", "~")
    );
    learn(mask, fields.reduceRight<unknown>((value, field) => ({ [field]: value }), operation.value), true, 1);
  }
}

/** Strings, numbers and booleans: a server that refuses them quotes them. */
function* valuesOf(value: unknown, isBase64: boolean): Generator<MaskedValue> {
  if (isObject(value) || Array.isArray(value)) {
    for (const item of Object.values(value)) yield* valuesOf(item, isBase64);
  } else if (value !== null && value !== undefined) {
    const text = String(value), bytes = isBase64 ? decoded(text) : undefined;
    // A value that is not base64 was probably not encoded by mistake.
    yield bytes ?? text;
    // The decoded bytes cover every part of their base64; a short value is also learned as text.
    if (bytes && text.length < 16) yield text;
  }
}

function* appliedValues(text: string): Generator<MaskedValue> {
  try {
    const applied: unknown = JSON.parse(text);
    if (!isObject(applied)) return;
    yield* valuesOf(applied.data, true);
    yield* valuesOf(applied.stringData, false);
  } catch {
    yield text; // not as kubectl wrote it
  }
}

function decoded(base64: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    return undefined;
  }
}

function lengthOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  let length = 0;
  for (const item of Object.values(value)) length += lengthOf(item);
  return length;
}
