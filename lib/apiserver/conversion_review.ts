import { formatJson, isObject, jsonClone, jsonEqual } from "../base/mod.ts";
import { type DynamicObject, parseApiVersion, type StatusCause } from "../apimachinery/mod.ts";
import { type ApiError, conversionFailed } from "./api_error.ts";
import { annotationCauses, labelCauses } from "./metadata_rules.ts";
import type { ConversionWebhook } from "./resource_type.ts";

interface Conversion {
  readonly objects: readonly DynamicObject[];
  readonly desired: string;
}

export function conversionReview(
  { objects, desired }: Conversion,
  uid: string,
  version: ConversionWebhook["reviewVersion"],
): Record<string, unknown> {
  return {
    kind: "ConversionReview",
    apiVersion: `apiextensions.k8s.io/${version}`,
    request: { uid, desiredAPIVersion: desired, objects },
  };
}

export function conversionWebhookName({ objects: [first] }: Conversion): string {
  return `conversion webhook for ${gvk(first!.apiVersion, first!.kind)}`;
}

/**
 * The answer's objects in request order; only labels and annotations of their metadata are accepted.
 *
 * @throws {ApiError} 500 for every answer that kube-apiserver rejects.
 */
export function convertedObjects(
  conversion: Conversion,
  answer: Record<string, unknown>,
  uid: string,
  version: ConversionWebhook["reviewVersion"],
): DynamicObject[] {
  const webhook = conversionWebhookName(conversion), { objects, desired } = conversion;
  const given = objectsOf(answer, uid, version, webhook);
  if (given.length !== objects.length) {
    throw conversionFailed(`${webhook} returned ${given.length} objects, expected ${objects.length}`);
  }
  return given.map((item, index) => {
    const fault = itemFault(objects[index]!, item, desired);
    if (fault !== undefined) {
      // For one object, kube-apiserver names the index only if version or kind is wrong.
      const at = objects.length > 1
        ? ` converted object at index ${index}`
        : fault.typed
        ? " object at index 0"
        : " object";
      throw conversionFailed(`${webhook} returned invalid${at}: ${fault.why}`);
    }
    try {
      return withMetadata(objects[index]!, item as DynamicObject);
    } catch (error) {
      const at = objects.length > 1 ? ` in object at index ${index}` : "";
      if (error instanceof RangeError) {
        throw conversionFailed(`${webhook} returned invalid metadata${at}: ${error.message}`);
      }
      throw error;
    }
  });
}

function objectsOf(
  answer: Record<string, unknown>,
  uid: string,
  version: ConversionWebhook["reviewVersion"],
  webhook: string,
): unknown[] {
  const refuse = (why: string): ApiError => conversionFailed(`${webhook} failed: ${why}`);
  const expected = `apiextensions.k8s.io/${version}`, { response } = answer;
  if (answer.apiVersion !== expected || answer.kind !== "ConversionReview") {
    const got = gvk(String(answer.apiVersion ?? "/"), String(answer.kind ?? ""));
    throw refuse(`expected webhook response of ${gvk(expected, "ConversionReview")}, got ${got}`);
  }
  if (!isObject(response)) throw refuse("no response provided");
  // Not checked in v1beta1.
  if (version === "v1" && response.uid !== uid) {
    throw refuse(`expected response.uid=${formatJson(uid)}, got ${formatJson(response.uid ?? "")}`);
  }
  const result = isObject(response.result) ? response.result : {};
  if (result.status !== "Success") {
    throw refuse(
      result.message ? String(result.message) : `response.result.status was '${result.status ?? ""}', not 'Success'`,
    );
  }
  return Array.isArray(response.convertedObjects) ? response.convertedObjects : [];
}

function itemFault(
  original: DynamicObject,
  item: unknown,
  desired: string,
): { why: string; typed: boolean } | undefined {
  if (!isObject(item)) return { why: `${formatJson(item)} is not an object`, typed: false };
  if (!item.kind) return { why: "Object 'Kind' is missing", typed: false };
  if (item.apiVersion !== desired) {
    return { why: `invalid groupVersion (expected ${desired}, received ${item.apiVersion ?? ""})`, typed: true };
  }
  if (item.kind !== original.kind) {
    return { why: `invalid kind (expected ${original.kind}, received ${item.kind})`, typed: true };
  }
  const metadata = isObject(item.metadata) ? item.metadata : {};
  for (const [field, named] of [["name", "name"], ["namespace", "namespace"], ["uid", "UID"]] as const) {
    const expected = original.metadata?.[field] ?? "", got = metadata[field] ?? "";
    if (expected !== got) return { why: `must have the same ${named}: ${expected} != ${got}`, typed: false };
  }
  return undefined;
}

/** @throws {RangeError} where labels or annotations are invalid. */
function withMetadata(original: DynamicObject, item: DynamicObject): DynamicObject {
  const given: unknown = item.metadata;
  if (given === undefined) throw new RangeError("missing metadata in converted object");
  if (!isObject(given)) throw new RangeError(`invalid metadata of type ${goType(given)} in converted object`);
  const metadata = jsonClone(original.metadata ?? {}) as Record<string, unknown>;
  for (const field of ["labels", "annotations"] as const) {
    const value = given[field];
    if (value === undefined || value === null) {
      delete metadata[field];
      continue;
    }
    if (!isObject(value)) {
      throw new RangeError(`invalid metadata.${field} of type ${goType(value)} in converted object`);
    }
    for (const [key, text] of Object.entries(value)) {
      if (typeof text === "string") continue;
      throw new RangeError(`metadata.${field}[${key}] must be a string, but is ${goType(text)} in converted object`);
    }
    if (!jsonEqual(value, metadata[field])) {
      refuse((field === "labels" ? labelCauses : annotationCauses)(value as StringMap));
    }
    metadata[field] = value;
  }
  return { ...item, metadata } as DynamicObject;
}

type StringMap = Record<string, string>;

function refuse(causes: readonly StatusCause[]): void {
  if (causes.length === 0) return;
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  throw new RangeError(texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`);
}

function gvk(apiVersion: string | undefined, kind: string | undefined): string {
  const { group, version } = parseApiVersion(apiVersion ?? "");
  return `${group}/${version}, Kind=${kind ?? ""}`;
}

/** As Go's `%T`. */
function goType(value: unknown): string {
  if (Array.isArray(value)) return "[]interface {}";
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "bigint":
      return "int64";
    case "number":
      return Number.isInteger(value) ? "int64" : "float64";
    default:
      return value === null ? "<nil>" : "map[string]interface {}";
  }
}
