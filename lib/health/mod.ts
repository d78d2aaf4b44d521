/**
 * `health`: liveness, readiness, metrics and traces of an operator. It reads state and changes none. `cli/` connects it
 * to a running operator, and loads `metrics.ts` and `tracing.ts`, which need packages, on demand.
 *
 * @module
 */
export { serveHealth } from "./health_server.ts";
export { type HttpRoute, requireRoutePath } from "./http_route.ts";
export type { Metrics } from "./metrics.ts";
export { OperatorMetrics } from "./operator_metrics.ts";
export { maskedChecks, probeChecks } from "./probes.ts";
export { isRefusal, type Refusal, RequestAuthorizer, TOKEN_AUDIENCE, TOKEN_HEADER } from "./request_authorizer.ts";
export type { Tracing } from "./tracing.ts";
