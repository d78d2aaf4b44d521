/**
 * YAML, for whoever loads it only when needed: `await import("../base/yaml.ts")`. A package in CommonJS that is
 * imported dynamically by its own name loses its names in a bundle, where all that is left of it is a default export.
 *
 * @module
 */
export { parse, parseAllDocuments, stringify } from "yaml";
