import { isObject } from "../../base/mod.ts";
import { formatPath } from "./field_trie.ts";
import { elementOf, fieldType, isNamedField, itemType, KeyingError, type TypeAt } from "./typed_value.ts";

/** The next apply reports the rest. */
const FAULTS_MAX = 100;

/**
 * Undeclared fields and wrong types, in structured-merge-diff's words. Null is accepted; validation checks it later.
 */
export function typeFaults(value: unknown, type: TypeAt): string[] {
  const faults: string[] = [];
  visit(value, type, [], faults);
  return faults.slice(0, FAULTS_MAX);
}

export function joinedFaults(faults: readonly string[]): string {
  return faults.length === 1 ? faults[0]! : ["errors:", ...faults.map((fault) => `  ${fault}`)].join("\n");
}

function visit(value: unknown, type: TypeAt, path: readonly string[], faults: string[]): void {
  const { schema } = type;
  if (value === null || value === undefined || !schema || faults.length >= FAULTS_MAX) return;
  const refuse = (problem: string) => void faults.push(`${formatPath(path)}: ${problem}`);
  switch (schema.type) {
    case "string":
      if (typeof value !== "string") refuse(`expected string, got ${pointerText(value)}`);
      return;
    case "boolean":
      if (typeof value !== "boolean") refuse(`expected boolean, got &{${plainText(value)}}`);
      return;
    case "integer":
    case "number":
      if (typeof value !== "number" && typeof value !== "bigint") {
        refuse(`expected numeric (int or float), got ${typeText(value)}`);
      }
      return;
    case "array":
      if (Array.isArray(value)) visitList(value, type, path, faults);
      else refuse(`expected list, got &{${plainText(value)}}`);
      return;
    case "object":
      if (isObject(value)) visitMap(value, type, path, faults);
      else refuse(`expected map, got &{${plainText(value)}}`);
      return;
    default:
      // A quantity is a text or a number.
      if (schema.oneOf && typeof value === "object") return refuse(`expected any scalar, got &{${plainText(value)}}`);
      // A whole object has declared fields in any schema.
      if (isObject(value) && (type.whole || schema.properties)) visitMap(value, type, path, faults);
  }
}

function visitMap(
  value: Readonly<Record<string, unknown>>,
  type: TypeAt,
  path: readonly string[],
  faults: string[],
): void {
  const schema = type.schema!,
    isOpen = schema["x-kubernetes-preserve-unknown-fields"] === true ||
      (schema.additionalProperties !== undefined && schema.additionalProperties !== false);
  for (const field of Object.keys(value).sort()) {
    const at = [...path, `f:${field}`];
    if (!isOpen && !isNamedField(type, field)) {
      faults.push(`${formatPath(at)}: field not declared in schema`);
      return; // an API server checks no further in this map either
    }
    visit(value[field], fieldType(type, field), at, faults);
  }
}

function visitList(value: readonly unknown[], type: TypeAt, path: readonly string[], faults: string[]): void {
  const kind = type.schema!["x-kubernetes-list-type"], seen = new Map<string, number>();
  for (const [index, item] of value.entries()) {
    let element = `i:${index}`;
    if (kind === "map" || kind === "set") {
      const problem = keyProblem(item, type, kind);
      if (problem) {
        faults.push(`${formatPath(path)}: element ${index}: ${problem}`);
        return;
      }
      element = elementOf(item, type);
      const times = (seen.get(element) ?? 0) + 1;
      seen.set(element, times);
      if (times > 1) faults.push(`${formatPath(path)}: duplicate entries for key ${formatPath([element])}`);
    }
    visit(item, itemType(type), [...path, element], faults);
  }
}

function keyProblem(item: unknown, type: TypeAt, kind: "map" | "set"): string | undefined {
  if (kind === "set") {
    if (item === null) return "associative list without keys has an element that's an explicit null";
    if (Array.isArray(item)) return "not supported: associative list with lists as elements";
    return isObject(item) ? "associative list without keys has an element that's a map type" : undefined;
  }
  if (item === null) return "associative list with keys may not have a null element";
  if (!isObject(item)) return "associative list with keys may not have non-map elements";
  try {
    elementOf(item, type);
    return undefined;
  } catch (error) {
    if (!(error instanceof KeyingError)) throw error;
    const keys = (type.schema!["x-kubernetes-list-map-keys"] ?? []).map((key) => JSON.stringify(key)).join(" ");
    return `associative list with keys has an element that omits all key fields [${keys}] ` +
      "(and doesn't have default values for any key fields)";
  }
}

/** Go's `%v`. */
function plainText(value: unknown): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(plainText).join(" ")}]`;
  if (!isObject(value)) return String(value);
  return `map[${Object.keys(value).sort().map((key) => `${key}:${plainText(value[key])}`).join(" ")}]`;
}

/** Go's `%#v`, after structured-merge-diff's own type. */
function pointerText(value: unknown): string {
  return `&value.valueUnstructured{Value:${syntaxText(value)}}`;
}

function syntaxText(value: unknown): string {
  if (value === null) return "interface {}(nil)";
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(syntaxText).join(", ")}}`;
  if (!isObject(value)) return String(value);
  const fields = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${syntaxText(value[key])}`);
  return `map[string]interface {}{${fields.join(", ")}}`;
}

/** The type's name in Go. */
function typeText(value: unknown): string {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  return Array.isArray(value) ? "[]interface {}" : "map[string]interface {}";
}
