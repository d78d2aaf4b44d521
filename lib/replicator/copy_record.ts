import type { KubeObject } from "../mod.ts";
import { controllerOf, LAST_APPLIED_ANNOTATION, type ManagedFieldsEntry } from "../client.ts";
import { fieldKeys } from "./source.ts";

/**
 * A copy in memory: metadata, and who wrote its content by its `managedFields`. The API server moves a field to the
 * manager that changes it (KEP-555). So while we own all content and no other manager any, the copy shows what we
 * wrote, unread even after a restart.
 */
export interface CopyRecord extends KubeObject {
  /** Keys of data and binaryData that our field manager owns, from {@linkcode fieldKeys}. */
  readonly ownKeys?: string;
  /** Whether another manager owns any content. */
  readonly foreign?: boolean;
  readonly ownLabels?: readonly string[];
  readonly ownAnnotations?: readonly string[];
  /** `Kind name` of the owning controller, if any. */
  readonly controller?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** How much older a write of ours may be: servers' clocks differ, and the server gives a create two times. */
const OLDER_MS_MAX = 60_000;

const CONTENT_FIELDS = ["f:data", "f:binaryData", "f:stringData", "f:type", "f:immutable"];

/** The transform of a copy's metadata for the store, by the operator's `fieldManager`. */
export function projectCopy(fieldManager: string): (object: KubeObject) => CopyRecord {
  return (object) => {
    const { name, namespace, uid, resourceVersion, deletionTimestamp, labels, annotations, managedFields = [] } =
      object.metadata ?? {};
    const isOwn = (entry: ManagedFieldsEntry) => isOf(entry, fieldManager) && !isPasted(entry, object);
    const own = managedFields.find(isOwn)?.fieldsV1 ?? {};
    const foreign = managedFields.some((entry) => {
      return !isOwn(entry) && CONTENT_FIELDS.some((field) => Object.hasOwn(entry.fieldsV1 ?? {}, field));
    });
    const metadata = own["f:metadata"] as Fields | undefined, controller = controllerOf(object);
    return {
      metadata: { name, namespace, uid, resourceVersion, deletionTimestamp, labels, annotations: kept(annotations) },
      ownKeys: fieldKeys(keysUnder(own["f:data"]), keysUnder(own["f:binaryData"])),
      foreign,
      ownLabels: keysUnder(metadata?.["f:labels"]),
      ownAnnotations: keysUnder(metadata?.["f:annotations"]),
      ...(controller ? { controller: `${controller.kind} ${controller.name}` } : {}),
    };
  };
}

function isOf(entry: ManagedFieldsEntry, fieldManager: string): boolean {
  return entry.manager === fieldManager && entry.operation === "Update" && !entry.subresource;
}

/**
 * Whether an entry predates the object. A create strips pasted entries of every field. But a second write of the same
 * manifest changes none, and the server then accepts its `managedFields`.
 */
function isPasted({ time }: ManagedFieldsEntry, { metadata }: KubeObject): boolean {
  if (time === undefined || metadata?.creationTimestamp === undefined) return false;
  return Date.parse(time) < Date.parse(metadata.creationTimestamp) - OLDER_MS_MAX;
}

function keysUnder(fields: unknown): string[] {
  return Object.keys((fields ?? {}) as Fields).filter((key) => key.startsWith("f:")).map((key) => key.slice(2)).sort();
}

/** kubectl's copy of what was applied contains the data, which must not stay in memory. */
function kept(annotations: Record<string, string> | undefined): Record<string, string> | undefined {
  if (!annotations || !Object.hasOwn(annotations, LAST_APPLIED_ANNOTATION)) return annotations;
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== LAST_APPLIED_ANNOTATION));
}
