import type { FieldPath } from "../handling/mod.ts";
import type { Schema, SchemaOutput } from "./resource_options.ts";

/** A rule that API servers check at each write, in CEL (`x-kubernetes-validations` of a CRD, KEP-2876). */
export interface CelRule<T> {
  /**
   * True where the value is valid. `self` is the value, `oldSelf` the one before: a rule that names it is checked for
   * changes alone.
   */
  readonly rule: string;
  /** Why a value is refused; the rule itself where absent. */
  readonly message?: string;
  /** The same as a CEL expression of a text. */
  readonly messageExpression?: string;
  /** Machine-readable reason of the refusal; `FieldValueInvalid` where absent. */
  readonly reason?: "FieldValueInvalid" | "FieldValueForbidden" | "FieldValueRequired" | "FieldValueDuplicate";
  /** The field that the refusal names, below this value, as `.size`. */
  readonly fieldPath?: `.${FieldPath<T>}`;
  /** Whether a rule that names `oldSelf` is checked for new values, too; `oldSelf` is optional then. */
  readonly optionalOldSelf?: boolean;
}

/**
 * A schema with CEL rules, checked by API servers and not by the schema itself.
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
