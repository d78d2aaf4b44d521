import { type DynamicObject, formatApiVersion } from "../apimachinery/mod.ts";
import { type ApiError, badRequest } from "./api_error.ts";
import { checkMetadataShape } from "./metadata_rules.ts";
import type { WriteOptions } from "./request_options.ts";
import type { ResourceType } from "./resource_type.ts";
import { embeddedFault } from "./schema/embedded_resources.ts";
import { decodingFault } from "./schema/go_decoder.ts";
import { pruneNulls, pruneUnknown } from "./schema/pruning.ts";

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
    object.kind ??= type.kind;
    object.apiVersion ??= apiVersion;
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
  if (fault !== undefined) throw cannotBeHandled(type, fault);
  checkMetadataShape(object.metadata!);
  const unknown = pruneUnknown(object, type.schema);
  if (!type.builtin) pruneNulls(object, type.schema);
  if (unknown.length === 0 || validation === "Ignore") return;
  const faults = unknown.map((path) => `unknown field "${path}"`);
  if (validation === "Strict") {
    throw cannotBeHandled(type, `strict decoding error: ${faults.join(", ")}`);
  }
  warnings.push(...faults);
}

function cannotBeHandled({ kind, version }: ResourceType, why: string): ApiError {
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
}
