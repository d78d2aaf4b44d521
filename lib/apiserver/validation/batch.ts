import { isObject, jsonEqual } from "../../base/mod.ts";
import { cronFault } from "./cron.ts";
import { faultsOf, labelSelector } from "./names.ts";
import { fields, immutable, nonNegative, type Place, present, type Rule } from "./place.ts";
import { podTemplate } from "./pods.ts";
import { isReadable, selects } from "./workloads.ts";

/** Jobs and CronJobs, by batch's validation. */

const MODES = ["NonIndexed", "Indexed"], ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"];
const INDEXED_PARALLELISM_MAX = 100_000, FAILURE_RULES_MAX = 20, EXIT_CODES_MAX = 255, MANAGER_MAX = 63;
const REPLACEMENTS = ["Failed", "TerminatingOrFailed"];

function jobSpec(at: Place): void {
  const counts = [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
  ];
  for (const count of counts) nonNegative(at.field(count));
  fields({ managedBy: present(manager), podFailurePolicy: present(failurePolicy(at)) })(at);
  indexes(at);
  replacement(at);
  podTemplate(at.field("template"));
  restartPolicy(at);
}

function manager(at: Place): void {
  const [domain = "", ...path] = at.text.split("/");
  if (path.length === 0 || path[0] === "") at.invalid('must be a domain-prefixed path (such as "acme.io/foo")');
  else faultsOf("dnsSubdomain", domain).forEach((fault) => at.invalid(fault, domain));
  if (at.text.length > MANAGER_MAX) at.tooLong(MANAGER_MAX);
}

function indexes(at: Place): void {
  const mode = at.field("completionMode"),
    failed = at.field("maxFailedIndexes"),
    perIndex = at.field("backoffLimitPerIndex");
  if (mode.isPresent && !MODES.includes(mode.text)) mode.unsupported(MODES);
  if (failed.isPresent && !perIndex.isPresent) perIndex.required("when maxFailedIndexes is specified");
  if (mode.text === "Indexed") {
    const parallelism = at.field("parallelism");
    if (!at.field("completions").isPresent) at.field("completions").required("when completion mode is Indexed");
    if (parallelism.number > INDEXED_PARALLELISM_MAX) {
      parallelism.invalid(`must be less than or equal to ${INDEXED_PARALLELISM_MAX} when completion mode is Indexed`);
    }
    if (failed.number > at.field("completions").number) failed.invalid("must be less than or equal to completions");
  } else if (!mode.isPresent || mode.text === "NonIndexed") {
    for (const place of [perIndex, failed]) if (place.isPresent) place.invalid("requires indexed completion mode");
    if (at.field("successPolicy").isPresent) at.field("successPolicy").invalid("requires indexed completion mode");
  }
}

function replacement(at: Place): void {
  const policy = at.field("podReplacementPolicy");
  if (!policy.isPresent) return;
  if (at.field("podFailurePolicy").isPresent) {
    if (policy.text !== "Failed") policy.unsupported(["Failed"]);
  } else if (!REPLACEMENTS.includes(policy.text)) policy.unsupported(REPLACEMENTS);
}

function restartPolicy(at: Place): void {
  const policy = at.field("template").field("spec").field("restartPolicy");
  if (policy.text === "Always" || !policy.isSet) policy.required('valid values: "OnFailure", "Never"');
  else if (policy.text !== "OnFailure" && policy.text !== "Never") policy.unsupported(["OnFailure", "Never"]);
  else if (at.field("podFailurePolicy").isPresent && policy.text !== "Never") {
    policy.invalid('only "Never" is supported when podFailurePolicy is specified');
  }
}

function failurePolicy(spec: Place): Rule {
  return (at) => {
    const rules = at.field("rules");
    if (rules.items.length > FAILURE_RULES_MAX) rules.tooMany(rules.items.length, FAILURE_RULES_MAX);
    for (const rule of rules.items) {
      const action = rule.field("action"),
        codes = rule.field("onExitCodes"),
        conditions = rule.field("onPodConditions");
      if (!action.isSet) action.required(`valid values: [${ACTIONS.map((one) => `"${one}"`).join(" ")}]`);
      else if (!ACTIONS.includes(action.text)) action.unsupported(ACTIONS);
      else if (action.text === "FailIndex" && !spec.field("backoffLimitPerIndex").isPresent) {
        action.invalid("requires the backoffLimitPerIndex to be set");
      }
      if (codes.isPresent) exitCodes(codes);
      if (codes.isPresent && conditions.isSet) {
        rule.fault("specifying both OnExitCodes and OnPodConditions is not supported");
      } else if (!codes.isPresent && !conditions.isSet) {
        rule.fault("specifying one of OnExitCodes and OnPodConditions is required");
      }
    }
  };
}

function exitCodes(at: Place): void {
  const operator = at.field("operator"), values = at.field("values"), seen = new Set<number>();
  if (!operator.isSet) operator.required('valid values: ["In" "NotIn"]');
  else if (operator.text !== "In" && operator.text !== "NotIn") operator.unsupported(["In", "NotIn"]);
  const numbers = values.items.map(({ number }) => number);
  if (numbers.length === 0) values.invalid("at least one value is required");
  else if (numbers.length > EXIT_CODES_MAX) values.tooMany(numbers.length, EXIT_CODES_MAX);
  for (const value of values.items) {
    if (operator.text === "In" && value.number === 0) value.invalid("must not be 0 for the In operator");
    if (seen.has(value.number)) value.duplicate();
    seen.add(value.number);
  }
  if (numbers.some((number, index) => index > 0 && numbers[index - 1]! > number)) values.invalid("must be ordered");
}

/** Labels that a Job's own selector needs. */
function generatedSelector(at: Place): void {
  const selector = at.field("spec").field("selector");
  if (!selector.isPresent || at.field("spec").field("manualSelector").value === true) return;
  const uid = at.field("metadata").field("uid").text;
  const wanted = { "batch.kubernetes.io/controller-uid": uid };
  const content = isObject(selector.value) ? selector.value : {};
  if (!jsonEqual(content.matchLabels, wanted) || content.matchExpressions !== undefined) {
    selector.invalid("`selector` not auto-generated");
  }
}

/** Jobs, by ValidateJob and ValidateJobUpdate. */
export function job(at: Place): void {
  const spec = at.field("spec"), selector = spec.field("selector"), template = spec.field("template");
  if (!at.isUpdate) generatedSelector(at);
  jobSpec(spec);
  if (!selector.isPresent) selector.required();
  else labelSelector(selector);
  const labels = template.field("metadata").field("labels");
  if (!selector.isPresent || (isReadable(selector) && !selects(selector, labels))) {
    labels.invalid("`selector` does not match template `labels`");
  }
  if (!at.isUpdate) return;
  for (const name of ["selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy"]) {
    immutable()(spec.field(name));
  }
  if (spec.field("completionMode").text !== "Indexed") immutable()(spec.field("completions"));
  templateUpdate(spec, template);
}

/** Where pods are scheduled may change before the first start. */
const SCHEDULING = new Set(["nodeSelector", "tolerations", "affinity", "schedulingGates"]);

function templateUpdate(spec: Place, template: Place): void {
  const wasSuspended = isObject(spec.old) && spec.old.suspend === true;
  const podSpec = template.field("spec");
  const isScheduling = template.changedFields.every((field) => field === "spec" || field === "metadata") &&
    podSpec.changedFields.every((field) => SCHEDULING.has(field));
  if (!(wasSuspended && isScheduling)) immutable()(template);
}

function schedule(at: Place): void {
  if (!at.isSet) return at.required();
  const fault = cronFault(at.text);
  if (fault !== undefined) at.invalid(fault);
  if (at.text.includes("TZ")) at.invalid("cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
}

function timeZone(at: Place): void {
  if (at.text === "") return at.invalid("timeZone must be nil or non-empty string", "");
  if (at.text.split("/").some((part) => !/^[A-Za-z0-9._+-]+$/.test(part) || /^(?:-|\.{1,2}$)/.test(part))) {
    return at.invalid(`unknown time zone ${at.text}`);
  }
  if (at.text.toLowerCase() === "local") {
    return at.invalid("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
  }
  try {
    new Intl.DateTimeFormat("en", { timeZone: at.text });
  } catch {
    at.invalid(`unknown time zone ${at.text}`);
  }
}

const CONCURRENCY = ["Allow", "Forbid", "Replace"], CRON_NAME_MAX = 52;

/** CronJobs, by ValidateCronJobCreate. */
export function cronJob(at: Place): void {
  const spec = at.field("spec"), policy = spec.field("concurrencyPolicy"), name = at.field("metadata").field("name");
  fields({
    schedule,
    timeZone: present(timeZone),
    startingDeadlineSeconds: nonNegative,
    successfulJobsHistoryLimit: nonNegative,
    failedJobsHistoryLimit: nonNegative,
  })(spec);
  if (!policy.isSet) policy.required();
  else if (!CONCURRENCY.includes(policy.text)) policy.unsupported(CONCURRENCY);
  const template = spec.field("jobTemplate").field("spec"), manual = template.field("manualSelector");
  jobSpec(template);
  if (manual.value === true) manual.unsupported(["nil", "false"], true);
  if (template.field("selector").isPresent) template.field("selector").invalid("`selector` will be auto-generated");
  if (!at.isUpdate && name.text.length > CRON_NAME_MAX) {
    name.invalid(`must be no more than ${CRON_NAME_MAX} characters`);
  }
}
