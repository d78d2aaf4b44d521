import { UsageError } from "../base/mod.ts";
import type { KubeObject } from "./object.ts";
import { parseLabelSelector } from "./label_selector_parser.ts";
import { matchesLabels } from "./selector.ts";
import type { AnyKind, DesiredOf, ObjectOf, ViewSpec } from "./resource_kind.ts";

/** What of a kind is watched and kept; see `view`. */
export interface ViewOptions<Listed extends KubeObject, MetadataOnly extends boolean, Kept extends object> {
  /** Watches `metadata` only (PartialObjectMetadata): less traffic and memory. */
  readonly metadataOnly?: MetadataOnly;
  /** As `app=shop,tier!=test`; an object that stops matching counts as deleted. */
  readonly labelSelector?: string;
  /**
   * What to keep of each object. Must be pure. Of the reconciled kind and of children `metadata` and the engine's
   * status always stay.
   */
  readonly transform?: (object: Listed) => Kept;
}

export type MetadataOf<T extends KubeObject> = Pick<T, keyof T & keyof KubeObject>;

export type ListedOf<K extends AnyKind, MetadataOnly extends boolean> = [MetadataOnly] extends [false] ? ObjectOf<K>
  : MetadataOf<ObjectOf<K>>;

export type SeenOf<K extends AnyKind, MetadataOnly extends boolean, Kept extends object> = [Kept] extends [never]
  ? ListedOf<K, MetadataOnly>
  : Omit<Kept, keyof KubeObject> & MetadataOf<ObjectOf<K>>;

export type SpecOf<K> = K extends { parseSpec(object: infer _): infer Spec } ? Spec : unknown;

/** A transformed spec is not parsed again: what was dropped may be required. */
export type SpecSeen<K extends AnyKind, MetadataOnly extends boolean, Kept extends object> = [Kept] extends [never]
  ? [MetadataOnly] extends [false] ? SpecOf<K> : undefined
  : Kept extends { spec: infer Spec } ? Spec
  : undefined;

/** It can stand wherever the kind can. */
export type KindView<K extends AnyKind, MetadataOnly extends boolean, Kept extends object> =
  & Omit<K, "parseSpec" | "desiredType" | "hasStatus">
  & {
    parseSpec(object: SeenOf<K, MetadataOnly, Kept>): SpecSeen<K, MetadataOnly, Kept>;
    readonly hasStatus: boolean;
    readonly desiredType?: DesiredOf<K>;
    readonly view: ViewSpec;
  };

/**
 * A kind of which only a part is watched and kept: for `owns`, `watch()`, `cached()` and `Operator.on()`. Handlers,
 * maps and readers get that part, and nothing else compiles. Use one value everywhere: `cached()` finds a store by its
 * view.
 *
 * @throws {UsageError} for an unreadable selector, and a view that narrows nothing.
 * @example
 * ```ts
 * import { view } from "./kind_view.ts";
 * const ConfigMap = { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true };
 * const Names = view(ConfigMap, { metadataOnly: true, labelSelector: "app=shop" });
 * if (Names.plural !== "configmaps") throw new Error("it is a kind");
 * ```
 */
export function view<K extends AnyKind, MetadataOnly extends boolean = false, Kept extends object = never>(
  kind: K,
  options: ViewOptions<ListedOf<K, MetadataOnly>, MetadataOnly, Kept>,
): KindView<K, MetadataOnly, Kept> {
  const { metadataOnly = false, labelSelector, transform } = options;
  if (kind.view) throw new UsageError(`view(${kind.kind}): it is a view already`, "make one view with all options");
  if (!metadataOnly && !labelSelector && !transform) {
    throw new UsageError(`view(${kind.kind}) narrows nothing`, "give metadataOnly, labelSelector or transform");
  }
  const requirements = requirementsOf(kind, labelSelector);
  const spec = {
    metadataOnly,
    labelSelector,
    transform,
    matches: (labels: Parameters<ViewSpec["matches"]>[0]) => matchesLabels(requirements, labels),
  };
  const parsing = metadataOnly || transform ? { parseSpec: ({ spec }: { spec?: unknown }) => spec } : {};
  return { ...kind, ...parsing, view: spec } as unknown as KindView<K, MetadataOnly, Kept>;
}

/** Whether objects lack fields: what is compared with them cannot be trusted. */
export function isPartial(view: Pick<ViewSpec, "metadataOnly" | "transform"> | undefined): boolean {
  return view !== undefined && (view.metadataOnly || view.transform !== undefined);
}

function requirementsOf({ kind }: AnyKind, labelSelector = "") {
  try {
    return parseLabelSelector(labelSelector);
  } catch (cause) {
    throw new UsageError(`labelSelector of view(${kind}): ${(cause as Error).message}`, undefined, { cause });
  }
}
