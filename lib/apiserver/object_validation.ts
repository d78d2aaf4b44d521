import type { DynamicObject, StatusCause } from "../apimachinery/mod.ts";
import { invalid } from "./api_error.ts";
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
 * @throws {ApiError} 422 with every cause. Values of a wrong type in built-in kinds were refused by the decoder.
 */
export function checkCandidate(target: WriteTarget, object: DynamicObject, old?: DynamicObject): void {
  const { type } = target, resource = storageResource(type);
  const byTable = type.builtin ? builtinCauses(resource, object, old) : undefined;
  const causes: StatusCause[] = [
    ...validateMetadata(type, object, old),
    ...byTable ?? validateObject(object, type.schema, old, target.warnings),
    ...type.builtin ? [] : replicaCauses(object, type),
    ...strategyOf(resource).validate?.(object, old) ?? [],
  ];
  // Events of both groups are validated as those of the core group.
  const named = resource === "events" ? { group: "", kind: type.kind } : type;
  if (causes.length > 0) throw invalid(named, object.metadata?.name ?? "", causes);
  if (type.builtin) target.warnings.push(...builtinWarnings(resource, object));
}
