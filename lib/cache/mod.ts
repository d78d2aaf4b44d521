/**
 * `cache`: what the server knows of a resource, kept at hand — reflector, store, indexes, informer. It reads and never
 * writes to a server, and it knows nothing of handlers or queues. `controller/` and the rooms above call it.
 *
 * @module
 */
export * from "./informer.ts";
export type { ReflectorBounds, ReflectorScope, ReflectorState } from "./reflector.ts";
export * from "./store.ts";
