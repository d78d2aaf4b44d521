import { isObject, jsonClone } from "../base/mod.ts";
import {
  type DynamicObject,
  formatLabelSelector,
  type LabelSelector,
  requirementsOf,
  type StatusCause,
} from "../apimachinery/mod.ts";
import { invalid, invalidValue } from "./api_error.ts";
import type { ResourceType } from "./resource_type.ts";

const BUILTIN = { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" };

function valueAt(object: unknown, path: string): unknown {
  let value = object;
  for (const part of path.split(".").slice(1)) {
    value = isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }
  return value;
}

function selectorText(object: DynamicObject, type: ResourceType): string | undefined {
  if (type.builtin || !type.scale) {
    const selector = valueAt(object, ".spec.selector");
    return isObject(selector) ? formatLabelSelector(requirementsOf(selector as LabelSelector)) : undefined;
  }
  const path = type.scale.labelSelectorPath;
  const text = path === undefined ? undefined : valueAt(object, path);
  return typeof text === "string" ? text : undefined;
}

export function scaleOf(object: DynamicObject, type: ResourceType): DynamicObject {
  const paths = type.scale ?? BUILTIN;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata!;
  const replicas = valueAt(object, paths.specReplicasPath);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: typeof replicas === "number" && replicas !== 0 ? { replicas } : {},
    status: { replicas: Number(valueAt(object, paths.statusReplicasPath) ?? 0), selector: selectorText(object, type) },
  };
}

const REPLICAS_MAX = 2 ** 31 - 1;

/** Replicas of a custom resource that no Scale could show. */
export function replicaCauses(object: DynamicObject, { scale }: ResourceType): StatusCause[] {
  if (!scale) return [];
  return [scale.specReplicasPath, scale.statusReplicasPath].flatMap((path) => {
    const value = valueAt(object, path);
    if (typeof value !== "number" && typeof value !== "bigint") return [];
    if (value < 0) return [invalidValue(path, value, "should be a non-negative integer")];
    return value > REPLICAS_MAX ? [invalidValue(path, value, `should be less than or equal to ${REPLICAS_MAX}`)] : [];
  });
}

/**
 * Returns a copy.
 *
 * @throws {ApiError} 422 for an invalid number of replicas.
 */
export function withScale(object: DynamicObject, scale: DynamicObject, type: ResourceType): DynamicObject {
  const spec = isObject(scale.spec) ? scale.spec : {};
  const replicas = spec.replicas ?? 0;
  if (typeof replicas !== "number" || !Number.isInteger(replicas) || (type.builtin && replicas < 0)) {
    const cause = invalidValue("spec.replicas", replicas, "must be greater than or equal to 0");
    throw invalid({ group: "autoscaling", kind: "Scale" }, object.metadata?.name ?? "", [cause]);
  }
  const next = jsonClone(object);
  const parts = (type.scale ?? BUILTIN).specReplicasPath.split(".").slice(1);
  let parent: Record<string, unknown> = next;
  for (const part of parts.slice(0, -1)) {
    const child = Object.hasOwn(parent, part) ? parent[part] : undefined;
    parent = isObject(child) ? child : (parent[part] = {});
  }
  parent[parts.at(-1)!] = replicas;
  if (scale.metadata?.resourceVersion) next.metadata!.resourceVersion = scale.metadata.resourceVersion;
  if (scale.metadata?.uid) next.metadata!.uid = scale.metadata.uid;
  return next;
}
