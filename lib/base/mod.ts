/**
 * `base`: what all other folders use: clock, random, durations, logging, errors, JSON, masks of secrets, certificates,
 * the interface of a transport. It does not know Kubernetes, imports no other folder, and reaches no network or file,
 * except for the bounded HTTPS server that `admission/` and `apiserver/` share (`bounded_server.ts`,
 * `bounded_body.ts`).
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
