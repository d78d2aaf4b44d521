import { z } from "zod";
import { PermanentError, UsageError } from "../base/errors.ts";
import type { DynamicObject, KubeObject, ObjectMeta } from "../apimachinery/object.ts";
import { isDnsLabel, isDnsSubdomain } from "../apimachinery/name.ts";
import { guessPlural } from "../apimachinery/resource.ts";
import type { BaseStatus, ResourceKind } from "../controller/declaration.ts";
import { type SchemaNode, structuralSchema } from "./structural_schema.ts";

/** A custom resource, typed by its schemas. */
export interface CustomObject<Spec, Status> extends KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: Spec;
  status?: Partial<Status> & BaseStatus;
}

/** A column of `kubectl get`. */
export interface Column {
  readonly name: string;
  readonly jsonPath: string;
  readonly type?: "string" | "integer" | "number" | "boolean" | "date";
  readonly description?: string;
  /** Above 0: shown with `-o wide` only. */
  readonly priority?: number;
}

/** What {@linkcode defineResource} takes. */
export interface ResourceOptions<Spec extends z.ZodType, Status extends z.ZodType> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Lower case plural; guessed from the kind where absent. */
  readonly plural?: string;
  readonly scope?: "Namespaced" | "Cluster";
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** Columns of `kubectl get` between Name and Age; Ready's status where absent. */
  readonly columns?: readonly Column[];
  readonly description?: string;
  readonly spec: Spec;
  readonly status?: Status;
}

/** A kind of one's own: what the engine needs, the CRD, and the types. */
export interface CustomResource<Spec, Status extends object>
  extends ResourceKind<CustomObject<Spec, Status>, Spec, Status> {
  /** The CustomResourceDefinition. */
  crd(): DynamicObject;
}

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
  observedGeneration: { type: "integer", format: "int64", description: "The generation that this status speaks of." },
  conditions: {
    type: "array",
    description: "What is true of this object.",
    items: CONDITION_SCHEMA,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["type"],
  },
};

/**
 * Defines a custom resource from one schema: the TypeScript types, the CRD's structural schema and the check at run time all
 * follow from it. `observedGeneration` and `conditions` are added to every status.
 *
 * @throws {UsageError} for a group, kind or plural that Kubernetes would refuse; {@linkcode RangeError} for a schema that a
 * CRD cannot hold.
 * @example
 * ```ts
 * import { z } from "zod";
 * import { defineResource } from "./define_resource.ts";
 * const Widget = defineResource({
 *   group: "shop.example.com", version: "v1", kind: "Widget",
 *   spec: z.object({ size: z.int().min(1) }),
 * });
 * if (Widget.plural !== "widgets") throw new Error("guessed from the kind");
 * ```
 */
export function defineResource<Spec extends z.ZodType, Status extends z.ZodType = z.ZodObject>(
  options: ResourceOptions<Spec, Status>,
): CustomResource<z.output<Spec>, z.output<Status> & object> {
  const { group, version, kind } = options;
  const plural = options.plural ?? guessPlural(kind);
  if (!isDnsSubdomain(group) || !group.includes(".")) throw new UsageError(`group "${group}" is no domain name`);
  if (!isDnsLabel(version)) throw new UsageError(`version "${version}" is no version like v1 or v1alpha1`);
  if (!/^[A-Z][A-Za-z0-9]*$/.test(kind)) throw new UsageError(`kind "${kind}" is not CamelCase`);
  if (!isDnsLabel(plural)) throw new UsageError(`plural "${plural}" is not a lower-case name`);
  return {
    group,
    version,
    kind,
    plural,
    namespaced: (options.scope ?? "Namespaced") === "Namespaced",
    hasStatus: true,
    parseSpec: (object) => parseSpec(options.spec, object.spec),
    crd: () => customResourceDefinition(options, plural),
  };
}

function parseSpec<Spec extends z.ZodType>(schema: Spec, spec: unknown): z.output<Spec> {
  const parsed = schema.safeParse(spec ?? {});
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, 5).map((issue) => {
    const path = issue.path.reduce<string>(
      (at, part) => typeof part === "number" ? `${at}[${part}]` : `${at}.${String(part)}`,
      "spec",
    );
    return `${path}: ${issue.message}`;
  });
  throw new PermanentError(issues.join("; "), { reason: "InvalidSpec" });
}

function customResourceDefinition(options: ResourceOptions<z.ZodType, z.ZodType>, plural: string): DynamicObject {
  const { group, version, kind, scope = "Namespaced", shortNames, categories } = options;
  const spec = structuralSchema(jsonSchema(options.spec), "spec");
  const status = options.status ? structuralSchema(jsonSchema(options.status), "status") : { type: "object" };
  const properties = { ...(status.properties as Record<string, SchemaNode> | undefined), ...BASE_STATUS };
  const required = Array.isArray(spec.required) && spec.required.length > 0 ? { required: ["spec"] } : {};
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
      versions: [{
        name: version,
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: printerColumns(options.columns),
        schema: {
          openAPIV3Schema: {
            type: "object",
            ...(options.description ? { description: options.description } : {}),
            ...required,
            properties: {
              apiVersion: { type: "string" },
              kind: { type: "string" },
              metadata: { type: "object" },
              spec,
              status: { ...status, properties },
            },
          },
        },
      }],
    },
  };
}

function jsonSchema(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    cycles: "throw",
    reused: "inline",
  }) as SchemaNode;
}

function printerColumns(columns: readonly Column[] | undefined): readonly Column[] {
  const ready: Column = { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' };
  const age: Column = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };
  return [...(columns ?? [ready]).map((column) => ({ ...column, type: column.type ?? "string" })), age];
}
