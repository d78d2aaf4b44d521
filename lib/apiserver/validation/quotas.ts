import { qualifiedNameFaults } from "./names.ts";
import type { Place } from "./place.ts";
import { amount, quantity } from "./quantities.ts";

/** ResourceQuotas and LimitRanges, by core's validation. */

const COUNTED = new Set([
  "pods",
  "services",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
]);
const MEASURED = new Set(["cpu", "memory", "ephemeral-storage", "storage", "requests.storage"].concat(
  ["cpu", "memory", "ephemeral-storage"].flatMap((name) => [`requests.${name}`, `limits.${name}`]),
));
const SCOPES = new Set([
  "Terminating",
  "NotTerminating",
  "BestEffort",
  "NotBestEffort",
  "PriorityClass",
  "CrossNamespacePodAffinity",
  "VolumeAttributesClass",
]);
const CONFLICTS = [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]] as const;
const MILLI = 1_000;

/** By ValidateResourceQuotaSpec. */
export function resourceQuota(at: Place): void {
  const hard = at.field("spec").field("hard"), scopes = at.field("spec").field("scopes");
  for (const name of hard.keys) {
    const place = hard.key(name), faults = qualifiedNameFaults(name);
    faults.forEach((fault) => place.invalid(fault, name));
    const isKnown = COUNTED.has(name) || MEASURED.has(name) || name.includes("/") || /^requests\.hugepages-/.test(name);
    if (faults.length === 0 && !isKnown) {
      place.invalid("must be a standard resource type or fully qualified", name);
      place.invalid("must be a standard resource for quota", name);
    }
    quantity(place);
    if ((COUNTED.has(name) || name.startsWith("count/")) && Math.round(amount(place) * MILLI) % MILLI !== 0) {
      place.invalid("must be an integer");
    }
  }
  if (!scopes.isSet) return;
  const given = new Set(scopes.items.map(({ text }) => text));
  if ([...given].some((scope) => !SCOPES.has(scope))) scopes.invalid("unsupported scope");
  if (CONFLICTS.some(([left, right]) => given.has(left) && given.has(right))) scopes.invalid("conflicting scopes");
}

const LIMIT_TYPES = new Set(["Pod", "Container", "PersistentVolumeClaim"]);
const PARTS = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];

/** By ValidateLimitRange. */
export function limitRange(at: Place): void {
  const types = new Set<string>();
  for (const limit of at.field("spec").field("limits").items) {
    const type = limit.field("type");
    const faults = qualifiedNameFaults(type.text);
    for (const fault of faults) type.invalid(fault, type.text);
    if (faults.length === 0 && !LIMIT_TYPES.has(type.text) && !type.text.includes("/")) {
      type.invalid("must be a standard limit type or fully qualified", type.text);
    }
    if (types.has(type.text)) type.duplicate();
    types.add(type.text);
    if (type.text === "Pod") {
      for (const part of ["default", "defaultRequest"]) {
        if (limit.field(part).isSet) limit.field(part).forbidden("may not be specified when `type` is 'Pod'");
      }
    }
    const names = new Set(PARTS.flatMap((part) => limit.field(part).keys));
    for (const name of names) limitOf(limit, name);
  }
}

interface Amount {
  readonly place: Place;
  readonly text: string;
  readonly amount: number;
}

function limitOf(limit: Place, name: string): void {
  const of = (part: string): Amount | undefined => {
    const place = limit.field(part).key(name);
    return place.isPresent ? { place, text: String(place.value), amount: amount(place) } : undefined;
  };
  const max = of("max"), min = of("min"), value = of("default"), request = of("defaultRequest");
  const order = (low: Amount | undefined, high: Amount | undefined, at: Amount | undefined, why: () => string) => {
    if (low && high && at && low.amount > high.amount) at.place.invalid(why(), at.text);
  };
  order(min, max, min, () => `min value ${min!.text} is greater than max value ${max!.text}`);
  order(request, max, request, () => `default request value ${request!.text} is greater than max value ${max!.text}`);
  order(min, request, request, () => `min value ${min!.text} is greater than default request value ${request!.text}`);
  order(
    value,
    max,
    max && { ...max, place: limit.field("default").key(name) },
    () => `default value ${value!.text} is greater than max value ${max!.text}`,
  );
  order(
    min,
    value,
    min && { ...min, place: limit.field("default").key(name) },
    () => `min value ${min!.text} is greater than default value ${value!.text}`,
  );
  order(
    request,
    value,
    request,
    () => `default request value ${request!.text} is greater than default limit value ${value!.text}`,
  );
  const ratio = of("maxLimitRequestRatio");
  if (ratio && ratio.amount < 1) ratio.place.invalid(`ratio ${ratio.text} is less than 1`);
}
