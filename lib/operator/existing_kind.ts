import { type DesiredMeta, guessPlural, type ResourceKind } from "../apimachinery/mod.ts";
import { type CustomObject, parseSpec } from "./define_resource.ts";
import type { Schema, SchemaInput, SchemaOutput } from "./resource_options.ts";

/** What {@linkcode existingKind} takes. */
export interface ExistingKindOptions<Spec extends Schema, Status extends Schema> {
  /** API group of the CRD. */
  readonly group: string;
  /** The version that handlers see: one that the CRD serves. */
  readonly version: string;
  /** CamelCase singular. */
  readonly kind: string;
  /** Lower case plural; guessed from the kind where absent. */
  readonly plural?: string;
  /** Whether objects live in namespaces, as they do by default. */
  readonly scope?: "Namespaced" | "Cluster";
  /** Schema of what handlers read of `spec`; other fields are left out. */
  readonly schema: Spec;
  /** Schema of what the operator writes in `status`, beyond conditions and `observedGeneration`. */
  readonly status?: Status;
  /** Where in the status the conditions are, as `details.conditions`; `conditions` where absent. */
  readonly conditions?: string;
}

/** A kind that another program's CRD defines, and whose status this operator writes. */
export interface ExistingKind<Spec extends Schema, Status extends Schema> extends
  ResourceKind<
    CustomObject<SchemaOutput<Spec>, SchemaOutput<Status>>,
    SchemaOutput<Spec>,
    SchemaOutput<Status> & object
  > {
  /** Never set: it carries the type of what is applied of this kind. */
  readonly desiredType?: { readonly metadata?: DesiredMeta } & Readonly<Record<"spec", SchemaInput<Spec>>>;
}

/**
 * A kind whose CRD is not the operator's, and whose status is. The CRD is neither installed nor changed. Fields of the
 * engine that its schema lacks (`observedGeneration`, conditions) are not written: the first reconcile logs which, in
 * one line.
 *
 * @example
 * ```ts
 * import * as z from "zod";
 * import { existingKind } from "@pintle/pintle";
 * const Database = existingKind({
 *   group: "example.com", version: "v1", kind: "Database",
 *   schema: z.object({ size: z.string() }),
 *   status: z.object({ phase: z.string().optional() }),
 * });
 * if (Database.plural !== "databases") throw new Error("guessed from the kind");
 * ```
 */
export function existingKind<Spec extends Schema, Status extends Schema = never>(
  options: ExistingKindOptions<Spec, Status>,
): ExistingKind<Spec, Status> {
  const { group, version, kind, plural = guessPlural(kind), scope = "Namespaced", schema, conditions } = options;
  return {
    group,
    version,
    kind,
    plural,
    namespaced: scope === "Namespaced",
    hasStatus: true,
    servedStatus: { conditions: (conditions ?? "conditions").split(".") },
    parseSpec: ({ spec }) => parseSpec(schema, spec) as SchemaOutput<Spec>,
  };
}
