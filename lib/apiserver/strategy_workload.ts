import { isObject, jsonEqual } from "../base/mod.ts";
import { type DynamicObject, formatTime } from "../apimachinery/mod.ts";
import type { Strategy } from "./strategy.ts";

type Fields = Record<string, unknown>;

/** The selector follows from the uid. */
export const jobStrategy: Strategy = { prepareForCreate: selectOwnPods };

/** Not scheduled, so Pending. */
export const podStrategy: Strategy = {
  prepareForCreate(object, { nowMs }) {
    const spec = fieldsOf(object.spec),
      isGated = Array.isArray(spec.schedulingGates) && spec.schedulingGates.length > 0;
    if (Number(spec.terminationGracePeriodSeconds) < 0) spec.terminationGracePeriodSeconds = 1;
    object.status = {
      phase: "Pending",
      qosClass: qosClass(spec),
      ...isGated && { conditions: [gated(nowMs)] },
    };
  },
};

function gated(nowMs: number): Fields {
  return {
    type: "PodScheduled",
    status: "False",
    reason: "SchedulingGated",
    message: "Scheduling is blocked due to non-empty scheduling gates",
    lastProbeTime: null,
    lastTransitionTime: formatTime(nowMs),
  };
}

const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

/** An annotation counts the changes of the template, for clients of removed versions. */
export const daemonSetStrategy: Strategy = {
  prepareForCreate: (object) => countTemplate(object, 1),
  prepareForUpdate(object, old) {
    const before = Number(old.metadata?.annotations?.[TEMPLATE_GENERATION] ?? 1);
    const changed = !jsonEqual(fieldsOf(object.spec).template, fieldsOf(old.spec).template);
    countTemplate(object, before + (changed ? 1 : 0));
  },
};

function countTemplate({ metadata }: DynamicObject, count: number): void {
  metadata!.annotations = { ...metadata!.annotations, [TEMPLATE_GENERATION]: String(count) };
}

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

function selectOwnPods(object: DynamicObject): void {
  const spec = fieldsOf(object.spec);
  const uid = object.metadata?.uid, name = object.metadata?.name;
  if (spec.manualSelector === true) return;
  const template = fieldsOf(spec.template), metadata = fieldsOf(template.metadata);
  const labels = {
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": name,
    "controller-uid": uid,
    "job-name": name,
  };
  const selector = fieldsOf(spec.selector);
  spec.selector = {
    ...selector,
    matchLabels: { ...fieldsOf(selector.matchLabels), "batch.kubernetes.io/controller-uid": uid },
  };
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
