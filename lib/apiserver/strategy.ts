import type { DynamicObject, StatusCause } from "../apimachinery/mod.ts";
import type { ResourceType } from "./resource_type.ts";

interface StrategyContext {
  readonly type: ResourceType;
  readonly nowMs: number;
}

/**
 * The rules of one kind that its schema cannot express. Hooks edit or validate the request's own candidate; `old` is
 * frozen. A real server's order: defaults, `normalize`, managedFields, `prepareFor…`, generation, `validate`. So what
 * is prepared belongs to no field manager.
 */
export interface Strategy {
  /** Brings the client's object into its stored form. */
  normalize?(object: DynamicObject): void;
  prepareForCreate?(object: DynamicObject, context: StrategyContext): void;
  /** For writes to the main endpoint only. */
  prepareForUpdate?(object: DynamicObject, old: DynamicObject, context: StrategyContext): void;
  /** Causes against a candidate; `old` is absent on create. */
  validate?(object: DynamicObject, old: DynamicObject | undefined): StatusCause[];
  /** Warnings for an accepted candidate. */
  readonly warnings?: readonly string[];
}
