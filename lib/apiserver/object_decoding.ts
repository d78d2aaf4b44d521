import { type DynamicObject, formatApiVersion, parseApiVersion } from "../apimachinery/mod.ts";
import { type ApiError, badRequest } from "./api_error.ts";
import { checkMetadataShape } from "./metadata_rules.ts";
import type { WriteOptions } from "./request_options.ts";
import type { ResourceType } from "./resource_type.ts";
import { builtinResourceTypes } from "./schema/definitions.ts";
import { decodingFault } from "./schema/go_decoder.ts";
import { pruneUnknown } from "./schema/pruning.ts";

/**
 * Decodes in place: checks kind and metadata, prunes unknown fields. `fieldValidation` refuses those or warns.
 *
 * @throws {ApiError} 400 for another kind, a malformed object, or unknown fields under Strict.
 */
export function decodeObject(
  object: DynamicObject,
  type: ResourceType,
  validation: WriteOptions["fieldValidation"],
  warnings: string[],
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
  const fault = type.builtin ? decodingFault(object, type.schema) : undefined;
  if (fault !== undefined) throw cannotBeHandled(type, fault);
  checkMetadataShape(object.metadata!);
  const unknown = pruneUnknown(object, type.schema);
  if (unknown.length === 0 || validation === "Ignore") return;
  const faults = unknown.map((path) => `unknown field "${path}"`);
  if (validation === "Strict") {
    throw cannotBeHandled(type, `strict decoding error: ${faults.join(", ")}`);
  }
  warnings.push(...faults);
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

function cannotBeHandled({ kind, version }: ResourceType, why: string): ApiError {
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
}
