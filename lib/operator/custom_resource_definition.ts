import * as z from "zod";
import { describeError, narrowIntegers } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import type { Column, ResourceOptions, Schema } from "./resource_options.ts";
import type { DeclaredVersion } from "./resource_version.ts";
import type { SchemaNode } from "./schema_node.ts";
import { DISCRIMINATOR, structuralSchema } from "./structural_schema.ts";

const CONDITION_SCHEMA: SchemaNode = {
  type: "object",
  required: ["type", "status", "lastTransitionTime", "reason", "message"],
  properties: {
    type: { type: "string", maxLength: 316 },
    status: { type: "string", enum: ["True", "False", "Unknown"] },
    reason: { type: "string", minLength: 1, maxLength: 1024 },
    message: { type: "string", maxLength: 32768 },
    lastTransitionTime: { type: "string", format: "date-time" },
    observedGeneration: { type: "integer", format: "int64", minimum: 0 },
  },
};

const BASE_STATUS: Record<string, SchemaNode> = {
  observedGeneration: {
    type: "integer",
    format: "int64",
    description: "The metadata.generation that this status is based on.",
  },
  conditions: {
    type: "array",
    description: "What is true of this object.",
    items: CONDITION_SCHEMA,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["type"],
  },
};

export type AnyOptions = ResourceOptions<Schema, Schema, Schema>;

/**
 * Lacks the conversion webhook, if any: only an installation knows its address.
 *
 * @throws {RangeError} for a schema that a CRD cannot hold, naming kind and field.
 */
export function customResourceDefinition(
  options: AnyOptions,
  { plural, others, statusFields }: {
    readonly plural: string;
    readonly others: readonly DeclaredVersion[];
    readonly statusFields: readonly string[];
  },
): DynamicObject {
  const { group, version, kind, scope = "Namespaced", shortNames, categories } = options;
  const shape = versionShape(options, options, statusFields);
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        ...(shortNames?.length ? { shortNames: [...shortNames] } : {}),
        ...(categories?.length ? { categories: [...categories] } : {}),
      },
      versions: [
        { name: version, served: true, storage: true, ...shape },
        ...others.map((other) => {
          const { version: name, served = true, deprecated = true, ...own } = typeof other === "string"
            ? { version: other }
            : other;
          const warning = typeof deprecated === "string"
            ? deprecated
            : `${group}/${name} ${kind} is deprecated: use ${group}/${version}`;
          return {
            name,
            served,
            storage: false,
            ...(deprecated !== false && { deprecated: true, deprecationWarning: warning }),
            ...("spec" in own ? versionShape(options, { status: options.status, ...own }, statusFields) : shape),
          };
        }),
      ],
    },
  };
}

function versionShape(
  { kind, description, fields, scale }: Pick<AnyOptions, "kind" | "description" | "fields" | "scale">,
  version: { readonly spec: Schema; readonly status?: Schema; readonly columns?: readonly Column[] },
  statusFields: readonly string[],
) {
  const spec = structuralSchema(jsonSchema(version.spec, `${kind}.spec`), `${kind}.spec`);
  const status = version.status
    ? structuralSchema(jsonSchema(version.status, `${kind}.status`), `${kind}.status`)
    : { type: "object" };
  const records = statusFields.map((
    field,
  ) => [field, { type: "object", "x-kubernetes-preserve-unknown-fields": true }]);
  const properties = {
    ...(status.properties as Record<string, SchemaNode> | undefined),
    ...Object.fromEntries(records),
    ...BASE_STATUS,
  };
  const { properties: others, required: needed = [], ...rest } = fields
    ? structuralSchema(jsonSchema(fields, kind), kind)
    : {} as SchemaNode;
  const required = [
    ...Array.isArray(spec.required) && spec.required.length > 0 ? ["spec"] : [],
    ...needed as string[],
  ];
  return {
    subresources: { status: {}, ...(scale ? { scale: scalePaths(scale) } : {}) },
    additionalPrinterColumns: printerColumns(version.columns),
    schema: {
      openAPIV3Schema: {
        ...rest,
        type: "object",
        ...(description ? { description } : {}),
        ...(required.length > 0 ? { required } : {}),
        properties: {
          ...others as Record<string, SchemaNode> | undefined,
          apiVersion: { type: "string" },
          kind: { type: "string" },
          metadata: { type: "object" },
          spec,
          status: { ...status, properties },
        },
      },
    },
  };
}

function scalePaths({ specReplicas, statusReplicas, selector }: NonNullable<AnyOptions["scale"]>): SchemaNode {
  const paths = { specReplicasPath: specReplicas, statusReplicasPath: statusReplicas };
  return selector === undefined ? paths : { ...paths, labelSelectorPath: selector };
}

function jsonSchema(schema: Schema, name: string): SchemaNode {
  try {
    return z.toJSONSchema(schema, {
      io: "input",
      unrepresentable: "any",
      cycles: "throw",
      reused: "inline",
      override: ({ zodSchema, jsonSchema }) => {
        const { def } = zodSchema._zod;
        if (def.type === "bigint") Object.assign(jsonSchema, int64Schema(def.checks));
        if (def.type === "union" && "discriminator" in def) {
          Object.assign(jsonSchema, { [DISCRIMINATOR]: def.discriminator });
        }
      },
    }) as SchemaNode;
  } catch (cause) {
    throw new RangeError(`${name}: a CRD's structural schema cannot hold this: ${describeError(cause)}`, { cause });
  }
}

/** A 64-bit integer, for which zod has no JSON Schema, with the bounds that zod passes on. Reading checks all. */
function int64Schema(checks: readonly z.core.$ZodCheck[] = []): SchemaNode {
  const node: SchemaNode = { type: "integer", format: "int64" };
  for (const { _zod: { def } } of checks) {
    const { check, value, inclusive } = def as { check: string; value?: unknown; inclusive?: boolean };
    const end = { greater_than: "Minimum", less_than: "Maximum" }[check];
    const bound = narrowIntegers(value);
    if (end && typeof bound === "number") node[inclusive ? end.toLowerCase() : `exclusive${end}`] = bound;
  }
  return node;
}

function printerColumns(columns: readonly Column[] | undefined): readonly Column[] {
  const ready: Column = { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' };
  const age: Column = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };
  return [...(columns ?? [ready]).map((column) => ({ ...column, type: column.type ?? "string" })), age];
}
