/**
 * `base`: what every room stands on — clock, random, durations, logging, errors, JSON, the shape of a transport.
 * It knows nothing of Kubernetes and does no I/O. Every room calls it; it calls none.
 *
 * @module
 */
export * from "./clock.ts";
export * from "./duration.ts";
export * from "./errors.ts";
export * from "./json.ts";
export * from "./log.ts";
export * from "./map_concurrent.ts";
export * from "./mask.ts";
export * from "./memo.ts";
export * from "./printable.ts";
export * from "./random.ts";
export * from "./signal.ts";
export * from "./text_width.ts";
export * from "./transport.ts";
export * from "./virtual_clock.ts";
