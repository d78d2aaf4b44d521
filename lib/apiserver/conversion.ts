import { isObject } from "../base/mod.ts";
import { type DynamicObject, formatApiVersion } from "../apimachinery/mod.ts";
import type { ResourceType } from "./resource_type.ts";
import type { StoredObject } from "./stored_object.ts";

/** Names of an Event's fields in core/v1 and in events.k8s.io/v1; all others are the same (k8s.io/kubernetes events/v1). */
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
 * A state as a version of its kind shows it. Versions of one custom resource differ in `apiVersion` only (conversion
 * strategy None); Events of the two groups name their fields differently. The result shares its values with the state.
 */
export function presented(stored: StoredObject, type: ResourceType): DynamicObject {
  return inVersion(stored.object, type);
}

/** An object in another version of its kind; it shares its values with the result. */
export function inVersion(object: DynamicObject, type: ResourceType): DynamicObject {
  const apiVersion = formatApiVersion(type);
  if (object.apiVersion === apiVersion) return object;
  if (apiVersion === EVENTS_API) return { ...renamed(object, "toEvents"), apiVersion };
  if (object.apiVersion === EVENTS_API) return { ...renamed(object, "toCore"), apiVersion };
  return { ...object, apiVersion };
}

/** The form that is stored: Events as core/v1, everything else in the version it was written. */
export function toStorage(object: DynamicObject): DynamicObject {
  if (object.apiVersion !== EVENTS_API || object.kind !== "Event") return object;
  return { ...renamed(object, "toCore"), apiVersion: "v1" };
}

/** JSON members after `kind` and `apiVersion` of a state, as a version shows it. */
export function presentedMembers(stored: StoredObject, type: ResourceType): string {
  if (type.group !== "events.k8s.io" || type.plural !== "events") return stored.members;
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = presented(stored, type);
  return JSON.stringify(rest).slice(1);
}

/** The value at a dotted path as a field selector compares it: text, empty where absent. */
export function fieldText(object: DynamicObject, path: string): string {
  let value: unknown = object;
  for (const part of path.replace(/^\./, "").split(".")) {
    value = isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }
  return typeof value === "object" || value === undefined ? "" : String(value);
}
