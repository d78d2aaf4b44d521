import type { DynamicObject, StatusCause } from "../apimachinery/mod.ts";
import type { ResourceType } from "./resource_type.ts";

interface StrategyContext {
  readonly type: ResourceType;
  readonly nowMs: number;
}

/**
 * Rules that a schema cannot express. Hooks edit or validate the candidate; `old` is frozen. Order as in
 * kube-apiserver: defaults, `normalize`, managedFields, `prepareFor…`, generation, `validate`. So prepared fields have
 * no manager.
 */
export interface Strategy {
  /** Makes the stored form. */
  normalize?(object: DynamicObject): void;
  prepareForCreate?(object: DynamicObject, context: StrategyContext): void;
  /** Main endpoint only. */
  prepareForUpdate?(object: DynamicObject, old: DynamicObject, context: StrategyContext): void;
  /** `old` is absent on create. */
  validate?(object: DynamicObject, old: DynamicObject | undefined): StatusCause[];
}
