import type { FieldPath } from "../handling/mod.ts";
import type { Schema, SchemaOutput } from "./resource_options.ts";

/** A CEL rule that API servers check at each write (`x-kubernetes-validations`, KEP-2876). */
export interface CelRule<T> {
  /** True if valid. `self` is the value, `oldSelf` the former one: rules that name it check only changes. */
  readonly rule: string;
  /** The rule itself by default. */
  readonly message?: string;
  /** A CEL expression for the message. */
  readonly messageExpression?: string;
  /** For programs; `FieldValueInvalid` by default. */
  readonly reason?: "FieldValueInvalid" | "FieldValueForbidden" | "FieldValueRequired" | "FieldValueDuplicate";
  /** Named in the refusal, below this value, as `.size`. */
  readonly fieldPath?: `.${FieldPath<T>}`;
  /** A rule that names `oldSelf` also checks new values; `oldSelf` is then optional. */
  readonly optionalOldSelf?: boolean;
}

/**
 * Adds CEL rules, which API servers check, not the schema itself.
 *
 * @example
 * ```ts
 * import * as z from "zod";
 * import { withRules } from "@pintle/pintle";
 * const range = withRules(z.object({ least: z.int(), most: z.int() }), {
 *   rule: "self.least <= self.most",
 *   message: "least is above most",
 *   fieldPath: ".least",
 * });
 * if (!range.meta()?.["x-kubernetes-validations"]) throw new Error("for the CRD");
 * ```
 */
export function withRules<S extends Schema>(schema: S, ...rules: readonly CelRule<SchemaOutput<S>>[]): S {
  const meta = schema.meta() ?? {}, former = meta["x-kubernetes-validations"];
  return schema.meta({ ...meta, "x-kubernetes-validations": [...Array.isArray(former) ? former : [], ...rules] });
}
