/**
 * YAML, for dynamic import: `await import("../base/yaml.ts")`. A CommonJS package that is imported dynamically by its
 * own name loses its named exports in a bundle.
 *
 * @module
 */
export { parse, parseAllDocuments, stringify } from "yaml";
