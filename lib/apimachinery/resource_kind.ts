import type { Condition } from "./condition.ts";
import type { DynamicObject, KubeObject, ObjectMeta } from "./object.ts";
import type { ApiResource } from "./resource.ts";
import type { ViewSpec } from "./kind_view.ts";

/** The part of a status that the engine writes for every resource that has one. */
export interface BaseStatus {
  /** `metadata.generation` that the status speaks of. */
  observedGeneration?: number;
  /** What is true of the object; one of each type. */
  conditions?: Condition[];
}

/**
 * A kind as the engine sees it: how to request it, how to read its spec, and whether its status is ours to write.
 * `defineResource` makes one from a schema; the built-in kinds are at hand as constants.
 */
export interface ResourceKind<T extends KubeObject = KubeObject, Spec = unknown, Status extends object = object>
  extends ApiResource {
  /**
   * The spec with defaults filled in.
   *
   * @throws {PermanentError} naming the field, where an object slipped past the API server's own validation.
   */
  parseSpec(object: T): Spec;
  /** Whether the operator owns a status subresource of this kind. False for every built-in kind. */
  readonly hasStatus: boolean;
  /**
   * Where in the status conditions are, for a kind that another program's CRD defines; what its schema lacks is not
   * written.
   */
  readonly servedStatus?: { readonly conditions: readonly string[] };
  /** What of the objects is watched and kept; all where absent. */
  readonly view?: ViewSpec;
  /** Never set: it carries the type of the status to the handlers. */
  readonly statusType?: Status;
}

/** A resource that may carry the type of its objects. */
export type AnyKind = ApiResource & { parseSpec?(object: never): unknown; readonly view?: ViewSpec };

/** The type of a kind's objects, as `ObjectOf<typeof Deployment>`. */
export type ObjectOf<K extends AnyKind> = K extends { parseSpec(object: infer T extends KubeObject): unknown } ? T
  : DynamicObject;

/** What of an object's metadata a manifest may give. */
export type DesiredMeta = Pick<
  ObjectMeta,
  "name" | "generateName" | "namespace" | "labels" | "annotations" | "finalizers" | "ownerReferences"
>;

/**
 * The fields of an object that say what is desired: not its type, its status or what the server enters in its metadata.
 */
export type Desired<T extends KubeObject> =
  & { [F in keyof T as F extends "apiVersion" | "kind" | "metadata" | "status" ? never : F]: T[F] }
  & { readonly metadata?: DesiredMeta };

/** What is applied or created of a kind; fields with defaults may be left out. */
export type DesiredOf<K extends AnyKind> = K extends { readonly desiredType?: infer D extends object } ? D
  : Desired<ObjectOf<K>>;

/**
 * What of an object handlers of changes compare: what people and other controllers desire of it, and its labels and
 * annotations.
 */
export type HandledObject<T extends KubeObject> =
  & { readonly [F in keyof T as F extends "apiVersion" | "kind" | "metadata" | "status" ? never : F]: T[F] }
  & { readonly metadata?: Readonly<Pick<ObjectMeta, "labels" | "annotations">> };
