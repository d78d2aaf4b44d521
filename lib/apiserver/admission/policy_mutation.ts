import { describeError, isObject, type JsonObject } from "../../base/mod.ts";
import { applyJsonPatch, type DynamicObject } from "../../apimachinery/mod.ts";
import {
  CelError,
  Duration,
  formatDuration,
  formatTimestamp,
  JSON_PATCH,
  listOf,
  ListValue,
  MapValue,
  OBJECT,
  Optional,
  StructValue,
  Timestamp,
  Uint,
  type Value,
  type Variables,
} from "../cel/mod.ts";
import type { ResourceType } from "../resource_type.ts";
import { mergeTyped } from "../schema/typed_merge.ts";
import { fieldType, itemType, KeyingError, rootType, shapeOf, type TypeAt } from "../schema/typed_value.ts";
import { joinedFaults, typeFaults } from "../schema/typed_validation.ts";
import type { Mutation, PolicySpec } from "./policy.ts";
import { BudgetSpent, PolicyExpressions } from "./policy_expressions.ts";

/** A mutation that fails; `failurePolicy` decides. */
export class MutationError extends Error {}

export interface MutationTarget {
  readonly spec: PolicySpec;
  readonly mutation: Mutation;
  /** In the version of `type`. */
  readonly object: DynamicObject;
  readonly type: ResourceType;
}

/**
 * Whether the policy's conditions hold.
 *
 * @throws {MutationError}
 */
export function matches(spec: PolicySpec, variables: Variables): boolean {
  const match = failing(() => new PolicyExpressions(spec, variables).match());
  if ("error" in match) throw new MutationError(match.error);
  return match.matches;
}

/**
 * Applies one mutation of a MutatingAdmissionPolicy (KEP-3962).
 *
 * @throws {MutationError}
 */
export function mutate({ spec, mutation, object, type }: MutationTarget, variables: Variables): DynamicObject {
  const { applyConfiguration, jsonPatch } = mutation, patches = mutation.patchType === "JSONPatch";
  const source = (patches ? jsonPatch : applyConfiguration)?.expression.trim() ?? "";
  return failing(() => {
    const expressions = new PolicyExpressions(spec, variables);
    const { value, error } = expressions.evaluate(source, [patches ? listOf(JSON_PATCH) : OBJECT], { patches: true });
    if (error !== undefined) throw new MutationError(error);
    return patches ? patched(object, value as ListValue) : applied(object, value as StructValue, type);
  });
}

function failing<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof BudgetSpent || error instanceof CelError) throw new MutationError(error.message);
    throw error;
  }
}

function applied(object: DynamicObject, configuration: StructValue, type: ResourceType): DynamicObject {
  checkTypeNames(configuration);
  const { apiVersion, kind } = object;
  const given = { ...jsonOf(configuration) as JsonObject, apiVersion, kind }, root = rootType(type.schema);
  const faults = typeFaults(given, root);
  const failed = (why: string) => new MutationError(`error applying patch: ${why}`);
  if (faults.length > 0) throw failed(`failed to convert patch object to typed object: ${joinedFaults(faults)}`);
  const atomic = atomicPlaces(given, root, "");
  if (atomic.length > 0) {
    throw failed(
      `invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomic.join(", ")}`,
    );
  }
  try {
    return mergeTyped(object, given, root) as DynamicObject;
  } catch (error) {
    if (error instanceof KeyingError) throw failed(`failed to merge patch: ${error.message}`);
    throw error;
  }
}

/** `Object.spec{…}` belongs into the field `spec` alone. */
function checkTypeNames(configuration: StructValue): void {
  const wrong = wrongNames(configuration, configuration.name);
  if (wrong.length > 0) throw new MutationError(`type mismatch: ${wrong.join("\n")}`);
}

function wrongNames(value: Value, expected: string): string[] {
  if (value instanceof ListValue) return [...value].flatMap((item) => wrongNames(item, expected));
  if (!(value instanceof MapValue)) return [];
  const struct = value instanceof StructValue ? value : undefined;
  const own = struct && struct.name !== expected
    ? [
      `unexpected type name ${JSON.stringify(struct.name)}, expected ${
        JSON.stringify(expected)
      }, which matches field ` +
      "name path from root Object type",
    ]
    : [];
  return [
    ...own,
    ...[...value.keys()].flatMap((key) =>
      wrongNames(value.find(key)!, struct ? `${expected}.${String(key)}` : expected)
    ),
  ];
}

/** Lists and objects that only can be replaced as a whole. */
function atomicPlaces(value: unknown, type: TypeAt, path: string): string[] {
  if (Array.isArray(value)) {
    if (shapeOf(value, type) === "leaf") return [path];
    return value.flatMap((item, index) => atomicPlaces(item, itemType(type), `${path}[${index}]`));
  }
  if (!isObject(value)) return [];
  if (shapeOf(value, type) === "leaf") return [path];
  return Object.entries(value).flatMap(([field, child]) =>
    atomicPlaces(child, fieldType(type, field), `${path}.${field}`)
  );
}

function patched(object: DynamicObject, operations: ListValue): DynamicObject {
  const steps = [...operations].map((operation) => {
    if (operation instanceof StructValue) {
      const value = operation.find("value");
      if (value instanceof StructValue) checkTypeNames(value);
    }
    return jsonOf(operation);
  });
  try {
    return applyJsonPatch(object as JsonObject, steps) as DynamicObject;
  } catch (error) {
    if (steps.some((step) => isObject(step) && step.op === "test") && /test/i.test(describeError(error))) return object;
    throw new MutationError(`JSON Patch: ${describeError(error)}`);
  }
}

/** @throws {CelError} for a value that JSON does not have. */
function jsonOf(value: Value): unknown {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof Uint) return jsonOf(value.value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof Optional && value.value !== undefined) return jsonOf(value.value);
  if (value instanceof ListValue) return [...value].map(jsonOf);
  if (value instanceof MapValue) {
    return Object.fromEntries([...value.keys()].map((key) => [String(key), jsonOf(value.find(key)!)]));
  }
  throw new CelError("JSONPath valueExpression evaluated to a type that could not marshal to JSON");
}
