import { type DynamicObject, formatApiVersion, parseApiVersion } from "../apimachinery/mod.ts";
import { isObject } from "../base/mod.ts";
import { ApiError, badRequest } from "./api_error.ts";
import { checkMetadataShape } from "./metadata_rules.ts";
import type { WriteOptions } from "./request_options.ts";
import type { WriteTarget } from "./write_target.ts";
import type { ResourceType } from "./resource_type.ts";
import { embeddedFault } from "./schema/embedded_resources.ts";
import { builtinResourceTypes } from "./schema/definitions.ts";
import { decodingFault } from "./schema/go_decoder.ts";
import { pruneNulls, pruneUnknown } from "./schema/pruning.ts";

/** How a body is decoded, and where its warnings go. */
interface Decoding {
  readonly options: Pick<WriteOptions, "fieldValidation">;
  readonly warnings: string[];
  readonly repeated?: readonly string[] | undefined;
}

type Place = Pick<WriteTarget, "type" | "name" | "namespace">;

/**
 * Decodes in place: checks kind and metadata, prunes unknown fields. `fieldValidation` refuses those and
 * repeated ones, or warns.
 *
 * @throws {ApiError} 400 for another kind, a malformed object, or unknown fields under Strict.
 */
export function decodeObject(
  object: DynamicObject,
  type: ResourceType,
  { options, warnings, repeated = [] }: Decoding,
): void {
  const apiVersion = formatApiVersion(type);
  if (type.builtin) {
    // Only custom resources must send their kind.
    object.kind ||= type.kind;
    object.apiVersion ||= apiVersion;
    const foreign = foreignKind(object, type, apiVersion);
    if (foreign !== undefined) throw badRequest(foreign);
  }
  if (!object.kind) throw badRequest("Object 'Kind' is missing in the body");
  if (!object.apiVersion) throw badRequest("Object 'apiVersion' is missing in the body");
  if (object.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (object.kind !== type.kind) {
    throw badRequest(`the kind in the data (${object.kind}) does not match the expected kind (${type.kind})`);
  }
  const fault = type.builtin ? decodingFault(object, type.schema) : embeddedFault(object, type.schema);
  if (fault !== undefined) throw new DecodingFault(type, fault);
  if (!isObject(object.metadata)) throw badRequest("metadata is not an object");
  checkMetadataShape(object.metadata);
  const unknown = pruneUnknown(object, type.schema);
  if (!type.builtin) pruneNulls(object, type.schema);
  if ((unknown.length === 0 && repeated.length === 0) || options.fieldValidation === "Ignore") return;
  const faults = [
    ...repeated.map((path) => `duplicate field "${path}"`),
    ...unknown.map((path) => `unknown field "${path}"`),
  ];
  if (options.fieldValidation === "Strict") {
    throw new DecodingFault(type, `strict decoding error: ${faults.join(", ")}`);
  }
  warnings.push(...faults);
}

/** A body that Go's decoder refuses. */
export class DecodingFault extends ApiError {
  constructor({ kind, version }: ResourceType, readonly why: string) {
    super(400, "BadRequest", `${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
  }
}

/** @throws {ApiError} 400 where the object is another one than the request's. */
export function checkPlace(object: DynamicObject, { type, name, namespace }: Place): void {
  const { name: given, namespace: givenNamespace } = object.metadata!;
  if (!given) {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  }
  if (given !== name) {
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  }
  if (type.namespaced && givenNamespace && givenNamespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

/** Go packages of groups whose first part is not their name. */
const PACKAGES: Readonly<Record<string, string>> = { "": "core", "events.k8s.io": "core" };

/** Why an object of another kind is refused: the kind is unknown, or cannot be converted. */
function foreignKind({ kind, apiVersion }: DynamicObject, type: ResourceType, expected: string): string | undefined {
  if (kind === type.kind && apiVersion === expected) return undefined;
  const { version } = parseApiVersion(String(apiVersion));
  const known = builtinResourceTypes().some((other) =>
    formatApiVersion(other) === apiVersion && (other.kind === kind || other.listKind === kind)
  );
  const into = `${PACKAGES[type.group] ?? type.group.split(".")[0]}.${type.kind}`;
  const why = known
    ? `converting (${version}.${kind}) to (${into}): unknown conversion`
    : `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`;
  return `${kind} in version "${version}" cannot be handled as a ${type.kind}: ${why}`;
}
