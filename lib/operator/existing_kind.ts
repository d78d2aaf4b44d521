import { type DesiredMeta, guessPlural, type ResourceKind } from "../apimachinery/mod.ts";
import { type CustomObject, parseSpec } from "./define_resource.ts";
import type { Schema, SchemaInput, SchemaOutput } from "./resource_options.ts";

/** Options of {@linkcode existingKind}. */
export interface ExistingKindOptions<Spec extends Schema, Status extends Schema> {
  readonly group: string;
  /** For handlers; the CRD must serve it. */
  readonly version: string;
  readonly kind: string;
  /** Lower case plural; guessed from the kind by default. */
  readonly plural?: string;
  /** `Namespaced` by default. */
  readonly scope?: "Namespaced" | "Cluster";
  /** The part of `spec` that handlers read. */
  readonly schema: Spec;
  /** The part of `status` that the operator writes, beyond conditions and `observedGeneration`. */
  readonly status?: Status;
  /** In the status, as `details.conditions`; `conditions` by default. */
  readonly conditions?: string;
}

export interface ExistingKind<Spec extends Schema, Status extends Schema> extends
  ResourceKind<
    CustomObject<SchemaOutput<Spec>, SchemaOutput<Status>>,
    SchemaOutput<Spec>,
    SchemaOutput<Status> & object
  > {
  /** Never set: carries the type of applied objects. */
  readonly desiredType?: { readonly metadata?: DesiredMeta } & Readonly<Record<"spec", SchemaInput<Spec>>>;
}

/**
 * A kind of another program's CRD, whose status the operator writes. The CRD is neither installed nor changed. Missing
 * engine fields (`observedGeneration`, conditions) are not written; the first reconcile logs them in one line.
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
