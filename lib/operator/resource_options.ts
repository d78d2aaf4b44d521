import type * as z from "zod";
import type { BaseStatus, ObjectMeta } from "../apimachinery/mod.ts";
import type { FieldPath } from "../handling/mod.ts";

/** Any schema of zod's: `ZodType`. */
export type Schema = InstanceType<(typeof z)["ZodType"]>;

export interface NoSchema {
  /** Never set: keeps other fields out. */
  readonly none?: never;
}

/** Parsed, with defaults: `z.output`. */
export type SchemaOutput<S extends Schema> = [S] extends [never] ? NoSchema : S["_zod"]["output"];

/** Defaults optional: `z.input`. */
export type SchemaInput<S extends Schema> = [S] extends [never] ? NoSchema : S["_zod"]["input"];

/**
 * A JSON path into spec, status or metadata, as `.spec.size`. Text after a bracket is unchecked, as in
 * `.status.conditions[?(@.type=="Ready")].status`.
 */
export type ColumnPath<Spec, Status> =
  FieldPath<{ spec: Spec; status: Status & BaseStatus; metadata: ObjectMeta }> extends infer Path extends string
    ? `.${Path}` | `.${Path}[${string}`
    : never;

/** A column of `kubectl get`. */
export interface Column<Path extends string = string> {
  /** The heading; kubectl shows it in capitals. */
  readonly name: string;
  readonly jsonPath: Path;
  /** `string` by default; a `date` shows as its age. */
  readonly type?: "string" | "integer" | "number" | "boolean" | "date";
  /** For readers of the CRD. */
  readonly description?: string;
  /** Above 0: shown with `-o wide` only. */
  readonly priority?: number;
}

/** Paths of the scale subresource (`subresources.scale`), for `kubectl scale` and autoscalers. */
export interface ScalePaths<Spec, Status> {
  /** Desired replicas, an integer, as `.spec.replicas`. */
  readonly specReplicas: `.spec.${FieldPath<Spec>}`;
  /** Present replicas, an integer, as `.status.replicas`. */
  readonly statusReplicas: `.status.${FieldPath<Status>}`;
  /** The pods' label selector as text, for autoscalers that measure pods. */
  readonly selector?: `.status.${FieldPath<Status>}` | `.spec.${FieldPath<Spec>}`;
}

/** Options of {@linkcode defineResource}. */
export interface ResourceOptions<Spec extends Schema, Status extends Schema, Fields extends Schema = never> {
  /** A domain name that you own, with at least one dot, as `shop.example.com`. */
  readonly group: string;
  /** For handlers and storage, as `v1` or `v1alpha1`. */
  readonly version: string;
  /**
   * Earlier served versions with the same fields, as `v1beta1`. Clients get a warning. Remove one after
   * `migrate-storage`, when no client needs it. For other fields: {@linkcode DefinedResource.withVersion}.
   */
  readonly formerVersions?: readonly string[];
  /** CamelCase singular, of letters and digits. */
  readonly kind: string;
  /** Lower case plural; guessed from the kind by default. */
  readonly plural?: string;
  /** `Namespaced` by default. */
  readonly scope?: "Namespaced" | "Cluster";
  /** For kubectl. */
  readonly shortNames?: readonly string[];
  /** Groups for `kubectl get`: `all` shows the kind in `kubectl get all`. */
  readonly categories?: readonly string[];
  /** Columns of `kubectl get` between Name and Age; Ready's status by default. */
  readonly columns?: readonly Column<ColumnPath<SchemaOutput<Spec>, SchemaOutput<Status>>>[];
  /** Shown by `kubectl explain`. */
  readonly description?: string;
  /** Must be a schema that a CRD can hold. */
  readonly spec: Spec;
  /** Adds to {@linkcode BaseStatus}. */
  readonly status?: Status;
  /** The fields beside spec and status, as `data`. Handlers find them in `object`. */
  readonly fields?: Fields;
  readonly scale?: ScalePaths<SchemaOutput<Spec>, SchemaOutput<Status>>;
}
