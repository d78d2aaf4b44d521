import { isObject, jsonEqual, setKey } from "../base/mod.ts";
import type { SchemaNode } from "./schema_node.ts";

interface Case {
  readonly values: readonly string[];
  readonly properties: Readonly<Record<string, SchemaNode>>;
  readonly required: readonly string[];
}

/** CEL's reserved words; API servers escape fields of these names (KEP-2876). */
const CEL_WORDS = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while"
    .split(" "),
);

/**
 * One object with all cases' fields, and a CEL rule per field that some cases lack.
 *
 * @throws {RangeError} for cases that a single object cannot hold, naming the field.
 */
export function unionAsObject(choices: readonly SchemaNode[], discriminator: string, path: string): SchemaNode {
  const cases = choices.map((choice) => caseOf(choice, discriminator, path));
  const names = [...new Set(cases.flatMap(({ properties }) => Object.keys(properties)))];
  const properties: Record<string, SchemaNode> = {}, required = [discriminator], rules: object[] = [];
  setKey(properties, discriminator, { type: "string", enum: cases.flatMap(({ values }) => values) });
  for (const name of names) {
    const having = cases.filter((each) => Object.hasOwn(each.properties, name));
    const needing = cases.filter((each) => each.required.includes(name));
    const schema = having[0]!.properties[name]!, isShared = having.length === cases.length;
    if (having.some((each) => !jsonEqual(each.properties[name], schema))) {
      throw new RangeError(
        `${path}.${name}: this field has several types, one per ${discriminator}; give each its own name`,
      );
    }
    if (!isShared && "default" in schema) {
      throw new RangeError(
        `${path}.${name}: a default would be set for every ${discriminator}; make the field optional`,
      );
    }
    setKey(properties, name, schema);
    if (needing.length === cases.length) required.push(name);
    else if (needing.length > 0) rules.push(requiredRule(name, discriminator, needing, path));
    if (!isShared) rules.push(onlyRule(name, discriminator, having, path));
  }
  return { type: "object", properties, required, ...(rules.length > 0 && { "x-kubernetes-validations": rules }) };
}

function caseOf(choice: SchemaNode, discriminator: string, path: string): Case {
  const { properties, required = [] } = choice;
  const tag = isObject(properties) ? properties[discriminator] : undefined;
  const values = isObject(tag) ? "const" in tag ? [tag.const] : tag.enum : undefined;
  if (!isObject(properties) || !Array.isArray(values) || !values.every((value) => typeof value === "string")) {
    throw new RangeError(
      `${path}: a CRD cannot hold this union; give each case an object whose ${discriminator} is a string`,
    );
  }
  const { [discriminator]: _tag, ...others } = properties as Record<string, SchemaNode>;
  return { values, properties: others, required: (required as string[]).filter((name) => name !== discriminator) };
}

function requiredRule(name: string, discriminator: string, cases: readonly Case[], path: string): object {
  return {
    rule: `!(${isOneOf(discriminator, cases, path)}) || has(${fieldOf(name, path)})`,
    message: `${name} is required where ${discriminator} is ${valuesOf(cases)}`,
  };
}

function onlyRule(name: string, discriminator: string, cases: readonly Case[], path: string): object {
  return {
    rule: `!has(${fieldOf(name, path)}) || ${isOneOf(discriminator, cases, path)}`,
    message: `${name} is only allowed where ${discriminator} is ${valuesOf(cases)}`,
  };
}

function isOneOf(discriminator: string, cases: readonly Case[], path: string): string {
  const values = cases.flatMap(({ values }) => values).map((value) => JSON.stringify(value));
  const field = fieldOf(discriminator, path);
  return values.length === 1 ? `${field} == ${values[0]}` : `${field} in [${values.join(", ")}]`;
}

function valuesOf(cases: readonly Case[]): string {
  return cases.flatMap(({ values }) => values).join(" or ");
}

function fieldOf(name: string, path: string): string {
  if (!/^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/.test(name)) {
    throw new RangeError(`${path}.${name}: no CEL rule can name this field; take letters and digits`);
  }
  if (CEL_WORDS.has(name)) return `self.__${name}__`;
  const escaped = name.replaceAll("__", "__underscores__").replaceAll(".", "__dot__").replaceAll("-", "__dash__");
  return `self.${escaped.replaceAll("/", "__slash__")}`;
}
