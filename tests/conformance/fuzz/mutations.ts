import fc from "fast-check";
import { isObject } from "../../../lib/base/mod.ts";
import type { Schema } from "../../../lib/apiserver/resource_type.ts";
import { resolveSchema } from "../../../lib/apiserver/schema/definitions.ts";
import { ABSENT, withField } from "../cases/changed.ts";

/** A field that a mutation changes. */
interface Field {
  readonly path: string;
  readonly schema: Schema;
}

const DEPTH_MAX = 9;
/** A key may hold dots and slashes. */
const SEPARATOR = "\u0000";

/** Fields that an object has, and those that its schema gives to what it has. */
export function fieldsOf(object: unknown, reference: Schema): Field[] {
  const found: Field[] = [];
  const visit = (value: unknown, schema: Schema, path: readonly string[]): void => {
    if (path.length > DEPTH_MAX) return;
    if (path.length > 0) found.push({ path: path.join(SEPARATOR), schema });
    if (Array.isArray(value)) {
      value.forEach((item, index) =>
        schema.items && visit(item, resolveSchema(schema.items), [...path, String(index)])
      );
    } else if (isObject(value)) visitStruct(value, schema, path);
  };
  const visitStruct = (value: Record<string, unknown>, schema: Schema, path: readonly string[]): void => {
    for (const [name, child] of Object.entries(schema.properties ?? {})) {
      if (path.length === 0 && !isOwn(name)) continue;
      if (path.length === 1 && path[0] === "metadata" && !METADATA.has(name)) continue;
      visit(value[name], resolveSchema(child), [...path, name]);
    }
    if (typeof schema.additionalProperties !== "object") return;
    const items = resolveSchema(schema.additionalProperties);
    for (const [name, item] of Object.entries(value)) visit(item, items, [...path, name]);
  };
  visit(object, resolveSchema(reference), []);
  return found;
}

/** What a server gives to every object is not changed, and names stay what the scripts call them. */
const METADATA = new Set(["labels", "annotations", "finalizers", "generateName", "namespace"]);

function isOwn(name: string): boolean {
  return name !== "apiVersion" && name !== "kind" && name !== "status";
}

const LONG_TEXT = "x".repeat(64);
const TEXTS = [
  "",
  "a",
  "A_b",
  " a",
  LONG_TEXT,
  "a.b",
  "1",
  "a/b",
  "a b",
  "example.com/a",
  "10.0.0.1",
  "100%",
  "1Gi",
  "-1",
];
const NUMBERS = [0, 1, -1, 2, 30, 65_535, 65_536, 2_147_483_647, 2_147_483_648, 1.5];
const ANYTHING: readonly unknown[] = [null, "a", 1, true, [], {}, ["a"], { a: "b" }];

/** Values for a field: of its type mostly, and of others. */
export function valueFor(schema: Schema): fc.Arbitrary<unknown> {
  const own: unknown[] = [...schema.enum ?? []];
  if (schema.type === "string") own.push(...TEXTS);
  else if (schema.type === "integer" || schema.type === "number") own.push(...NUMBERS);
  else if (schema.type === "boolean") own.push(true, false);
  else if (schema.type === "array") own.push([], [{}], ["a"], ["a", "a"], [1]);
  else own.push({}, { a: "b" }, { "a b": "c" });
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...own) },
    { weight: 2, arbitrary: fc.constantFrom(...ANYTHING) },
    { weight: 1, arbitrary: fc.constant(ABSENT) },
  );
}

/** The object with one or two fields changed. */
export function mutated<T>(object: T, reference: Schema): fc.Arbitrary<T> {
  const one = fc.constantFrom(...fieldsOf(object, reference)).chain(({ path, schema }) =>
    valueFor(schema).map((value) => ({ path, value }))
  );
  return fc.array(one, { minLength: 1, maxLength: 2 }).map((changes) =>
    changes.reduce((changed, { path, value }) => changedAt(changed, path, value), object)
  );
}

function changedAt<T>(object: T, path: string, value: unknown): T {
  try {
    return withField(object, path, value, SEPARATOR);
  } catch {
    return object; // an earlier change made a text or a number of a parent
  }
}
