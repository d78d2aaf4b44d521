import type { StatusCause } from "../../apimachinery/mod.ts";
import { isObject, jsonEqual, ownValue } from "../../base/mod.ts";
import type { Schema } from "../resource_type.ts";
import { fieldSchema, resolveSchema } from "./definitions.ts";
import { resourceCauses } from "./embedded_resources.ts";
import { itemsByKeys, listCauses } from "./list_validation.ts";
import { ruleCauses } from "./rule_validation.ts";
import { enumCauses, rangeCauses, scalarCauses, typeName } from "./value_validation.ts";

/** Causes that prevent rules: the value lacks the type that they were checked against. */
const BLOCKING = new Set([
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
  "FieldValueNotSupported",
]);

/** Required by OpenAPI, but optional in Go or checked by the kind's rules. */
const LENIENT =
  /\.(Role|ClusterRole|MatchCondition|ValidationRule|Event|WebhookConversion|ServiceReference|[A-Za-z]+Status)$/;

/**
 * Causes in kube-apiserver's words. With `old`, skips unchanged parts (ratcheting, KEP-4008) and runs transition rules
 * (KEP-2876). Wrong types prevent rules, as the last cause says.
 * Rules that fail for unchanged parts become `warnings`.
 */
export function validateObject(object: unknown, schema: Schema, old?: unknown, warnings?: string[]): StatusCause[] {
  const builtin = schema.$ref !== undefined;
  return causesOf({ value: object, old, path: "", whole: true, required: true, builtin }, schema, warnings);
}

/** Causes against a default of a custom resource's schema. `whole`: it has apiVersion, kind and metadata. */
export function validateDefault(value: unknown, schema: Schema, whole: boolean): StatusCause[] {
  return causesOf({ value, old: undefined, path: "", whole, required: true, builtin: false }, schema);
}

function causesOf(at: Visit, schema: Schema, warnings?: string[]): StatusCause[] {
  const { value: object, old } = at, causes: StatusCause[] = [];
  visit(at, schema, causes);
  if (schema.$ref === undefined) causes.push(...listCauses(object, resolveSchema(schema), old));
  const rules = ruleCauses(object, resolveSchema(schema), old, warnings);
  if (!rules.any) return causes;
  if (!causes.some((cause) => BLOCKING.has(cause.reason ?? ""))) return [...causes, ...rules.causes()];
  return [...causes, {
    reason: "FieldValueInvalid",
    message: "Invalid value: null: some validation rules were not checked because the object was invalid; " +
      "correct the existing errors to complete validation",
    field: "<nil>",
  }];
}

interface Visit {
  value: unknown;
  old: unknown;
  path: string;
  whole: boolean;
  /** False where built-in kinds do not enforce it. */
  required: boolean;
  /** In built-in kinds Go writes a missing text as "". */
  builtin: boolean;
}

function visit(at: Visit, reference: Schema, causes: StatusCause[]): void {
  const schema = resolveSchema(reference);
  const { value, old, path } = at;
  // Go writes null for an absent list or time.
  if (value === undefined || (value === null && (schema.nullable || reference.go !== undefined))) return;
  if (old !== undefined && jsonEqual(value, old)) return;
  const outOfRange = at.builtin ? [] : rangeCauses(value, schema, path);
  if (outOfRange.length > 0) {
    causes.push(...outOfRange);
    return;
  }
  const wrong = wrongType(value, schema);
  if (wrong !== undefined) {
    causes.push({
      reason: "FieldValueTypeInvalid",
      message: `Invalid value: "${typeName(value)}": ${path} in body must be of type ${wrong}: "${typeName(value)}"`,
      field: path,
    }, ...enumCauses(value, schema, path));
    return;
  }
  if (at.required || !at.builtin) causes.push(...scalarCauses(value, schema, path, !at.builtin));
  combine(at, schema, causes);
  const required = at.required && !(reference.$ref !== undefined && LENIENT.test(reference.$ref));
  if (Array.isArray(value)) visitItems({ ...at, required }, schema, causes);
  else if (isObject(value)) visitFields({ ...at, required }, schema, causes);
}

function visitItems(at: Visit, schema: Schema, causes: StatusCause[]): void {
  if (!schema.items) return;
  const items = resolveSchema(schema.items), reference = schema.items;
  const keys = schema["x-kubernetes-list-type"] === "map" ? schema["x-kubernetes-list-map-keys"] : undefined;
  const formerOf = keys && itemsByKeys(Array.isArray(at.old) ? at.old : [], keys);
  (at.value as unknown[]).forEach((value, index) => {
    const old = formerOf?.(value);
    const whole = items["x-kubernetes-embedded-resource"] === true;
    visit({ ...at, value, old, path: `${at.path}[${index}]`, whole }, reference, causes);
  });
}

function visitFields(at: Visit, schema: Schema, causes: StatusCause[]): void {
  const value = at.value as Record<string, unknown>, old = isObject(at.old) ? at.old : {};
  const within = (field: string) => at.path === "" ? field : `${at.path}.${field}`;
  for (const field of Object.keys(value)) {
    const child = fieldSchema(schema, field, at.whole);
    if (!child || (at.whole && field === "metadata")) continue;
    const whole = child["x-kubernetes-embedded-resource"] === true;
    const reference = schema.properties && Object.hasOwn(schema.properties, field) ? schema.properties[field]! : child;
    visit({ ...at, value: value[field], old: ownValue(old, field), path: within(field), whole }, reference, causes);
  }
  const embedded = at.whole && at.path !== "" ? ["apiVersion", "kind"] : [];
  for (const field of at.required ? new Set([...schema.required ?? [], ...embedded]) : []) {
    const given = ownValue(value, field);
    const absent = given === undefined || (at.builtin && given === "" && field !== "message");
    if (absent && !(at.path === "" && field === "metadata")) causes.push(missing(within(field)));
  }
  if (embedded.length > 0) causes.push(...resourceCauses(value, at.path));
}

function missing(field: string): StatusCause {
  return { reason: "FieldValueRequired", message: "Required value", field };
}

/** allOf, anyOf, oneOf and not only narrow values, so types are already checked. */
function combine(at: Visit, schema: Schema, causes: StatusCause[]): void {
  const failures = (branch: Schema) => {
    const found: StatusCause[] = [];
    visit({ ...at, old: undefined }, branch, found);
    return found;
  };
  const invalid = (text: string) =>
    causes.push({ reason: "FieldValueInvalid", message: `Invalid value: "": "${at.path}" ${text}`, field: "<nil>" });
  const found = schema.allOf?.map(failures) ?? [], failed = found.filter((each) => each.length > 0);
  if (failed.length > 0) {
    if (!at.builtin) {
      const none = failed.length === found.length ? ". None validated" : "";
      invalid(`must validate all the schemas (allOf)${none}`);
    }
    causes.push(...failed.flat());
  }
  if (schema["x-kubernetes-int-or-string"]) return;
  if (schema.anyOf?.length) {
    const results = schema.anyOf.map(failures);
    if (results.every((found) => found.length > 0)) {
      invalid("must validate at least one schema (anyOf)");
      causes.push(...results[0]!);
    }
  }
  if (schema.oneOf?.length) {
    const results = schema.oneOf.map(failures);
    const valid = results.filter((found) => found.length === 0).length;
    if (valid === 0) {
      invalid("must validate one and only one schema (oneOf). Found none valid");
      causes.push(...results[0]!);
    } else if (valid > 1) invalid(`must validate one and only one schema (oneOf). Found ${valid} valid alternatives`);
  }
  if (schema.not && failures(schema.not).length === 0) invalid("must not validate the schema (not)");
}

function wrongType(value: unknown, schema: Schema): string | undefined {
  if (schema["x-kubernetes-int-or-string"]) {
    return typeName(value) === "integer" || typeof value === "string" ? undefined : "integer,string";
  }
  const { type } = schema;
  if (type === undefined) return undefined;
  const found = typeName(value);
  if (found === type || (type === "number" && found === "integer")) return undefined;
  // A quantity may be a number.
  return type === "string" && schema.oneOf && (found === "number" || found === "integer") ? undefined : type;
}
