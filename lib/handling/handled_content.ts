import { createHash } from "node:crypto";
import { canonicalJson, isObject, jsonClone, type JsonObject } from "../base/mod.ts";
import { type KubeObject, LAST_APPLIED_ANNOTATION } from "../apimachinery/mod.ts";
import { fieldPath, valueAt } from "./filter.ts";

/**
 * The part of an object whose changes call handlers: what people and other controllers set, without status and records.
 */
export type HandledContent = JsonObject;

/** What is remembered of an object as it was when it was handled. */
export interface Snapshot {
  /** Differs where the content differs. */
  readonly digest: string;
  /** The content itself; absent where it is too large, or no handler needs it. */
  readonly content?: HandledContent;
  /** Digests of single fields, by path, where the content itself is not kept. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** What handled content leaves out, and which of its values are secret. */
interface ContentOptions {
  /** Whether an annotation is an operator's own record. */
  readonly isRecord: (annotation: string) => boolean;
  /** Paths whose changes are ignored, as `spec.replicas`. */
  readonly ignoredFields?: readonly string[];
  /** Values under these fields are secret: digests replace them. */
  readonly secretFields?: readonly string[];
}

const LEFT_OUT = new Set(["apiVersion", "kind", "metadata", "status"]);

/**
 * The content of an object: all of it but apiVersion, kind, status and metadata, of which labels and foreign
 * annotations count. Values of secret fields become digests, keyed with the object's uid: equal values of two objects
 * look different.
 */
export function handledContentOf(object: KubeObject, options: ContentOptions): HandledContent {
  const { isRecord, ignoredFields = [], secretFields = [] } = options;
  const { labels = {}, annotations = {}, uid = "" } = object.metadata ?? {};
  const content: JsonObject = {};
  for (const [field, value] of Object.entries(object)) {
    if (!LEFT_OUT.has(field) && value !== undefined) content[field] = jsonClone(value);
  }
  hideSecrets(content, uid, secretFields);
  const foreign = Object.entries(annotations).filter(([key]) => key !== LAST_APPLIED_ANNOTATION && !isRecord(key));
  const metadata: JsonObject = {};
  if (Object.keys(labels).length > 0) metadata.labels = { ...labels };
  if (foreign.length > 0) metadata.annotations = Object.fromEntries(foreign);
  if (Object.keys(metadata).length > 0) content.metadata = metadata;
  for (const field of ignoredFields) removeAt(content, fieldPath(field));
  return content;
}

/** Replaces secret values by digests, keyed with the uid of their object. */
export function hideSecrets(content: HandledContent, uid: string, secretFields: readonly string[]): void {
  for (const field of secretFields) {
    const values = content[field];
    if (isObject(values)) content[field] = mapValues(values, (value) => digestOf([uid, value]));
  }
}

/** Fields of a kind whose values are secret. */
export function secretFieldsOf({ group, kind }: { readonly group: string; readonly kind: string }): readonly string[] {
  return group === "" && kind === "Secret" ? ["data", "stringData"] : [];
}

/** A snapshot that holds the content itself. */
export function snapshotOf(content: HandledContent): Snapshot {
  return { digest: digestOf(content), content };
}

/** A snapshot of digests alone: it shows whether the whole, or one of these fields, changed. */
export function digestsOnly(snapshot: Snapshot, fields: readonly string[]): Snapshot {
  if (!snapshot.content) return snapshot;
  const digests: Record<string, string> = {};
  for (const field of fields) digests[field] = digestOf(valueAt(snapshot.content, field.split(".")));
  return { digest: snapshot.digest, ...(fields.length > 0 ? { fields: digests } : {}) };
}

/** A digest of a JSON value; 128 bits of SHA-256 in hexadecimal. */
export function digestOf(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value) ?? "").digest("hex").slice(0, 32);
}

function mapValues(values: Record<string, unknown>, map: (value: unknown) => string): JsonObject {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}

/** Removes a field, and what is empty without it: who adds the first label of ignored ones changes nothing. */
function removeAt(value: JsonObject, path: readonly string[]): void {
  for (let length = path.length; length > 0; length--) {
    const parent = valueAt(value, path.slice(0, length - 1)), key = path[length - 1]!;
    if (!isObject(parent)) continue;
    const child = parent[key];
    if (length < path.length && !(isObject(child) && Object.keys(child).length === 0)) return;
    delete parent[key];
  }
}
