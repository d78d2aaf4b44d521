/**
 * `health`: what an operator shows of itself — liveness, readiness, metrics, traces. It looks and never acts. The cli
 * wires it to a running operator.
 *
 * @module
 */
export * from "./health_server.ts";
export * from "./metrics.ts";
export * from "./probes.ts";
export * from "./http_route.ts";
export * from "./operator_metrics.ts";
