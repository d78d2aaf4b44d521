/**
 * `health`: liveness, readiness, metrics and traces of an operator. It reads state and changes none. `cli/` connects it
 * to a running operator, and loads `metrics.ts` and `tracing.ts`, which need packages, on demand.
 *
 * @module
 */
export * from "./health_server.ts";
export * from "./probes.ts";
export * from "./http_route.ts";
export type * from "./metrics.ts";
export * from "./operator_metrics.ts";
export type { Tracing } from "./tracing.ts";
