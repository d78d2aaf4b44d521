/**
 * `apimachinery`: Kubernetes' own nouns as pure functions over JSON — objects and keys, resources and paths, selectors,
 * kinds and their types, conditions, owners, names, patches. No I/O, no clock, no state. Every room above calls it.
 *
 * @module
 */
export * from "./api_status.ts";
export * from "./condition.ts";
export * from "./diff.ts";
export * from "./field_set.ts";
export * from "./json_patch.ts";
export * from "./json_patch_diff.ts";
export * from "./kind_view.ts";
export * from "./merge_patch.ts";
export * from "./name.ts";
export * from "./namespace_globs.ts";
export * from "./namespace_scope.ts";
export * from "./object.ts";
export * from "./owner.ts";
export * from "./quantity.ts";
export * from "./resource.ts";
export * from "./resource_kind.ts";
export * from "./secret.ts";
export * from "./selector.ts";
