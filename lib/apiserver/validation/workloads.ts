import { isObject, jsonEqual } from "../../base/mod.ts";
import { intOrPercent, shareOfAll } from "./int_or_percent.ts";
import { dnsLabel, labelSelector, labelValueFaults, qualifiedNameFaults } from "./names.ts";
import { fields, immutable, nonNegative, oneOf, type Place, present, type Rule, set } from "./place.ts";
import { podTemplate } from "./pods.ts";
import { claimSpec } from "./storage.ts";

/** Workloads, by apps' and core's validation. */

const isNone = ({ value }: Place): boolean => value === 0 || value === "0%" || value === undefined || value === null;

/** Pods are selected by labels that the template has. */
function selectorAndTemplate(at: Place, selectorMessage: string): void {
  const selector = at.field("selector"), template = at.field("template");
  if (!selector.isPresent) selector.required();
  else {
    labelSelector(selector);
    if (Object.keys(selectorContent(selector)).length === 0) selector.invalid(selectorMessage);
    else if (!isReadable(selector)) selector.invalid("invalid label selector");
  }
  const templateLabels = template.field("metadata").field("labels");
  if (!selector.isPresent || (isReadable(selector) && !selects(selector, templateLabels))) {
    templateLabels.invalid("`selector` does not match template `labels`");
  }
  podTemplate(template);
}

function selectorContent({ value }: Place): Record<string, unknown> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter(([, part]) => isObject(part) ? Object.keys(part).length : part),
  );
}

const OPERATORS = new Set(["In", "NotIn", "Exists", "DoesNotExist"]);

/** Whether a label selector has content, and operators that are known. */
export function isReadable(selector: Place): boolean {
  const items = selector.field("matchExpressions").items;
  const wanted = selector.field("matchLabels");
  if (Object.keys(selectorContent(selector)).length === 0) return false;
  if (wanted.keys.some((key) => qualifiedNameFaults(key).length + labelValueFaults(wanted.key(key).text).length > 0)) {
    return false;
  }
  return items.every((item) => {
    const operator = item.field("operator").text, hasValues = item.field("values").isSet;
    return OPERATORS.has(operator) && hasValues === (operator === "In" || operator === "NotIn");
  });
}

/** Whether a label selector selects these labels. */
export function selects(selector: Place, labels: Place): boolean {
  const own = isObject(labels.value) ? labels.value : {}, wanted = selector.field("matchLabels");
  if (wanted.keys.some((key) => own[key] !== wanted.key(key).value)) return false;
  return selector.field("matchExpressions").items.every((item) => {
    const key = item.field("key").text, values = item.field("values").items.map(({ text }) => text);
    const has = Object.hasOwn(own, key), isListed = has && values.includes(String(own[key]));
    switch (item.field("operator").text) {
      case "In":
        return isListed;
      case "NotIn":
        return !isListed;
      case "Exists":
        return has;
      default:
        return !has;
    }
  });
}

/** `kind`: as kube-apiserver names it; Deployments share the rules of ReplicaSets. */
function alwaysRestarts(at: Place, kind: string): void {
  const spec = at.field("template").field("spec"), policy = spec.field("restartPolicy");
  if (policy.text === "OnFailure" || policy.text === "Never") policy.unsupported(["Always"]);
  const deadline = spec.field("activeDeadlineSeconds");
  if (deadline.isPresent) deadline.forbidden(`activeDeadlineSeconds in ${kind} is not Supported`);
}

const deploymentStrategy: Rule = (at) => {
  const type = at.field("type"), rolling = at.field("rollingUpdate");
  if (type.text === "Recreate") {
    if (rolling.isPresent) rolling.forbidden("may not be specified when strategy `type` is 'Recreate'");
  } else if (type.text === "RollingUpdate") {
    const surge = rolling.field("maxSurge"), unavailable = rolling.field("maxUnavailable");
    intOrPercent(unavailable);
    intOrPercent(surge);
    if (isNone(unavailable) && isNone(surge)) {
      unavailable.invalid("may not be 0 when `maxSurge` is 0");
    }
    shareOfAll(unavailable);
  } else if (!type.isSet) type.required();
  else at.unsupported(["Recreate", "RollingUpdate"]);
};

/** Deployments, by ValidateDeploymentSpec. */
export function deployment(at: Place): void {
  const spec = at.field("spec");
  fields({
    replicas: nonNegative,
    strategy: deploymentStrategy,
    minReadySeconds: nonNegative,
    revisionHistoryLimit: present(nonNegative),
  })(spec);
  selectorAndTemplate(spec, "empty selector is invalid for deployment");
  alwaysRestarts(spec, "ReplicaSet");
  const deadline = spec.field("progressDeadlineSeconds"), ready = spec.field("minReadySeconds");
  if (deadline.isPresent) {
    nonNegative(deadline);
    if (deadline.number <= ready.number) deadline.invalid(`must be greater than minReadySeconds`, deadline.number);
  }
  immutable()(spec.field("selector"));
}

/** ReplicaSets and ReplicationControllers differ in how they select. */
export function replicaSet(at: Place): void {
  const spec = at.field("spec");
  fields({ replicas: nonNegative, minReadySeconds: nonNegative })(spec);
  selectorAndTemplate(spec, "empty selector is invalid for deployment");
  alwaysRestarts(spec, "ReplicaSet");
  immutable()(spec.field("selector"));
}

const daemonSetStrategy: Rule = (at) => {
  const type = at.field("type"), rolling = at.field("rollingUpdate");
  if (type.text === "OnDelete") return;
  if (type.text !== "RollingUpdate") return at.unsupported(["RollingUpdate", "OnDelete"]);
  if (!rolling.isPresent) return rolling.required();
  const surge = rolling.field("maxSurge"), unavailable = rolling.field("maxUnavailable");
  intOrPercent(unavailable);
  shareOfAll(unavailable);
  intOrPercent(surge);
  shareOfAll(surge);
  if (!isNone(unavailable) && !isNone(surge)) surge.invalid("may not be set when maxUnavailable is non-zero");
  if (isNone(unavailable) && isNone(surge)) unavailable.required("cannot be 0 when maxSurge is 0");
};

/** DaemonSets, by ValidateDaemonSetSpec. */
export function daemonSet(at: Place): void {
  const spec = at.field("spec");
  selectorAndTemplate(spec, "empty selector is invalid for daemonset");
  alwaysRestarts(spec, "DaemonSet");
  fields({
    minReadySeconds: nonNegative,
    updateStrategy: daemonSetStrategy,
    revisionHistoryLimit: present(nonNegative),
  })(spec);
  immutable()(spec.field("selector"));
}

const statefulSetStrategy: Rule = (at) => {
  const type = at.field("type"), rolling = at.field("rollingUpdate");
  switch (type.text) {
    case "":
      return type.required();
    case "OnDelete":
      return rolling.isPresent && rolling.invalid("only allowed for updateStrategy 'RollingUpdate'");
    case "RollingUpdate": {
      nonNegative(rolling.field("partition"));
      const unavailable = rolling.field("maxUnavailable");
      if (!unavailable.isPresent) return;
      intOrPercent(unavailable);
      if (isNone(unavailable)) unavailable.invalid("cannot be 0");
      return shareOfAll(unavailable);
    }
    default:
      return at.invalid("must be 'RollingUpdate' or 'OnDelete'");
  }
};

const RETENTION = ["Retain", "Delete"];
const STATEFUL_IMMUTABLE = new Set(["serviceName", "podManagementPolicy", "selector", "volumeClaimTemplates"]);
const STATEFUL_UPDATABLE = new Set([
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
]);

/** StatefulSets, by ValidateStatefulSetSpec and ValidateStatefulSetUpdate. */
export function statefulSet(at: Place): void {
  const spec = at.field("spec"), policy = spec.field("podManagementPolicy");
  if (!policy.isSet) policy.required();
  else if (policy.text !== "OrderedReady" && policy.text !== "Parallel") {
    policy.invalid("must be 'OrderedReady' or 'Parallel'");
  }
  fields({
    updateStrategy: statefulSetStrategy,
    "persistentVolumeClaimRetentionPolicy.whenDeleted": set(oneOf(...RETENTION)),
    "persistentVolumeClaimRetentionPolicy.whenScaled": set(oneOf(...RETENTION)),
    serviceName: set((at) => at.isUpdate || dnsLabel(at)),
    replicas: nonNegative,
    minReadySeconds: nonNegative,
    "ordinals.start": nonNegative,
    revisionHistoryLimit: present(nonNegative),
    volumeClaimTemplates: (list: Place) => list.items.forEach((item) => claimSpec(item.field("spec"))),
  })(spec);
  selectorAndTemplate(spec, "empty selector is invalid for statefulset");
  alwaysRestarts(spec, "StatefulSet");
  const fixed = spec.changedFields.filter((field) => !STATEFUL_UPDATABLE.has(field));
  const named = fixed.filter((field) => STATEFUL_IMMUTABLE.has(field));
  for (const field of at.isUpdate ? named : []) spec.field(field).invalid("field is immutable");
  if (at.isUpdate && fixed.length > named.length) {
    const names = "'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', " +
      "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds'";
    spec.forbidden(`updates to statefulset spec for fields other than ${names} are forbidden`);
  }
}

/** ReplicationControllers select by a map of labels. */
export function replicationController(at: Place): void {
  const spec = at.field("spec"), selector = spec.field("selector"), template = spec.field("template");
  fields({ replicas: nonNegative, minReadySeconds: nonNegative })(spec);
  if (!selector.isSet) selector.required();
  if (!template.isPresent) return template.required();
  const labels = template.field("metadata").field("labels"), own = isObject(labels.value) ? labels.value : {};
  if (selector.keys.some((key) => own[key] !== selector.key(key).value)) {
    labels.invalid("`selector` does not match template `labels`");
  }
  podTemplate(template);
  alwaysRestarts(spec, "ReplicationController");
}

export function podTemplateObject(at: Place): void {
  podTemplate(at.field("template"));
}

/** ControllerRevisions. */
export function controllerRevision(at: Place): void {
  if (at.field("revision").number < 0) at.field("revision").invalid("must be greater than or equal to 0");
  if (!at.field("data").isPresent) at.field("data").required("data is mandatory");
  if (at.isUpdate && !jsonEqual(at.field("data").value, at.field("data").old)) {
    at.field("data").invalid("field is immutable");
  }
}
