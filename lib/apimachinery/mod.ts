/**
 * `apimachinery`: Kubernetes' nouns as pure functions over JSON: objects and keys, resources, kinds and their types,
 * selectors, conditions, owners, names, patches, Secrets' values. No I/O, no clock, no state. All folders but `base/`
 * and `queue/` call it.
 *
 * @module
 */
export { type ApiStatus, isApiStatus, type StatusCause, type StatusReason } from "./api_status.ts";
export { type Condition, formatTime, setCondition } from "./condition.ts";
export { diff, type DiffItem } from "./diff.ts";
export { applyIsCurrent } from "./field_set.ts";
export { applyJsonPatch, JSON_PATCH_OPERATIONS_MAX, type JsonPatchOperation } from "./json_patch.ts";
export { jsonPatchBetween } from "./json_patch_diff.ts";
export { isPartial, view } from "./kind_view.ts";
export { applyMergePatch } from "./merge_patch.ts";
export {
  isDnsLabel,
  isDnsSubdomain,
  isLabelValue,
  isQualifiedName,
  joinedName,
  LABEL_VALUE_LENGTH_MAX,
} from "./name.ts";
export { globProblem, matchesGlobs } from "./namespace_globs.ts";
export { EVERYWHERE, gatedScope, type NamespaceScope, scopeOfGlobs } from "./namespace_scope.ts";
export {
  compareResourceVersions,
  type DynamicObject,
  formatKey,
  keyOf,
  type KubeList,
  type KubeObject,
  LAST_APPLIED_ANNOTATION,
  type ManagedFieldsEntry,
  type ObjectKey,
  type ObjectMeta,
  type OwnerReference,
  parseKey,
} from "./object.ts";
export { controllerOf, controllerReference, mayOwn, ownerReference } from "./owner.ts";
export { canonicalQuantity, compareQuantities, parseQuantity, type Quantity } from "./quantity.ts";
export {
  type ApiResource,
  formatApiVersion,
  formatGroupResource,
  type GroupVersionKind,
  guessPlural,
  objectPath,
  parseApiVersion,
  resourcePath,
} from "./resource.ts";
export type {
  AnyKind,
  BaseStatus,
  DesiredMeta,
  DesiredOf,
  HandledObject,
  ObjectOf,
  ResourceKind,
  ViewSpec,
} from "./resource_kind.ts";
export { isSecretResource, learnSecrets } from "./secret.ts";
export {
  type FieldRequirement,
  formatLabelSelector,
  type LabelRequirement,
  type LabelSelector,
  matchesLabels,
  parseFieldSelector,
  requirementsOf,
} from "./selector.ts";
export { parseLabelSelector } from "./label_selector_parser.ts";
