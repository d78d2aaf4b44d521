/**
 * `cache`: the server's objects of a resource in memory: reflector, store, indexes, informer. It reads and never writes
 * to a server, and does not know handlers or queues. `controller/` and `operator/` call it.
 *
 * @module
 */
export { dropManagedFields, Informer, type StoreEvent } from "./informer.ts";
export type { ReflectorBounds } from "./reflector.ts";
