import { isObject, jsonEqual } from "../base/mod.ts";
import type { DynamicObject, StatusCause } from "../apimachinery/mod.ts";
import { invalidValue } from "./api_error.ts";
import type { Strategy } from "./strategy.ts";

type Fields = Record<string, unknown>;

/** The selector is immutable. */
export const workloadStrategy: Strategy = {
  validate: (object, old) => old ? immutableSpec(object, old, ["selector"]) : [],
};

/** The selector follows from the uid; the template is immutable. */
export const jobStrategy: Strategy = {
  prepareForCreate: selectOwnPods,
  validate: (object, old) => old ? immutableSpec(object, old, ["selector", "template", "completionMode"]) : [],
};

/** Not scheduled, so Pending. */
export const podStrategy: Strategy = {
  prepareForCreate(object) {
    object.status = { phase: "Pending", qosClass: qosClass(fieldsOf(object.spec)) };
  },
};

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

function immutableSpec(object: DynamicObject, old: DynamicObject, fields: readonly string[]): StatusCause[] {
  const now = fieldsOf(object.spec), before = fieldsOf(old.spec);
  return fields.filter((field) => !jsonEqual(now[field], before[field]))
    .map((field) => invalidValue(`spec.${field}`, now[field], "field is immutable"));
}

function selectOwnPods(object: DynamicObject): void {
  const spec = fieldsOf(object.spec);
  const uid = object.metadata?.uid, name = object.metadata?.name;
  if (spec.manualSelector === true || spec.selector !== undefined) return;
  const template = fieldsOf(spec.template), metadata = fieldsOf(template.metadata);
  const labels = {
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": name,
    "controller-uid": uid,
    "job-name": name,
  };
  spec.selector = { matchLabels: { "batch.kubernetes.io/controller-uid": uid } };
  const podLabels = { ...fieldsOf(metadata.labels), ...labels } as Record<string, string>;
  spec.template = { ...template, metadata: { ...metadata, labels: podLabels } };
  object.spec = spec;
  if (Object.keys(object.metadata?.labels ?? {}).length === 0) object.metadata!.labels = { ...podLabels };
}

/** From core/v1 helper qos. */
function qosClass(spec: Fields): "BestEffort" | "Burstable" | "Guaranteed" {
  const containers = [spec.containers, spec.initContainers].flatMap((list) => Array.isArray(list) ? list : []);
  const resources = containers.map((container) => fieldsOf(fieldsOf(container).resources));
  const counted = (part: unknown) => ["cpu", "memory"].filter((name) => fieldsOf(part)[name] !== undefined).length;
  if (resources.every(({ requests, limits }) => counted(requests) === 0 && counted(limits) === 0)) return "BestEffort";
  const guaranteed = resources.every(({ requests, limits }) =>
    counted(limits) === 2 &&
    ["cpu", "memory"].every((name) => {
      const requested = fieldsOf(requests)[name];
      return requested === undefined || jsonEqual(requested, fieldsOf(limits)[name]);
    })
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}
