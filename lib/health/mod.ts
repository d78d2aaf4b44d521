/**
 * `health`: what an operator shows of itself — liveness, readiness, metrics, traces. It looks and never acts. The cli
 * wires it to a running operator, and loads `metrics.ts` and `tracing.ts`, which need packages, by themselves.
 *
 * @module
 */
export * from "./health_server.ts";
export * from "./probes.ts";
export * from "./http_route.ts";
export type * from "./metrics.ts";
export * from "./operator_metrics.ts";
export type { Tracing } from "./tracing.ts";
