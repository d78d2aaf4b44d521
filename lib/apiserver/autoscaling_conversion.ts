import { isObject } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";

/** HorizontalPodAutoscalers are stored as v2; v1 knows the share of the processor alone. */

type Fields = Record<string, unknown>;

export const AUTOSCALING_V1 = "autoscaling/v1", AUTOSCALING_V2 = "autoscaling/v2";
/** What v1 has no fields for. */
const METRICS = "autoscaling.alpha.kubernetes.io/metrics", BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior";

/** The object in another version of its group; shares values with it. */
export function autoscalerAs(object: DynamicObject, apiVersion: string): DynamicObject {
  if (object.apiVersion === apiVersion) return object;
  return apiVersion === AUTOSCALING_V1 ? toV1(object) : toV2(object);
}

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Whether a metric, or its status, is the processor's share. */
function isCpu({ type, resource }: Fields, of: "target" | "current"): boolean {
  const { name, [of]: amount } = fieldsOf(resource);
  return type === "Resource" && name === "cpu" && typeof fieldsOf(amount).averageUtilization === "number";
}

function toV1(object: DynamicObject): DynamicObject {
  const { metrics, behavior, ...spec } = fieldsOf(object.spec), all = listOf(metrics);
  const cpu = all.find((metric) => isCpu(metric, "target")), rest = all.filter((metric) => metric !== cpu);
  const { currentMetrics, conditions: _conditions, ...status } = fieldsOf(object.status);
  const current = listOf(currentMetrics).find((metric) => isCpu(metric, "current"));
  const target = cpu && fieldsOf(fieldsOf(cpu.resource).target).averageUtilization;
  const used = current && fieldsOf(fieldsOf(current.resource).current).averageUtilization;
  const kept = { ...rest.length > 0 && { [METRICS]: rest }, ...behavior !== undefined && { [BEHAVIOR]: behavior } };
  return {
    ...object,
    apiVersion: AUTOSCALING_V1,
    metadata: withAnnotations(object, kept),
    spec: { ...spec, ...target !== undefined && { targetCPUUtilizationPercentage: target } },
    status: { currentReplicas: 0, ...status, ...used !== undefined && { currentCPUUtilizationPercentage: used } },
  };
}

function withAnnotations({ metadata }: DynamicObject, kept: Fields): DynamicObject["metadata"] {
  if (Object.keys(kept).length === 0) return metadata;
  const texts = Object.fromEntries(Object.entries(kept).map(([name, value]) => [name, JSON.stringify(value)]));
  return { ...metadata, annotations: { ...metadata?.annotations, ...texts } };
}

function toV2(object: DynamicObject): DynamicObject {
  const { targetCPUUtilizationPercentage: share, ...spec } = fieldsOf(object.spec);
  const { currentCPUUtilizationPercentage: used, currentReplicas, ...status } = fieldsOf(object.status);
  const { [METRICS]: metrics, [BEHAVIOR]: behavior, ...annotations } = object.metadata?.annotations ?? {};
  const cpu = (amount: unknown, of: "target" | "current") => ({
    type: "Resource",
    resource: { name: "cpu", [of]: { ...of === "target" && { type: "Utilization" }, averageUtilization: amount } },
  });
  const all = [...share === undefined || share === null ? [] : [cpu(share, "target")], ...parsedList(metrics)];
  const rest = Object.keys(annotations).length > 0 ? { annotations } : {};
  const { annotations: _annotations, ...metadata } = object.metadata ?? {};
  return {
    ...object,
    apiVersion: AUTOSCALING_V2,
    metadata: { ...metadata, ...rest },
    spec: {
      ...spec,
      ...all.length > 0 && { metrics: all },
      ...behavior !== undefined && { behavior: parsed(behavior) },
    },
    status: {
      ...status,
      ...Boolean(currentReplicas) && { currentReplicas },
      currentMetrics: used === undefined ? null : [cpu(used, "current")],
    },
  };
}

function parsedList(text: string | undefined): Fields[] {
  return listOf(parsed(text));
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined; // an annotation of a client
  }
}
