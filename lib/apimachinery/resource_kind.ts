import type { Condition } from "./condition.ts";
import type { DynamicObject, KubeObject, ObjectMeta } from "./object.ts";
import type { ApiResource } from "./resource.ts";

/** The engine writes it for every resource that has a status. */
export interface BaseStatus {
  /** The `metadata.generation` that the status describes. */
  observedGeneration?: number;
  /** One of each type. */
  conditions?: Condition[];
}

/** Watches of one kind are shared where their views are equal. */
export interface ViewSpec {
  readonly metadataOnly: boolean;
  readonly labelSelector?: string;
  readonly transform?: (object: KubeObject) => object;
  matches(labels: Readonly<Record<string, string>> | undefined): boolean;
}

/**
 * A kind for the engine: how to request it, how to read its spec, and whether its status is ours. `defineResource`
 * makes one from a schema; built-in kinds are constants.
 */
export interface ResourceKind<T extends KubeObject = KubeObject, Spec = unknown, Status extends object = object>
  extends ApiResource {
  /**
   * The spec with defaults.
   *
   * @throws {PermanentError} naming the field, where the API server's own validation missed it.
   */
  parseSpec(object: T): Spec;
  /** Whether the operator owns its status subresource. False for built-in kinds. */
  readonly hasStatus: boolean;
  /** Where conditions are in the status, for a kind of another program's CRD; what its schema lacks is not written. */
  readonly servedStatus?: { readonly conditions: readonly string[] };
  /** What is watched and kept; all where absent. */
  readonly view?: ViewSpec;
  /** Never set: carries the status' type to handlers. */
  readonly statusType?: Status;
}

export type AnyKind = ApiResource & { parseSpec?(object: never): unknown; readonly view?: ViewSpec };

/** The type of a kind's objects, as `ObjectOf<typeof Deployment>`. */
export type ObjectOf<K extends AnyKind> = K extends { parseSpec(object: infer T extends KubeObject): unknown } ? T
  : DynamicObject;

/** The metadata that a manifest may give. */
export type DesiredMeta = Pick<
  ObjectMeta,
  "name" | "generateName" | "namespace" | "labels" | "annotations" | "finalizers" | "ownerReferences"
>;

/** The desired fields: without type, status, and what the server enters in metadata. */
export type Desired<T extends KubeObject> =
  & { [F in keyof T as F extends "apiVersion" | "kind" | "metadata" | "status" ? never : F]: T[F] }
  & { readonly metadata?: DesiredMeta };

/** What is applied or created of a kind; fields with defaults may be left out. */
export type DesiredOf<K extends AnyKind> = K extends { readonly desiredType?: infer D extends object } ? D
  : Desired<ObjectOf<K>>;

/** What change handlers compare: the desired content, labels and annotations. */
export type HandledObject<T extends KubeObject> =
  & { readonly [F in keyof T as F extends "apiVersion" | "kind" | "metadata" | "status" ? never : F]: T[F] }
  & { readonly metadata?: Readonly<Pick<ObjectMeta, "labels" | "annotations">> };
