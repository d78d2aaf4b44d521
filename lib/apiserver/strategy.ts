import type { DynamicObject, StatusCause } from "../apimachinery/mod.ts";
import type { ResourceType } from "./resource_type.ts";

/** What a strategy may know beside the object. */
interface StrategyContext {
  readonly type: ResourceType;
  readonly nowMs: number;
}

/**
 * The rules of one kind that its schema cannot express. Each hook edits or validates a candidate that the request owns;
 * `old` is frozen. The order is that of a real server: defaults, `normalize`, managedFields, `prepareFor…`, generation,
 * `validate`; what is prepared therefore belongs to no field manager.
 */
export interface Strategy {
  /** Brings what the client wrote into its stored form. */
  normalize?(object: DynamicObject): void;
  prepareForCreate?(object: DynamicObject, context: StrategyContext): void;
  /** For writes to the main endpoint only. */
  prepareForUpdate?(object: DynamicObject, old: DynamicObject, context: StrategyContext): void;
  /** Causes against a candidate; `old` is absent on create. */
  validate?(object: DynamicObject, old: DynamicObject | undefined): StatusCause[];
  /** What the client is warned about although the candidate is taken. */
  readonly warnings?: readonly string[];
}
