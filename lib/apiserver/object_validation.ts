import type { DynamicObject, StatusCause } from "../apimachinery/mod.ts";
import { badRequest, invalid } from "./api_error.ts";
import { validateMetadata } from "./metadata_rules.ts";
import { storageResource } from "./resource_registry.ts";
import { replicaCauses } from "./scale.ts";
import { validateObject } from "./schema/validation.ts";
import { strategyOf } from "./strategies.ts";
import { builtinCauses } from "./validation/mod.ts";
import { builtinWarnings } from "./validation/warnings.ts";
import type { WriteTarget } from "./write_target.ts";

/**
 * Validates metadata, schema, CEL rules and the kind's rules.
 *
 * @throws {ApiError} 422 with every cause; 400 where a built-in field has the wrong type, because Go's decoder refuses
 *   it first.
 */
export function checkCandidate(target: WriteTarget, object: DynamicObject, old?: DynamicObject): void {
  const { type } = target;
  const schemaCauses = validateObject(object, type.schema, old, target.warnings);
  const wrongType = type.builtin && schemaCauses.find((cause) => cause.reason === "FieldValueTypeInvalid");
  if (wrongType) {
    const why = `${wrongType.field}: ${wrongType.message}`;
    throw badRequest(`${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: ${why}`);
  }
  const strategy = strategyOf(storageResource(type));
  const causes: StatusCause[] = [
    ...validateMetadata(type, object, old),
    ...(type.builtin && builtinCauses(storageResource(type), object, old)) || schemaCauses,
    ...type.builtin ? [] : replicaCauses(object, type),
    ...strategy.validate?.(object, old) ?? [],
  ];
  // Events of both groups are validated as those of the core group.
  const named = storageResource(type) === "events" ? { group: "", kind: type.kind } : type;
  if (causes.length > 0) throw invalid(named, object.metadata?.name ?? "", causes);
  if (type.builtin) target.warnings.push(...builtinWarnings(storageResource(type), object));
}
