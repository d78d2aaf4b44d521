/**
 * `harness`: clusters for tests and demonstrations, and what runs in them. It starts and stops; it judges nothing about the
 * operators that use it. `cli/` and the tests call it.
 *
 * @module
 */
export * from "./cluster.ts";
export * from "./embedded.ts";
export * from "./envtest.ts";
