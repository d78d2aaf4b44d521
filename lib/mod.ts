/**
 * Pintle: Kubernetes operators in TypeScript. Define resources, declare handlers, and hand both to {@linkcode cli}.
 *
 * @module
 */
export * from "./operator/mod.ts";
export * from "./cli/mod.ts";
