import { UsageError } from "../base/mod.ts";
import type { KubeObject } from "./object.ts";
import { matchesLabels, parseLabelSelector } from "./selector.ts";
import type { AnyKind, DesiredOf, ObjectOf } from "./resource_kind.ts";

/** What of a kind is watched and kept in memory; see `view`. */
export interface ViewOptions<Listed extends KubeObject, MetadataOnly extends boolean, Kept extends object> {
  /** Watch `metadata` only (PartialObjectMetadata): less traffic, and no spec, status or data in memory. */
  readonly metadataOnly?: MetadataOnly;
  /**
   * Watch only objects with these labels, as `app=shop,tier!=test`; an object that stops matching counts as deleted.
   */
  readonly labelSelector?: string;
  /**
   * What to keep of each object in memory. Must be pure. Of the reconciled kind and of children the engine keeps
   * `metadata` and the status that it writes, whatever this returns.
   */
  readonly project?: (object: Listed) => Kept;
}

/** A view as the engine reads it. Watches of one kind are shared where their views are equal. */
export interface ViewSpec {
  /** See {@linkcode ViewOptions}. */
  readonly metadataOnly: boolean;
  /** See {@linkcode ViewOptions}. */
  readonly labelSelector?: string;
  /** See {@linkcode ViewOptions}. */
  readonly project?: (object: KubeObject) => object;
  /** Whether the selector takes an object with these labels. */
  matches(labels: Readonly<Record<string, string>> | undefined): boolean;
}

/** An object of which the metadata alone is known. */
export type MetadataOf<T extends KubeObject> = Pick<T, keyof T & keyof KubeObject>;

/** What the watch of a view sends. */
export type ListedOf<K extends AnyKind, MetadataOnly extends boolean> = [MetadataOnly] extends [false] ? ObjectOf<K>
  : MetadataOf<ObjectOf<K>>;

/** What readers of a view get. */
export type SeenOf<K extends AnyKind, MetadataOnly extends boolean, Kept extends object> = [Kept] extends [never]
  ? ListedOf<K, MetadataOnly>
  : Omit<Kept, keyof KubeObject> & MetadataOf<ObjectOf<K>>;

/** What a kind parses a spec to. */
export type SpecOf<K> = K extends { parseSpec(object: infer _): infer Spec } ? Spec : unknown;

/** What handlers of a view get as `spec`. A projected one is not parsed again: what was dropped may be required. */
export type SpecSeen<K extends AnyKind, MetadataOnly extends boolean, Kept extends object> = [Kept] extends [never]
  ? [MetadataOnly] extends [false] ? SpecOf<K> : undefined
  : Kept extends { spec: infer Spec } ? Spec
  : undefined;

/** A kind of which only a part is watched and kept; it can stand wherever the kind can. */
export type KindView<K extends AnyKind, MetadataOnly extends boolean, Kept extends object> =
  & Omit<K, "parseSpec" | "desiredType" | "hasStatus">
  & {
    parseSpec(object: SeenOf<K, MetadataOnly, Kept>): SpecSeen<K, MetadataOnly, Kept>;
    readonly hasStatus: boolean;
    readonly desiredType?: DesiredOf<K>;
    readonly view: ViewSpec;
  };

/**
 * A kind of which only a part is watched and kept in memory: for `owns`, `watch()`, `cached()` and `Operator.on()`.
 * Handlers, maps and readers get what is kept, and nothing else compiles. Use one value everywhere: `cached()` finds a
 * store by its view.
 *
 * @throws {UsageError} for a selector that cannot be read, and a view that narrows nothing.
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
  const { metadataOnly = false, labelSelector, project } = options;
  if (kind.view) throw new UsageError(`view(${kind.kind}): it is a view already`, "make one view with all options");
  if (!metadataOnly && !labelSelector && !project) {
    throw new UsageError(`view(${kind.kind}) narrows nothing`, "give metadataOnly, labelSelector or project");
  }
  const requirements = requirementsOf(kind, labelSelector);
  const spec = {
    metadataOnly,
    labelSelector,
    project,
    matches: (labels: Parameters<ViewSpec["matches"]>[0]) => matchesLabels(requirements, labels),
  };
  const parsing = metadataOnly || project ? { parseSpec: ({ spec }: { spec?: unknown }) => spec } : {};
  return { ...kind, ...parsing, view: spec } as unknown as KindView<K, MetadataOnly, Kept>;
}

/** Whether fields are missing from the objects of a view: what is compared with them cannot be trusted. */
export function isPartial(view: Pick<ViewSpec, "metadataOnly" | "project"> | undefined): boolean {
  return view !== undefined && (view.metadataOnly || view.project !== undefined);
}

function requirementsOf({ kind }: AnyKind, labelSelector = "") {
  try {
    return parseLabelSelector(labelSelector);
  } catch (cause) {
    throw new UsageError(`labelSelector of view(${kind}): ${(cause as Error).message}`, undefined, { cause });
  }
}
