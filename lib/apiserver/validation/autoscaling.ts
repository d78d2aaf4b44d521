import { labelSelector, segmentFaults } from "./names.ts";
import { isObject } from "../../base/mod.ts";
import { autoscalerAs, AUTOSCALING_V2 } from "../autoscaling_conversion.ts";
import { Place, type Rule } from "./place.ts";
import { amount } from "./quantities.ts";

/** HorizontalPodAutoscalers, by autoscaling's validation. */

const SOURCES: Readonly<Record<string, string>> = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
};
const TARGET_TYPES = ["AverageValue", "Utilization", "Value"], SELECT = ["Disabled", "Max", "Min"];
const WINDOW_MAX = 3_600, PERIOD_MAX = 1_800;

function pathSegment(at: Place): void {
  if (!at.isSet) return at.required();
  for (const fault of segmentFaults(at.text)) at.invalid(fault);
}

function reference(at: Place): void {
  const version = at.field("apiVersion");
  pathSegment(at.field("kind"));
  pathSegment(at.field("name"));
  if (!version.isSet) version.invalid("apiVersion must specify API group", "");
}

function target(at: Place): void {
  const type = at.field("type"), utilization = at.field("averageUtilization");
  if (!type.isSet) type.required("must specify a metric target type");
  else if (!TARGET_TYPES.includes(type.text)) type.unsupported(TARGET_TYPES);
  for (const name of ["value", "averageValue"]) {
    if (at.field(name).isPresent && amount(at.field(name)) <= 0) at.field(name).invalid("must be positive");
  }
  if (utilization.isPresent && utilization.number < 1) {
    utilization.invalid("must be greater than 0", utilization.number);
  }
}

function resource(at: Place): void {
  const name = at.field("name"), aim = at.field("target");
  if (!name.isSet) name.required("must specify a resource name");
  target(aim);
  const utilization = aim.field("averageUtilization"), value = aim.field("averageValue");
  if (!utilization.isPresent && !value.isPresent) {
    utilization.required("must set either a target raw value or a target utilization");
  }
  if (utilization.isPresent && value.isPresent) {
    value.forbidden("may not set both a target raw value and a target utilization");
  }
}

function identifier(at: Place): void {
  const name = at.field("name");
  if (!name.isSet) name.required("must specify a metric name");
  else pathSegment(name);
  labelSelector(at.field("selector"));
}

const METRICS: Readonly<Record<string, Rule>> = {
  resource,
  containerResource: (at) => {
    resource(at);
    if (!at.field("container").isSet) at.field("container").required("must specify a container");
  },
  pods: (at) => {
    identifier(at.field("metric"));
    target(at.field("target"));
    const value = at.field("target").field("averageValue");
    if (!value.isPresent || amount(value) <= 0) value.required("must specify a positive target averageValue");
  },
  object: (at) => {
    reference(at.field("describedObject"));
    identifier(at.field("metric"));
    target(at.field("target"));
    bothValues(at.field("target"), "must set either a target value or averageValue");
  },
  external: (at) => {
    identifier(at.field("metric"));
    target(at.field("target"));
    bothValues(at.field("target"), "must set either a target value for metric or a per-pod target");
  },
};

function bothValues(at: Place, why: string): void {
  const value = at.field("value"), average = at.field("averageValue");
  if (value.isPresent && average.isPresent) {
    value.forbidden("may not set both a target value for metric and a per-pod target");
  }
  if (!value.isPresent && !average.isPresent) average.required(why);
}

function metric(at: Place): void {
  const type = at.field("type"), source = SOURCES[type.text];
  if (!type.isSet) type.required("must specify a metric source type");
  if (!source) type.unsupported(Object.keys(SOURCES), type.text);
  for (const name of Object.values(SOURCES)) {
    if (name !== source && source && at.field(name).isPresent) {
      at.field(name).forbidden("must populate the given metric source only");
    }
    if (at.field(name).isPresent) METRICS[name]!(at.field(name));
  }
  if (source && !at.field(source).isPresent) {
    at.field(source).required("must populate information for the given metric source");
  }
}

function scaling(at: Place): void {
  if (!at.isPresent) return;
  const window = at.field("stabilizationWindowSeconds"),
    select = at.field("selectPolicy"),
    policies = at.field("policies");
  if (window.number < 0) window.invalid("must be greater than or equal to zero", window.number);
  else if (window.number > WINDOW_MAX) window.invalid(`must be less than or equal to ${WINDOW_MAX}`, window.number);
  if (select.isPresent && !SELECT.includes(select.text)) select.unsupported(SELECT);
  if (policies.items.length === 0) policies.required("must specify at least one Policy");
  for (const policy of policies.items) {
    const type = policy.field("type"), value = policy.field("value"), period = policy.field("periodSeconds");
    if (type.text !== "Percent" && type.text !== "Pods") type.unsupported(["Percent", "Pods"], type.text);
    if (value.number <= 0) value.invalid("must be greater than zero", value.number);
    if (period.number <= 0) period.invalid("must be greater than zero", period.number);
    else if (period.number > PERIOD_MAX) period.invalid(`must be less than or equal to ${PERIOD_MAX}`, period.number);
  }
}

/** By ValidateHorizontalPodAutoscalerSpec; objects of v1 as what they are in v2. */
export function horizontalPodAutoscaler(at: Place): void {
  const inV2 = (value: unknown) => isObject(value) ? autoscalerAs(value, AUTOSCALING_V2) : value;
  autoscaler(new Place(inV2(at.value), inV2(at.old), "", at.root));
}

function autoscaler(at: Place): void {
  const spec = at.field("spec"), min = spec.field("minReplicas"), max = spec.field("maxReplicas");
  const metrics = spec.field("metrics");
  if (min.isPresent && min.number < 0) min.invalid("must be greater than or equal to 0");
  if (!max.isSet) max.required();
  else if (max.number < 1) max.invalid("must be greater than or equal to 1");
  if (min.isPresent && max.number < min.number) {
    max.invalid("must be greater than or equal to `minReplicas`", max.number);
  }
  reference(spec.field("scaleTargetRef"));
  metrics.items.forEach(metric);
  const scalesFromZero = metrics.items.some((item) => ["Object", "External"].includes(item.field("type").text));
  if (min.isPresent && min.number === 0 && !scalesFromZero) {
    metrics.forbidden("must specify at least one Object or External metric to support scaling to zero replicas");
  }
  scaling(spec.field("behavior").field("scaleUp"));
  scaling(spec.field("behavior").field("scaleDown"));
}
