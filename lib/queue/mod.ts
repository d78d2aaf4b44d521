/**
 * `queue`: a keyed work queue with reasons, priorities, delays and backoff, a token bucket, and work in flight. It does
 * not know Kubernetes and does no I/O; time and randomness are arguments. `controller/` calls it; `client/` and
 * `cache/` use its backoff.
 *
 * @module
 */
export { backoffMs, type BackoffOptions } from "./backoff.ts";
export { InFlight } from "./in_flight.ts";
export { TokenBucket } from "./token_bucket.ts";
export { type QueueObserver, type WorkItem, WorkQueue } from "./work_queue.ts";
