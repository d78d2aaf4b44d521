/**
 * Rules of built-in kinds that a schema cannot express, as tables: one file per API group, one rule per kind.
 *
 * @module
 */
import type { StatusCause } from "../../apimachinery/mod.ts";
import { causesOf, type Rule } from "./place.ts";
import { podDisruptionBudget } from "./policy.ts";

/** By resource and group. The schemas of these kinds give types alone. */
const RULES: Readonly<Record<string, Rule>> = {
  "poddisruptionbudgets.policy": podDisruptionBudget,
};

/** Faults of an object of a built-in kind; undefined where the kind has no rules here. */
export function builtinCauses(resource: string, object: unknown, old?: unknown): StatusCause[] | undefined {
  return Object.hasOwn(RULES, resource) ? causesOf(RULES[resource]!, object, old) : undefined;
}
