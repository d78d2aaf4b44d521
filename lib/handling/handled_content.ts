import { createHash } from "node:crypto";
import { canonicalJson, isObject, jsonClone, type JsonObject } from "../base/mod.ts";
import { type KubeObject, LAST_APPLIED_ANNOTATION } from "../apimachinery/mod.ts";
import { fieldPath, valueAt } from "./filter.ts";

/** What people and other controllers set, without status and records: its changes call handlers. */
export type HandledContent = JsonObject;

/** What is remembered of a handled object. */
export interface Snapshot {
  /** Differs if the content differs. */
  readonly digest: string;
  /** Absent if it is too large, or no handler needs it. */
  readonly content?: HandledContent;
  /** Digests of single fields, by path, if the content is not kept. */
  readonly fields?: Readonly<Record<string, string>>;
}

interface ContentOptions {
  /** Whether an annotation is an operator's own record. */
  readonly isRecord: (annotation: string) => boolean;
  /** As `spec.replicas`. */
  readonly ignoredFields?: readonly string[];
  /** Paths of secret values, which digests replace. */
  readonly secretFields?: readonly string[];
}

const LEFT_OUT = new Set(["apiVersion", "kind", "metadata", "status"]);

/**
 * Without apiVersion, kind, status, and metadata except labels and foreign annotations. Secret values become digests,
 * keyed with the uid: equal values of two objects differ.
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

export function hideSecrets(content: HandledContent, uid: string, secretFields: readonly string[]): void {
  for (const field of secretFields) {
    const values = content[field];
    if (isObject(values)) content[field] = mapValues(values, (value) => digestOf([uid, value]));
  }
}

export function secretFieldsOf({ group, kind }: { readonly group: string; readonly kind: string }): readonly string[] {
  return group === "" && kind === "Secret" ? ["data", "stringData"] : [];
}

export function snapshotOf(content: HandledContent): Snapshot {
  return { digest: digestOf(content), content };
}

/** Shows whether the whole, or one of these fields, changed. */
export function digestsOnly(snapshot: Snapshot, fields: readonly string[]): Snapshot {
  if (!snapshot.content) return snapshot;
  const digests: Record<string, string> = {};
  for (const field of fields) digests[field] = digestOf(valueAt(snapshot.content, field.split(".")));
  return { digest: snapshot.digest, ...(fields.length > 0 ? { fields: digests } : {}) };
}

/** 128 bits of SHA-256 of a JSON value, in hexadecimal. */
export function digestOf(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value) ?? "").digest("hex").slice(0, 32);
}

function mapValues(values: Record<string, unknown>, map: (value: unknown) => string): JsonObject {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}

/** Removes a field and parents left empty: adding the first of ignored labels changes nothing. */
function removeAt(value: JsonObject, path: readonly string[]): void {
  for (let length = path.length; length > 0; length--) {
    const parent = valueAt(value, path.slice(0, length - 1)), key = path[length - 1]!;
    if (!isObject(parent)) continue;
    const child = parent[key];
    if (length < path.length && !(isObject(child) && Object.keys(child).length === 0)) return;
    delete parent[key];
  }
}
