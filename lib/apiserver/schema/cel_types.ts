import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  type SizeOfPath,
  STRING,
  structType,
  TIMESTAMP,
  type Type,
} from "../cel/mod.ts";
import type { Schema } from "../resource_type.ts";
import { escapeField } from "./cel_names.ts";

/** What expressions know of a schema: its type, and bounds of its values for the cost. */
export interface Declaration {
  readonly kind: "object" | "list" | "map" | "scalar";
  /** Of a scalar. */
  readonly type?: Type;
  /** Letters, items or entries. */
  readonly sizeMax: number;
  /** Bytes of the smallest value. */
  readonly bytesMin: number;
  /** By their names in expressions. */
  readonly fields?: ReadonlyMap<string, Declaration>;
  readonly element?: Declaration;
}

/** The largest request, which bounds what has no bound of its own. */
export const REQUEST_BYTES_MAX = 3 * 1024 * 1024;

const TEXT_MAX = REQUEST_BYTES_MAX - 2;

const METADATA: Schema = {
  type: "object",
  properties: { name: { type: "string" }, generateName: { type: "string" } },
};

const roots = new WeakMap<Schema, Schema>();

/** The schema of a whole object, of which rules always see identity and name. */
export function rootSchema(schema: Schema): Schema {
  const known = roots.get(schema);
  if (known) return known;
  const text: Schema = { type: "string" }, properties = schema.properties ?? {};
  const { name, generateName } = properties.metadata?.properties ?? {};
  const result = {
    ...schema,
    type: "object" as const,
    properties: {
      ...properties,
      kind: text,
      apiVersion: text,
      metadata: name && generateName ? properties.metadata! : METADATA,
    },
  };
  roots.set(schema, result);
  return result;
}

/** Undefined for a schema that rules cannot see, such as a list without items. */
export function declarationOf(schema: Schema, root = schema["x-kubernetes-embedded-resource"] === true):
  | Declaration
  | undefined {
  if (schema["x-kubernetes-int-or-string"]) {
    return scalar(DYN, schema.maxLength === undefined ? TEXT_MAX : lettersMax(schema), 1);
  }
  const shape = root ? rootSchema(schema) : schema;
  switch (shape.type) {
    case "array": {
      const element = shape.items && declarationOf(shape.items);
      if (!element) return undefined;
      const items = Math.floor((REQUEST_BYTES_MAX - 2) / (element.bytesMin + 1));
      return { kind: "list", element, sizeMax: bound(shape.maxItems) ?? items, bytesMin: 2 };
    }
    case "object":
      return typeof shape.additionalProperties === "object"
        ? mapDeclaration(shape, shape.additionalProperties)
        : objectDeclaration(shape);
    case "string":
      return textDeclaration(shape);
    case "boolean":
      return scalar(BOOL, 0, 4);
    case "number":
      return scalar(DOUBLE, 0, 1);
    case "integer":
      return scalar(INT, 0, 1);
  }
  return undefined;
}

function scalar(type: Type, sizeMax: number, bytesMin: number): Declaration {
  return { kind: "scalar", type, sizeMax, bytesMin };
}

function bound(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.max(0, value);
}

/** A letter has up to four bytes. */
function lettersMax(schema: Schema): number {
  return bound(schema.maxLength)! * 4;
}

function textDeclaration(schema: Schema): Declaration {
  switch (schema.format) {
    case "byte":
      return scalar(BYTES, bound(schema.maxLength) ?? TEXT_MAX, 2);
    case "duration":
      return scalar(DURATION, 32, 3);
    case "date":
      return scalar(TIMESTAMP, 12, 12);
    case "date-time":
      return scalar(TIMESTAMP, 32, 21);
  }
  const letters = schema.maxLength === undefined
    ? schema.enum?.length ? Math.max(...schema.enum.map(byteLength)) : TEXT_MAX
    : lettersMax(schema);
  return scalar(STRING, letters, 2);
}

function byteLength(value: unknown): number {
  return typeof value === "string" ? new TextEncoder().encode(value).length : 0;
}

function mapDeclaration(schema: Schema, values: Schema): Declaration | undefined {
  const element = declarationOf(values);
  if (!element) return undefined;
  const entries = Math.floor((REQUEST_BYTES_MAX - 2) / (element.bytesMin + 6));
  return { kind: "map", element, sizeMax: bound(schema.maxProperties) ?? entries, bytesMin: 2 };
}

function objectDeclaration(schema: Schema): Declaration {
  const fields = new Map<string, Declaration>();
  let bytesMin = 2;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const field = declarationOf(property);
    if (!field) continue;
    const escaped = escapeField(name);
    if (escaped !== undefined) fields.set(escaped, field);
    if (schema.required?.includes(name) && property.default === undefined) {
      bytesMin += byteLength(name) + field.bytesMin + 4;
    }
  }
  return { kind: "object", fields, sizeMax: 0, bytesMin };
}

/** `name`: what errors call an object. */
export function typeOfDeclaration(declaration: Declaration, name: string): Type {
  switch (declaration.kind) {
    case "scalar":
      return declaration.type!;
    case "list":
      return listOf(typeOfDeclaration(declaration.element!, `${name}.@idx`));
    case "map":
      return mapOf(STRING, typeOfDeclaration(declaration.element!, `${name}.@elem`));
    case "object":
      return structType(name, {
        get(field) {
          const word = `__${field}__`, reserved = escapeField(field) === word ? word : field;
          const found = declaration.fields!.get(field) ?? declaration.fields!.get(reserved);
          return found && typeOfDeclaration(found, `${name}.${field}`);
        },
      });
  }
}

/** Bounds of what a path from `self` leads to. */
export function sizesOf(declaration: Declaration): SizeOfPath {
  return (path) => {
    let at: Declaration | undefined = declaration;
    for (const step of path.slice(1)) {
      if (step === "@keys") {
        // A map's keys are texts of any length, which have no bound in its declaration.
        return at.kind === "map" ? { min: 0, max: 0 } : undefined;
      }
      at = step === "@items" || step === "@values" ? at.element : at.fields?.get(step);
      if (!at) return undefined;
    }
    return { min: 0, max: at.sizeMax };
  };
}
