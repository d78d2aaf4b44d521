/**
 * The Common Expression Language as Kubernetes 1.37 extends it: parser, type checker, cost estimate and evaluator. It
 * knows no schemas and no requests; its callers bring types and values.
 *
 * @module
 */

export { AuthorizerValue, type Decide, ResourceCheck } from "./authorizer_functions.ts";
export type { SizeOfPath } from "./cost_estimate.ts";
export { Environment, JSON_PATCH, OBJECT } from "./environment.ts";
export { CompileError, compileExpression, type Expression } from "./expression.ts";
export { CostLimitError, type Variables } from "./program.ts";
export { jsonValue } from "./json_value.ts";
export { formatDuration } from "./standard_functions.ts";
export { formatTimestamp, parseDuration, parseTimestamp } from "./time.ts";
export * from "./type.ts";
export * from "./value.ts";
