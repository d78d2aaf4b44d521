import { formatJson, isObject, jsonClone } from "../base/mod.ts";
import { type DynamicObject, formatApiVersion } from "../apimachinery/mod.ts";
import { autoscalerAs, AUTOSCALING_V1, AUTOSCALING_V2 } from "./autoscaling_conversion.ts";
import type { KindVersions, ResourceType } from "./resource_type.ts";
import { pruneUnknown } from "./schema/pruning.ts";
import type { StoredObject } from "./stored_object.ts";

/** Event fields that differ between core/v1 and events.k8s.io/v1 (k8s.io/kubernetes events/v1). */
const EVENT_FIELDS: readonly (readonly [core: string, events: string])[] = [
  ["involvedObject", "regarding"],
  ["message", "note"],
  ["source", "deprecatedSource"],
  ["firstTimestamp", "deprecatedFirstTimestamp"],
  ["lastTimestamp", "deprecatedLastTimestamp"],
  ["count", "deprecatedCount"],
  ["reportingComponent", "reportingController"],
];
const EVENTS_API = "events.k8s.io/v1";

function renamed(object: DynamicObject, direction: "toCore" | "toEvents"): DynamicObject {
  const copy: DynamicObject = {};
  const names = new Map(EVENT_FIELDS.map(([core, events]) => direction === "toCore" ? [events, core] : [core, events]));
  for (const [field, value] of Object.entries(object)) copy[names.get(field) ?? field] = value;
  return copy;
}

/**
 * Changes `apiVersion`, and field names of Events; shares values with the state. Where {@linkcode ObjectConverter}
 * converts, pass its view in the requested version.
 */
export function asVersion(stored: StoredObject, type: ResourceType): DynamicObject {
  const { object } = stored, apiVersion = formatApiVersion(type);
  return object.apiVersion === apiVersion ? object : renamedTo(object, apiVersion);
}

export function needsViews({ versions }: ResourceType): boolean {
  return versions?.sameSchema === false;
}

export function convertsByWebhook({ versions }: ResourceType): boolean {
  return versions?.webhook !== undefined && !versions.sameSchema;
}

/** Converts without a webhook: drops unknown fields. Shares values with `object`. */
export function inVersion(
  object: DynamicObject,
  apiVersion: string,
  versions: KindVersions | undefined,
): DynamicObject {
  if (object.apiVersion === apiVersion) return object;
  const schema = versions?.sameSchema === false ? versions.schemas.get(apiVersion) : undefined;
  if (!schema) return renamedTo(object, apiVersion);
  const copy = { ...jsonClone(object), apiVersion };
  pruneUnknown(copy, schema);
  return copy;
}

function renamedTo(object: DynamicObject, apiVersion: string): DynamicObject {
  if (apiVersion === AUTOSCALING_V1 || object.apiVersion === AUTOSCALING_V1) return autoscalerAs(object, apiVersion);
  if (apiVersion === EVENTS_API) return { ...renamed(object, "toEvents"), apiVersion };
  if (object.apiVersion === EVENTS_API) return { ...renamed(object, "toCore"), apiVersion };
  return { ...object, apiVersion };
}

/** Events use core/v1, autoscalers v2, custom resources the version that their CRD names. */
export function storedVersion(object: DynamicObject, type: ResourceType): string {
  if (type.versions) return type.versions.storage;
  if (object.apiVersion === AUTOSCALING_V1) return AUTOSCALING_V2;
  return object.apiVersion === EVENTS_API && object.kind === "Event" ? "v1" : object.apiVersion!;
}

/** For kinds without a conversion webhook. */
export function toStorage(object: DynamicObject, type: ResourceType): DynamicObject {
  return inVersion(object, storedVersion(object, type), type.versions);
}

export function membersAsVersion(stored: StoredObject, type: ResourceType): string {
  const apiVersion = formatApiVersion(type);
  if (apiVersion !== EVENTS_API && apiVersion !== AUTOSCALING_V1) return stored.members;
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = asVersion(stored, type);
  return formatJson(rest).slice(1);
}

/** The value at a dotted path, as text for a field selector; empty where absent. */
export function fieldText(object: DynamicObject, path: string): string {
  let value: unknown = object;
  for (const part of path.replace(/^\./, "").split(".")) {
    value = isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }
  return typeof value === "object" || value === undefined ? "" : String(value);
}
