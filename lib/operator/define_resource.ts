import * as z from "zod";
import { describeError, PermanentError, UsageError } from "../base/errors.ts";
import type { DynamicObject, KubeObject, ObjectMeta } from "../apimachinery/object.ts";
import { isDnsLabel, isDnsSubdomain } from "../apimachinery/name.ts";
import { guessPlural } from "../apimachinery/resource.ts";
import type { BaseStatus, ResourceKind } from "../controller/declaration.ts";
import { type SchemaNode, structuralSchema } from "./structural_schema.ts";

/** Any schema of zod's: `ZodType`. */
export type Schema = InstanceType<(typeof z)["ZodType"]>;

/** What a schema makes of its input, defaults filled in: `z.output`. */
export type SchemaOutput<S extends Schema> = S["_zod"]["output"];

/** A custom resource, typed by its schemas. */
export interface CustomObject<Spec, Status> extends KubeObject {
  /** `group/version` of the definition. */
  apiVersion: string;
  /** Kind of the definition. */
  kind: string;
  /** Name, identity, version and bookkeeping. */
  metadata: ObjectMeta;
  /** What is desired, as its schema types it. */
  spec: Spec;
  /** What the operator last wrote; absent before its first cycle. */
  status?: Partial<Status> & BaseStatus;
}

/** A column of `kubectl get`. */
export interface Column {
  /** The heading; kubectl shows it in capitals. */
  readonly name: string;
  /** Where the value is in the object, as `.spec.size`. */
  readonly jsonPath: string;
  /** How the value is shown; `string` where absent, and `date` as the time since then. */
  readonly type?: "string" | "integer" | "number" | "boolean" | "date";
  /** What the column means, for people who read the CRD. */
  readonly description?: string;
  /** Above 0: shown with `-o wide` only. */
  readonly priority?: number;
}

/** What {@linkcode defineResource} takes. */
export interface ResourceOptions<Spec extends Schema, Status extends Schema> {
  /** A domain name of one's own with at least one dot, as `shop.example.com`. */
  readonly group: string;
  /** The version that handlers see and that is stored, as `v1` or `v1alpha1`. */
  readonly version: string;
  /**
   * Versions of the same fields that are served too, as `v1beta1`: for clients, and for objects, of before. Whoever uses one is warned. Once
   * `migrate-storage` has run and no client needs it, one can be left out.
   */
  readonly formerVersions?: readonly string[];
  /** CamelCase singular, of letters and digits. */
  readonly kind: string;
  /** Lower case plural; guessed from the kind where absent. */
  readonly plural?: string;
  /** Whether objects live in namespaces, as they do by default. */
  readonly scope?: "Namespaced" | "Cluster";
  /** Abbreviations that kubectl understands. */
  readonly shortNames?: readonly string[];
  /** Groups for `kubectl get`: `all` shows the kind in `kubectl get all`. */
  readonly categories?: readonly string[];
  /** Columns of `kubectl get` between Name and Age; Ready's status where absent. */
  readonly columns?: readonly Column[];
  /** What the kind is for; `kubectl explain` shows it. */
  readonly description?: string;
  /** Schema of `spec`; it must be one that a CRD can hold. */
  readonly spec: Spec;
  /** Schema of `status` beyond {@linkcode BaseStatus}; nothing more where absent. */
  readonly status?: Status;
}

/** A kind of one's own: what the engine needs, the CRD, and the types. */
export interface CustomResource<Spec, Status extends object>
  extends ResourceKind<CustomObject<Spec, Status>, Spec, Status> {
  /**
   * The CustomResourceDefinition. `statusFields` are fields of the status, beyond its schema, that the server must keep.
   *
   * @throws {RangeError} for a schema that a CRD cannot hold, naming the field.
   */
  crd(options?: { readonly statusFields?: readonly string[] }): DynamicObject;
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
 * @throws {UsageError} for a group, kind or plural that Kubernetes would refuse.
 * @example
 * ```ts
 * import * as z from "zod";
 * import { defineResource } from "./define_resource.ts";
 * const Widget = defineResource({
 *   group: "shop.example.com", version: "v1", kind: "Widget",
 *   spec: z.object({ size: z.int().min(1) }),
 * });
 * if (Widget.plural !== "widgets") throw new Error("guessed from the kind");
 * ```
 */
export function defineResource<Spec extends Schema, Status extends Schema = InstanceType<(typeof z)["ZodObject"]>>(
  options: ResourceOptions<Spec, Status>,
): CustomResource<SchemaOutput<Spec>, SchemaOutput<Status> & object> {
  const { group, version, kind } = options;
  const plural = options.plural ?? guessPlural(kind);
  if (!isDnsSubdomain(group) || !group.includes(".")) throw new UsageError(`group "${group}" is no domain name`);
  const versions = [version, ...options.formerVersions ?? []];
  for (const [index, former] of versions.entries()) {
    if (!isDnsLabel(former)) throw new UsageError(`version "${former}" is no version like v1 or v1alpha1`);
    if (versions.indexOf(former) !== index) throw new UsageError(`version "${former}" of ${kind} is named twice`);
  }
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
    crd: ({ statusFields = [] } = {}) => customResourceDefinition(options, plural, statusFields),
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

function customResourceDefinition(
  options: ResourceOptions<z.ZodType, z.ZodType>,
  plural: string,
  statusFields: readonly string[],
): DynamicObject {
  const { group, version, kind, scope = "Namespaced", shortNames, categories } = options;
  const spec = structuralSchema(jsonSchema(options.spec, `${kind}.spec`), "spec");
  const status = options.status
    ? structuralSchema(jsonSchema(options.status, `${kind}.status`), "status")
    : { type: "object" };
  const records = statusFields.map((
    field,
  ) => [field, { type: "object", "x-kubernetes-preserve-unknown-fields": true }]);
  const properties = {
    ...(status.properties as Record<string, SchemaNode> | undefined),
    ...Object.fromEntries(records),
    ...BASE_STATUS,
  };
  const required = Array.isArray(spec.required) && spec.required.length > 0 ? { required: ["spec"] } : {};
  const former = options.formerVersions ?? [];
  const shape = {
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
  };
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
        ...former.map((name) => ({
          name,
          served: true,
          storage: false,
          deprecated: true,
          deprecationWarning: `${group}/${name} ${kind} is deprecated: use ${group}/${version}`,
          ...shape,
        })),
      ],
    },
  };
}

function jsonSchema(schema: z.ZodType, name: string): SchemaNode {
  try {
    return z.toJSONSchema(schema, {
      io: "input",
      unrepresentable: "any",
      cycles: "throw",
      reused: "inline",
    }) as SchemaNode;
  } catch (cause) {
    throw new RangeError(`${name}: a CRD's structural schema cannot hold this: ${describeError(cause)}`, { cause });
  }
}

function printerColumns(columns: readonly Column[] | undefined): readonly Column[] {
  const ready: Column = { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' };
  const age: Column = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };
  return [...(columns ?? [ready]).map((column) => ({ ...column, type: column.type ?? "string" })), age];
}
