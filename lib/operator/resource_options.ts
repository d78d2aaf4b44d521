import type * as z from "zod";
import type { BaseStatus, ObjectMeta } from "../apimachinery/mod.ts";
import type { FieldPath } from "../handling/mod.ts";

/** Any schema of zod's: `ZodType`. */
export type Schema = InstanceType<(typeof z)["ZodType"]>;

/** What a kind has of what it gives no schema for. */
export interface NoSchema {
  /** Never set: it keeps other fields out. */
  readonly none?: never;
}

/** What a schema makes of its input, defaults filled in: `z.output`. */
export type SchemaOutput<S extends Schema> = [S] extends [never] ? NoSchema : S["_zod"]["output"];

/** What a schema takes, defaults left out or not: `z.input`. */
export type SchemaInput<S extends Schema> = [S] extends [never] ? NoSchema : S["_zod"]["input"];

/**
 * A JSON path of a column: a field of the spec, the status or the metadata, as `.spec.size`. What follows a bracket is
 * not checked, as in `.status.conditions[?(@.type=="Ready")].status`.
 */
export type ColumnPath<Spec, Status> =
  FieldPath<{ spec: Spec; status: Status & BaseStatus; metadata: ObjectMeta }> extends infer Path extends string
    ? `.${Path}` | `.${Path}[${string}`
    : never;

/** A column of `kubectl get`. */
export interface Column<Path extends string = string> {
  /** The heading; kubectl shows it in capitals. */
  readonly name: string;
  /** Where the value is in the object, as `.spec.size`. */
  readonly jsonPath: Path;
  /** How the value is shown; `string` where absent, and `date` as the time since then. */
  readonly type?: "string" | "integer" | "number" | "boolean" | "date";
  /** What the column means, for people who read the CRD. */
  readonly description?: string;
  /** Above 0: shown with `-o wide` only. */
  readonly priority?: number;
}

/**
 * Where the scale subresource finds its numbers (CustomResourceDefinition, `subresources.scale`): what `kubectl scale`
 * and autoscalers use.
 */
export interface ScalePaths<Spec, Status> {
  /** The desired number of replicas, an integer of the spec, as `.spec.replicas`. */
  readonly specReplicas: `.spec.${FieldPath<Spec>}`;
  /** The present number of replicas, an integer of the status, as `.status.replicas`. */
  readonly statusReplicas: `.status.${FieldPath<Status>}`;
  /** A label selector of the pods as text, for autoscalers that measure pods. */
  readonly selector?: `.status.${FieldPath<Status>}` | `.spec.${FieldPath<Spec>}`;
}

/** What {@linkcode defineResource} takes. */
export interface ResourceOptions<Spec extends Schema, Status extends Schema, Fields extends Schema = never> {
  /** A domain name that you own, with at least one dot, as `shop.example.com`. */
  readonly group: string;
  /** The version that handlers see and that is stored, as `v1` or `v1alpha1`. */
  readonly version: string;
  /**
   * Earlier versions with the same fields that are served too, as `v1beta1`. Their clients get a warning. Once
   * `migrate-storage` has run and no client needs it, one can be left out. One of other fields:
   * {@linkcode DefinedResource.withVersion}.
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
  readonly columns?: readonly Column<ColumnPath<SchemaOutput<Spec>, SchemaOutput<Status>>>[];
  /** What the kind is for; `kubectl explain` shows it. */
  readonly description?: string;
  /** Schema of `spec`; it must be one that a CRD can hold. */
  readonly spec: Spec;
  /** Schema of `status` beyond {@linkcode BaseStatus}; nothing more where absent. */
  readonly status?: Status;
  /**
   * Schema of an object with the fields beside spec and status, as `data`; none where absent. Handlers find them in
   * `object`.
   */
  readonly fields?: Fields;
  /** The scale subresource; none where absent. */
  readonly scale?: ScalePaths<SchemaOutput<Spec>, SchemaOutput<Status>>;
}
