import { cidrFaults, ipFaults, nonSpecialAddress } from "./addresses.ts";
import {
  dnsLabel,
  dnsSubdomain,
  labels,
  portNameFaults,
  portNumber,
  qualifiedName,
  qualifiedNameFaults,
} from "./names.ts";
import { each, fields, oneOf, type Place, present, type Rule, set } from "./place.ts";

/** Services, by core's ValidateService. */

const PROTOCOLS = ["SCTP", "TCP", "UDP"], AFFINITY_SECONDS_MAX = 86_400;
const POLICIES = ["PreferDualStack", "RequireDualStack", "SingleStack"], FAMILIES = ["IPv4", "IPv6"];
const DISTRIBUTIONS = ["PreferClose", "PreferSameZone", "PreferSameNode"];

/** A cluster's own range: an address outside of it cannot be asked for. */
const CLUSTER_RANGE = /^10\./;

/** Answers for a Service; `type` decides on what it may have. */
export function service(at: Place): void {
  const spec = at.field("spec"), type = spec.field("type").text;
  ports(spec, type);
  addresses(spec, type);
  SPEC(spec);
  affinity(spec);
  external(spec, type);
  if (at.isUpdate) addressUpdate(spec, type);
}

const SPEC: Rule = fields({
  type: oneOf("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
  selector: labels,
  sessionAffinity: oneOf("ClientIP", "None"),
  externalIPs: each((at) => {
    const faults = ipFaults(at.text);
    faults.forEach((fault) => at.invalid(fault));
    if (faults.length === 0) nonSpecialAddress(at);
  }),
  ipFamilyPolicy: present(oneOf(...POLICIES)),
  ipFamilies: families,
  internalTrafficPolicy: present(oneOf("Cluster", "Local")),
  trafficDistribution: present(oneOf(...DISTRIBUTIONS)),
});

function ports(spec: Place, type: string): void {
  const list = spec.field("ports"), names = new Set<string>(), numbers = new Set<string>();
  const isHeadless = spec.field("clusterIP").text === "None";
  if (list.items.length === 0 && !isHeadless && type !== "ExternalName") list.required();
  for (const port of list.items) {
    const name = port.field("name");
    if (name.isSet) dnsLabel(name);
    else if (list.items.length > 1) name.required();
    if (name.isSet && names.has(name.text)) name.duplicate();
    names.add(name.text);
    onePort(port, isHeadless, type);
    const key = `${port.field("protocol").text} ${port.field("port").number}`;
    if (numbers.has(key)) port.duplicate();
    numbers.add(key);
  }
}

function onePort(at: Place, isHeadless: boolean, type: string): void {
  const target = at.field("targetPort"), node = at.field("nodePort");
  portNumber(at.field("port"));
  oneOf(...PROTOCOLS)(at.field("protocol"));
  if (typeof target.value === "string") portNameFaults(target.text).forEach((fault) => target.invalid(fault));
  else portNumber(target);
  if (isHeadless && target.isSet && typeof target.value === "number" && target.number !== at.field("port").number) {
    // A headless Service does not translate ports, and old objects say otherwise.
    return;
  }
  if (at.field("appProtocol").isPresent) qualifiedName(at.field("appProtocol"));
  if (node.isSet && type !== "NodePort" && type !== "LoadBalancer") {
    node.forbidden(`may not be used when \`type\` is '${type}'`);
  }
}

function addresses(spec: Place, type: string): void {
  const first = spec.field("clusterIP"), list = spec.field("clusterIPs");
  if (type === "ExternalName") {
    const name = spec.field("externalName"), text = name.text.replace(/\.$/, "");
    if (text === "") name.required();
    else dnsSubdomain(name);
    if (list.items.length > 0 || first.isSet) list.forbidden("may not be set for ExternalName services");
    return;
  }
  const all = list.items;
  if (all.length > 0 && first.isSet && all[0]!.text !== first.text) list.invalid("first value must match `clusterIP`");
  if (all.length > 0 && !first.isSet) list.invalid("must be empty when `clusterIP` is not specified");
  if (all.length > 1 && all.some(({ text }) => text === "None")) {
    list.invalid("'None' must be the first and only value");
  }
  for (const [index, item] of all.entries()) {
    if (item.text === "None" && index === 0) continue;
    for (const fault of ipFaults(item.text)) item.invalid(fault);
  }
  if (!spec.isUpdate && all.length === 1 && ipFaults(all[0]!.text).length === 0 && !CLUSTER_RANGE.test(all[0]!.text)) {
    list.invalid(`failed to allocate IP ${all[0]!.text}: the provided network does not match the current range`);
  }
}

function families(at: Place): void {
  const seen = new Set<string>();
  for (const family of at.items) {
    if (!FAMILIES.includes(family.text)) family.unsupported(FAMILIES);
    else if (seen.has(family.text)) family.duplicate();
    else if (family.text === "IPv6") family.invalid("not configured on this cluster");
    seen.add(family.text);
  }
}

function affinity(spec: Place): void {
  const config = spec.field("sessionAffinityConfig"), seconds = config.field("clientIP").field("timeoutSeconds");
  if (spec.field("sessionAffinity").text === "None") {
    if (config.isPresent) config.forbidden("must not be set when session affinity is None");
  } else if (spec.field("sessionAffinity").text === "ClientIP") {
    if (seconds.number <= 0 || seconds.number > AFFINITY_SECONDS_MAX) {
      seconds.invalid(`must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`);
    }
  }
}

/** What only Services that are reached from outside have. */
function external(spec: Place, type: string): void {
  const policy = spec.field("externalTrafficPolicy"), ranges = spec.field("loadBalancerSourceRanges");
  const isExternal = type === "NodePort" || type === "LoadBalancer" || spec.field("externalIPs").items.length > 0;
  if (policy.isSet && !isExternal) policy.invalid("may only be set for externally-accessible services");
  else if (policy.isSet) oneOf("Cluster", "Local")(policy);
  if (ranges.items.length > 0) {
    const named = ranges.renamed("spec.LoadBalancerSourceRanges");
    if (type !== "LoadBalancer") named.forbidden("may only be used when `type` is 'LoadBalancer'");
    for (const range of named.items) for (const fault of cidrFaults(range.text.trim())) range.invalid(fault);
  }
  for (
    const [name, rule] of [["loadBalancerClass", qualified], ["allocateLoadBalancerNodePorts", undefined]] as const
  ) {
    if (!spec.field(name).isPresent) continue;
    if (type !== "LoadBalancer") spec.field(name).forbidden("may only be used when `type` is 'LoadBalancer'");
    else rule?.(spec.field(name));
  }
}

const qualified: Rule = set((at) => qualifiedNameFaults(at.text).forEach((fault) => at.invalid(fault)));

function addressUpdate(spec: Place, type: string): void {
  const list = spec.field("clusterIPs"), former = Array.isArray(list.old) ? list.old[0] : undefined;
  if (type === "ExternalName" || former === undefined || list.items.length === 0) return;
  if (list.items[0]!.text !== former) list.items[0]!.invalid("may not change once set", list.value);
}
