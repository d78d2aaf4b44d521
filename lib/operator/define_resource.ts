import * as z from "zod";
import { declaring, PermanentError, UsageError } from "../base/mod.ts";
import {
  type BaseStatus,
  type DesiredMeta,
  type DynamicObject,
  guessPlural,
  isDnsLabel,
  isDnsSubdomain,
  type KubeObject,
  type ObjectMeta,
  type ResourceKind,
} from "../apimachinery/mod.ts";
import { KindConversion } from "../admission/mod.ts";
import { type AnyOptions, customResourceDefinition } from "./custom_resource_definition.ts";
import type { ResourceOptions, Schema, SchemaInput, SchemaOutput } from "./resource_options.ts";
import {
  type DeclaredVersion,
  fieldIssues,
  parseExact,
  partsSchema,
  spokeOf,
  type VersionOptions,
} from "./resource_version.ts";
import { requireFaithful } from "./schema_faults.ts";

/** A custom resource, typed by its schemas. */
export interface CustomObject<Spec, Status> extends KubeObject {
  /** `group/version` of the definition. */
  apiVersion: string;
  /** Kind of the definition. */
  kind: string;
  /** Name, identity and version. */
  metadata: ObjectMeta;
  /** The desired state, typed by its schema. */
  spec: Spec;
  /** The observed state; absent before the first pass. */
  status?: Partial<Status> & BaseStatus;
}

/** A kind that the operator defines: the CRD and the types. */
export interface CustomResource<Spec, Status extends object, Fields = unknown>
  extends ResourceKind<CustomObject<Spec, Status> & Fields, Spec, Status> {
  /**
   * `statusFields` are status fields beyond the schema that the server must keep.
   *
   * @throws {RangeError} for a schema that a CRD cannot hold, naming kind and field.
   */
  crd(options?: { readonly statusFields?: readonly string[] }): DynamicObject;
  /** Undefined if all versions have the same fields. `statusFields` beyond the schemas are passed unchanged. */
  conversion(options?: { readonly statusFields?: readonly string[] }): KindConversion | undefined;
}

/** Can get further versions. */
export interface DefinedResource<Spec extends Schema, Status extends Schema, Fields extends Schema = never>
  extends CustomResource<SchemaOutput<Spec>, SchemaOutput<Status> & object, SchemaOutput<Fields>> {
  /** Never set: carries the type of applied objects, defaults optional. */
  readonly desiredType?:
    & { readonly metadata?: DesiredMeta }
    & Readonly<Record<"spec", SchemaInput<Spec>>>
    & SchemaInput<Fields>;
  /**
   * Adds an earlier or later version with other fields. Handlers and storage keep that of {@linkcode defineResource};
   * API servers ask the running operator to convert. Use only the returned kind.
   *
   * @throws {UsageError} for an invalid or taken name.
   * @example
   * ```ts
   * import * as z from "zod";
   * import { defineResource } from "@pintle/pintle";
   * const Widget = defineResource({
   *   group: "shop.example.com", version: "v2", kind: "Widget",
   *   spec: z.object({ gibibytes: z.int() }),
   * }).withVersion({
   *   version: "v1",
   *   spec: z.object({ size: z.string().regex(/^[0-9]+Gi$/) }),
   *   toHub: ({ spec }) => ({ spec: { gibibytes: Number.parseInt(spec.size) } }),
   *   fromHub: ({ spec }) => ({ spec: { size: `${spec.gibibytes}Gi` } }),
   * });
   * if (Widget.version !== "v2") throw new Error("the handlers' version");
   * ```
   */
  withVersion<OtherSpec extends Schema, OtherStatus extends Schema = Status>(
    options: VersionOptions<Spec, Status, OtherSpec, OtherStatus>,
  ): DefinedResource<Spec, Status, Fields>;
}

/**
 * Defines a custom resource from one schema: TypeScript types, structural schema and runtime check. Every status also
 * gets `observedGeneration` and `conditions`.
 *
 * @throws {UsageError} for a group, kind or plural that Kubernetes would refuse.
 * @throws {RangeError} for a schema that a CRD cannot hold, naming kind, field and an alternative.
 * @example
 * ```ts
 * import * as z from "zod";
 * import { defineResource } from "@pintle/pintle";
 * const Widget = defineResource({
 *   group: "shop.example.com", version: "v1", kind: "Widget",
 *   spec: z.object({ size: z.int().min(1) }),
 * });
 * if (Widget.plural !== "widgets") throw new Error("guessed from the kind");
 * ```
 */
export function defineResource<Spec extends Schema, Status extends Schema = never, Fields extends Schema = never>(
  options: ResourceOptions<Spec, Status, Fields>,
): DefinedResource<Spec, Status, Fields> {
  return declaring(defineResource, () => definedResource(options, options.formerVersions ?? []));
}

function definedResource<Spec extends Schema, Status extends Schema, Fields extends Schema>(
  options: ResourceOptions<Spec, Status, Fields>,
  others: readonly DeclaredVersion[],
): DefinedResource<Spec, Status, Fields> {
  const { group, version, kind } = options;
  const plural = options.plural ?? guessPlural(kind);
  if (!isDnsSubdomain(group) || !group.includes(".")) throw new UsageError(`group "${group}" is not a domain name`);
  const versions = [version, ...others.map((other) => typeof other === "string" ? other : other.version)];
  for (const [index, name] of versions.entries()) {
    if (!isDnsLabel(name)) throw new UsageError(`version "${name}" is not a version like v1 or v1alpha1`);
    if (versions.indexOf(name) !== index) throw new UsageError(`version "${name}" of ${kind} is named twice`);
  }
  if (!/^[A-Z][A-Za-z0-9]*$/.test(kind)) throw new UsageError(`kind "${kind}" is not CamelCase`);
  if (!isDnsLabel(plural)) throw new UsageError(`plural "${plural}" is not a lower-case name`);
  const any = options as unknown as AnyOptions;
  requireDefinition(any, plural, others);
  const resource: DefinedResource<Spec, Status, Fields> = {
    group,
    version,
    kind,
    plural,
    namespaced: (options.scope ?? "Namespaced") === "Namespaced",
    hasStatus: true,
    parseSpec: (object) => parseSpec(options.spec, object.spec) as SchemaOutput<Spec>,
    crd: ({ statusFields = [] } = {}) => customResourceDefinition(any, { plural, others, statusFields }),
    conversion: ({ statusFields = [] } = {}) => {
      if (others.every((other) => typeof other === "string")) return undefined;
      return new KindConversion({
        group,
        kind,
        plural,
        hub: { version, schema: partsSchema(options.spec, options.status) },
        spokes: others.map((other) => spokeOf(other, options.status)),
        engineFields: ["observedGeneration", "conditions", ...statusFields],
      });
    },
    withVersion: (other) => {
      const all = [...others, other as unknown as DeclaredVersion];
      return declaring(resource.withVersion, () => definedResource(options, all));
    },
  };
  return resource;
}

/** @throws {RangeError} as {@linkcode defineResource}. */
function requireDefinition(options: AnyOptions, plural: string, others: readonly DeclaredVersion[]): void {
  const { kind, fields } = options;
  const versions = [options, ...others.filter((other) => typeof other === "object")];
  for (const { spec, status } of versions) {
    requireFaithful(spec, `${kind}.spec`);
    if (status) requireFaithful(status, `${kind}.status`);
  }
  if (fields) requireFields(fields, kind);
  customResourceDefinition(options, { plural, others, statusFields: [] });
}

/** @throws {RangeError} for fields that a kind cannot have. */
function requireFields(fields: Schema, kind: string): void {
  requireFaithful(fields, kind);
  const { shape } = fields as { shape?: object };
  if (!shape) {
    throw new RangeError(`${kind}: the fields beside spec and status are those of an object; use z.object({…})`);
  }
  const taken = ["apiVersion", "kind", "metadata", "spec", "status"].find((name) => Object.hasOwn(shape, name));
  if (taken) throw new RangeError(`${kind}.${taken}: every object has a field of this name; choose another`);
}

/** @throws {PermanentError} naming every invalid field. */
export function parseSpec<Spec extends z.ZodType>(schema: Spec, spec: unknown): z.output<Spec> {
  const parsed = parseExact(schema, spec ?? {});
  if (parsed.success) return parsed.data;
  throw new PermanentError(fieldIssues("spec", parsed.error.issues).join("; "), { reason: "InvalidSpec" });
}
