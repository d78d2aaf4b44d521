/**
 * `queue`: a keyed work queue with reasons, priorities, delays and backoff, a token bucket, and work in flight. It does
 * not know Kubernetes and does no I/O; time and randomness are arguments. `controller/` calls it; `client/` and
 * `cache/` use its backoff.
 *
 * @module
 */
export * from "./backoff.ts";
export * from "./in_flight.ts";
export * from "./token_bucket.ts";
export * from "./work_queue.ts";
