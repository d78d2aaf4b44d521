import { isObject } from "../../base/mod.ts";
import { ageOf, humanDuration } from "./duration_text.ts";
import {
  at,
  countAt,
  type Fields,
  hasCondition,
  listAt,
  pairsOf,
  shortList,
  stringAt,
  textAt,
  textsAt,
} from "./object_fields.ts";

/** What a column shows of an object. */
export type Cell = (object: Fields, nowMs: number) => string | number | boolean;

const ROLE_PREFIX = "node-role.kubernetes.io/";
const METRICS_MAX = 2;
const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";
export const ADDRESSES_MAX = 3;

/** `spec.selector` as a label selector, or as labels. */
export function selector(object: Fields): string {
  const given = at(object, "spec", "selector");
  if (!isObject(given)) return "<none>";
  return "matchLabels" in given || "matchExpressions" in given ? selectorText(given) : pairsOf(given);
}

export function selectorText(given: unknown): string {
  const labels = at(given, "matchLabels");
  const pairs = isObject(labels) ? Object.entries(labels).map(([key, value]) => [key, `${key}=${value}`]) : [];
  const expressions = listAt(given, "matchExpressions").map((one) => [String(one.key), expressionText(one)]);
  const all = [...pairs, ...expressions].sort(([a], [b]) => (a! < b! ? -1 : 1));
  return all.map(([, part]) => part).join(",") || "<none>";
}

function expressionText(expression: Fields): string {
  const { key, operator } = expression, values = textsAt(expression, "values").sort().join(",");
  if (operator === "Exists") return String(key);
  if (operator === "DoesNotExist") return `!${key}`;
  return `${key} ${operator === "In" ? "in" : "notin"} (${values})`;
}

export function ports(object: Fields): string {
  const list = listAt(object, "spec", "ports").map((port) =>
    `${port.port}${port.nodePort ? `:${port.nodePort}` : ""}/${port.protocol ?? "TCP"}`
  );
  return list.join(",") || "<none>";
}

export function externalAddress(object: Fields): string {
  const addresses = textsAt(object, "spec", "externalIPs");
  const type = at(object, "spec", "type");
  if (type === "ExternalName") return textAt(object, ["spec", "externalName"]);
  if (type !== "LoadBalancer") return addresses.join(",") || "<none>";
  return [...balancerAddresses(object), ...addresses].join(",") || "<pending>";
}

export function balancerAddresses(object: Fields): unknown[] {
  return listAt(object, "status", "loadBalancer", "ingress").map(({ ip, hostname }) => ip ?? hostname);
}

export function versions(crd: Fields): string {
  return listAt(crd, "spec", "versions").map(({ name, storage, served }) => {
    const notes = [...storage ? ["storage"] : [], ...served ? [] : ["unserved"]];
    return notes.length > 0 ? `${name}(${notes.join(",")})` : String(name);
  }).join(",");
}

export function nodeStatus(node: Fields): string {
  const ready = listAt(node, "status", "conditions").find((condition) => condition.type === "Ready");
  const word = ready ? (ready.status === "True" ? "Ready" : "NotReady") : "Unknown";
  return at(node, "spec", "unschedulable") === true ? `${word},SchedulingDisabled` : word;
}

export function nodeRoles(node: Fields): string {
  const labels = at(node, "metadata", "labels");
  const roles = Object.entries(isObject(labels) ? labels : {}).flatMap(([key, value]) =>
    key.startsWith(ROLE_PREFIX) && key !== ROLE_PREFIX
      ? [key.slice(ROLE_PREFIX.length)]
      : key === "kubernetes.io/role" && value
      ? [String(value)]
      : []
  );
  return [...new Set(roles)].sort().join(",") || "<none>";
}

export function kernel(node: Fields): string {
  const version = textAt(node, ["status", "nodeInfo", "kernelVersion"], "<unknown>");
  const architecture = stringAt(node, "status", "nodeInfo", "architecture");
  return architecture ? `${version} (${architecture})` : version;
}

export function firstSeen(event: Fields, nowMs: number): string {
  return ageOf(event.firstTimestamp ?? event.deprecatedFirstTimestamp ?? event.eventTime, nowMs);
}

export function lastSeen(event: Fields, nowMs: number): string {
  if (event.series) return ageOf(at(event, "series", "lastObservedTime"), nowMs);
  const last = event.lastTimestamp ?? event.deprecatedLastTimestamp;
  return last ? ageOf(last, nowMs) : firstSeen(event, nowMs);
}

export function eventObject(event: Fields): string {
  const regarding = event.involvedObject ?? event.regarding;
  const kind = stringAt(regarding, "kind").toLowerCase(), name = stringAt(regarding, "name");
  return name === "" ? kind : `${kind}/${name}`;
}

export function eventSource(event: Fields): string {
  const source = event.source ?? event.deprecatedSource;
  const component = stringAt(source, "component") || stringAt(event, "reportingController") ||
    stringAt(event, "reportingComponent");
  const host = stringAt(source, "component") ? stringAt(source, "host") : stringAt(event, "reportingInstance");
  return host ? `${component}, ${host}` : component;
}

export function jobStatus(job: Fields): string {
  if (hasCondition(job, "Complete")) return "Complete";
  if (hasCondition(job, "Failed")) return "Failed";
  if (at(job, "metadata", "deletionTimestamp")) return "Terminating";
  return ["Suspended", "FailureTarget", "SuccessCriteriaMet"].find((type) => hasCondition(job, type)) ?? "Running";
}

export function jobCompletions(job: Fields): string {
  const succeeded = countAt(job, "status", "succeeded"), completions = at(job, "spec", "completions");
  if (completions !== undefined) return `${succeeded}/${completions}`;
  const parallelism = countAt(job, "spec", "parallelism");
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

export function jobDuration(job: Fields, nowMs: number): string {
  const start = stringAt(job, "status", "startTime"), end = stringAt(job, "status", "completionTime");
  return start === "" ? "" : humanDuration((end === "" ? nowMs : Date.parse(end)) - Date.parse(start));
}

export function endpointAddresses(endpoints: Fields): string {
  const subsets = listAt(endpoints, "subsets");
  if (subsets.length === 0) return "<none>";
  const all = subsets.flatMap((subset) => {
    const ips = listAt(subset, "addresses").map(({ ip }) => String(ip)), open = listAt(subset, "ports");
    const joined = (ip: string, port: unknown) => `${ip.includes(":") ? `[${ip}]` : ip}:${port}`;
    return open.length === 0 ? ips : open.flatMap(({ port }) => ips.map((ip) => joined(ip, port)));
  });
  return shortList(all, ADDRESSES_MAX);
}

export function metrics(autoscaler: Fields): string {
  const target = at(autoscaler, "spec", "targetCPUUtilizationPercentage");
  if (target !== undefined) {
    const current = at(autoscaler, "status", "currentCPUUtilizationPercentage");
    return `cpu: ${current === undefined ? "<unknown>" : `${current}%`}/${target}%`;
  }
  const statuses = listAt(autoscaler, "status", "currentMetrics");
  const all = listAt(autoscaler, "spec", "metrics").map((metric, index) => metricText(metric, statuses[index]));
  return shortList(all, METRICS_MAX, ", ") || "<none>";
}

function metricText(metric: Fields, status: unknown): string {
  const type = stringAt(metric, "type"), key = type.charAt(0).toLowerCase() + type.slice(1);
  const target = at(metric, key, "target"), current = at(status, key, "current");
  const average = at(target, "averageValue"), isResource = type.endsWith("Resource");
  const name = isResource ? `${stringAt(metric, key, "name")}: ` : "";
  if (average !== undefined) {
    const suffix = type === "External" || type === "Object" ? " (avg)" : "";
    return `${name}${textAt(current, ["averageValue"], "<unknown>")}/${average}${suffix}`;
  }
  if (!isResource) return `${textAt(current, ["value"], "<unknown>")}/${stringAt(target, "value")}`;
  const percent = (value: unknown, fallback: string) => (value === undefined ? fallback : `${value}%`);
  const used = percent(at(current, "averageUtilization"), "<unknown>");
  return `${name}${used}/${percent(at(target, "averageUtilization"), "<auto>")}`;
}

export function volumePhase(object: Fields): string {
  return at(object, "metadata", "deletionTimestamp") ? "Terminating" : stringAt(object, "status", "phase");
}

export function parameterKind(object: Fields): string {
  const kind = at(object, "spec", "paramKind");
  return isObject(kind) ? `${kind.apiVersion}/${kind.kind}` : "<unset>";
}

export function parameterName(object: Fields): string {
  const reference = at(object, "spec", "paramRef"), name = stringAt(reference, "name");
  return name ? `${textAt(reference, ["namespace"], "*")}/${name}` : "<unset>";
}

export function ingressParameters(object: Fields): string {
  const given = at(object, "spec", "parameters");
  if (!isObject(given)) return "<none>";
  return `${given.kind}${given.apiGroup ? `.${given.apiGroup}` : ""}/${given.name}`;
}

export function hosts(ingress: Fields): string {
  const all = listAt(ingress, "spec", "rules").map(({ host }) => String(host ?? "")).filter(Boolean);
  return shortList(all, ADDRESSES_MAX) || "*";
}

export function conditionName(object: Fields, types: readonly string[], fallback: string): string {
  return types.findLast((type) => hasCondition(object, type)) ?? fallback;
}

export function requestCondition(request: Fields): string {
  const has = (type: string) => listAt(request, "status", "conditions").some((one) => one.type === type);
  const word = has("Denied") ? "Denied" : has("Approved") ? "Approved" : has("Failed") ? "" : "Pending";
  const failed = has("Failed") ? [...word ? [word] : [], "Failed"].join(",") : word;
  return stringAt(request, "status", "certificate") ? `${failed},Issued` : failed;
}

export function available(service: Fields): string {
  const condition = listAt(service, "status", "conditions").find(({ type }) => type === "Available");
  if (!condition) return "Unknown";
  return condition.status === "True" ? "True" : `${condition.status} (${condition.reason})`;
}

export function parentReference(address: Fields): string {
  const parent = at(address, "spec", "parentRef");
  if (!isObject(parent)) return "<none>";
  const resource = `${parent.resource}${parent.group ? `.${parent.group}` : ""}`.toLowerCase();
  return [resource, ...parent.namespace ? [parent.namespace] : [], parent.name].join("/");
}

export function claimState(claim: Fields): string {
  const isDeleted = at(claim, "metadata", "deletionTimestamp") !== undefined;
  const isAllocated = at(claim, "status", "allocation") !== undefined;
  const isReserved = isAllocated && listAt(claim, "status", "reservedFor").length > 0;
  return [
    ...isDeleted ? ["deleted"] : [],
    isAllocated ? "allocated" : isDeleted ? "" : "pending",
    isReserved ? "reserved" : "",
  ]
    .filter(Boolean).join(",");
}

export function className(object: Fields): string {
  const name = stringAt(object, "metadata", "name");
  return at(object, "metadata", "annotations", DEFAULT_CLASS) === "true" ? `${name} (default)` : name;
}

const MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};

export function accessModes(...path: string[]): Cell {
  return (object) =>
    Object.keys(MODES).filter((mode) => textsAt(object, ...path).includes(mode)).map((mode) => MODES[mode]).join(",");
}

/** What a claim has once it is bound. */
export function bound(cell: Cell): Cell {
  return (claim, nowMs) => (stringAt(claim, "spec", "volumeName") ? cell(claim, nowMs) : "");
}

export function quota(isLimit: boolean): Cell {
  return (object) => {
    const hard = at(object, "status", "hard");
    const names = Object.keys(isObject(hard) ? hard : {}).sort().filter((name) =>
      name.startsWith("limits.") === isLimit
    );
    return names.map((name) => `${name}: ${textAt(object, ["status", "used", name], "0")}/${at(hard, name)}`).join(
      ", ",
    );
  };
}
