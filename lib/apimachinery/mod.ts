/**
 * `apimachinery`: Kubernetes' nouns as pure functions over JSON: objects and keys, resources and paths, selectors,
 * conditions, owners, names, patches, Secrets' values. No I/O, no clock, no state. All folders but `base/` and `queue/`
 * call it.
 *
 * @module
 */
export * from "./api_status.ts";
export * from "./condition.ts";
export * from "./diff.ts";
export * from "./field_set.ts";
export * from "./json_patch.ts";
export * from "./json_patch_diff.ts";
export * from "./merge_patch.ts";
export * from "./name.ts";
export * from "./namespace_globs.ts";
export * from "./object.ts";
export * from "./owner.ts";
export * from "./quantity.ts";
export * from "./resource.ts";
export * from "./secret.ts";
export * from "./selector.ts";
