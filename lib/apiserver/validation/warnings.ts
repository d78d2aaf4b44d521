import { isObject } from "../../base/mod.ts";
import { Place } from "./place.ts";
import { amount } from "./quantities.ts";

/** Warnings about objects of built-in kinds that are accepted, by the kinds' warnings.go. */

type Warn = (at: Place) => string[];

const BY_RESOURCE: Readonly<Record<string, Warn>> = {
  "pods": (at) => podWarnings(at),
  "podtemplates": (at) => podWarnings(at.field("template")),
  "replicationcontrollers": ofTemplate,
  "daemonsets.apps": ofTemplate,
  "deployments.apps": ofTemplate,
  "replicasets.apps": ofTemplate,
  "statefulsets.apps": ofTemplate,
  "jobs.batch": ofTemplate,
  "cronjobs.batch": (at) => ofTemplate(at.field("spec").field("jobTemplate")),
  "services": serviceWarnings,
  "secrets": secretWarnings,
  "endpointslices.discovery.k8s.io": (at) =>
    at.field("addressType").text === "FQDN" ? ["spec.addressType: FQDN endpoints are deprecated"] : [],
};

/** Kinds that clients should no longer use. */
const DEPRECATED: Readonly<Record<string, string>> = {
  endpoints: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
};

/** Whatever a client does with objects of the kind. */
export function deprecationWarnings(resource: string): string[] {
  return Object.hasOwn(DEPRECATED, resource) ? [DEPRECATED[resource]!] : [];
}

/** For an object that is written. */
export function builtinWarnings(resource: string, object: unknown): string[] {
  if (!Object.hasOwn(BY_RESOURCE, resource)) return [];
  return BY_RESOURCE[resource]!(new Place(object, undefined, "", { isUpdate: false, causes: [] }));
}

function ofTemplate(at: Place): string[] {
  return podWarnings(at.field("spec").field("template"));
}

function podWarnings(at: Place): string[] {
  const spec = at.field("spec"),
    containers = ["containers", "initContainers"].flatMap((list) => spec.field(list).items);
  return [
    ...spec.field("topologySpreadConstraints").items.filter((item) => !item.field("labelSelector").isPresent)
      .map(({ path }) => `${path}.labelSelector: a null labelSelector results in matching no pod`),
    ...spec.field("volumes").items.flatMap(volumeWarnings),
    ...duplicates(spec.field("hostAliases"), "ip", "duplicate ip"),
    ...duplicates(spec.field("imagePullSecrets"), "name", "duplicate name"),
    ...emptyNames(spec.field("imagePullSecrets")),
    ...containers.flatMap((container) => [...fractions(container), ...hiddenEnv(container)]),
    ...portWarnings(containers),
  ];
}

function volumeWarnings(at: Place): string[] {
  const projected = at.field("projected");
  if (!projected.isPresent) return [];
  const given = projected.field("sources").items.filter((source) => source.keys.length > 0);
  return given.length === 0
    ? [`volume ${JSON.stringify(at.field("name").text)} (Projected) has no sources provided`]
    : [];
}

function duplicates(list: Place, field: string, what: string): string[] {
  const seen = new Set<string>();
  return list.items.flatMap((item) => {
    const { text, path } = item.field(field), isAgain = seen.has(text);
    seen.add(text);
    return isAgain ? [`${path}: ${what} ${JSON.stringify(text)}`] : [];
  });
}

function emptyNames(list: Place): string[] {
  return list.items.map((item) => item.field("name")).filter(({ text }) => text === "")
    .map(({ path }) => `${path}: invalid empty name ""`);
}

function fractions(container: Place): string[] {
  return ["memory", "ephemeral-storage"].flatMap((name) =>
    ["limits", "requests"].map((part) => container.field("resources").field(part).key(name))
      .filter((place) => place.isPresent && !Number.isInteger(amount(place)))
      .map(({ path, text }) => `${path}: fractional byte value ${JSON.stringify(text)} is invalid, must be an integer`)
  );
}

function hiddenEnv(container: Place): string[] {
  const seen = new Set<string>();
  return container.field("env").items.flatMap((item) => {
    const name = item.field("name").text, value = item.field("value").text, ref = `$(${name})`;
    const isAgain = seen.has(name), refers = value.includes(ref) && value !== ref;
    seen.add(name);
    if (!isAgain || (refers && !item.field("valueFrom").isPresent)) return [];
    return [
      `${item.path}: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
    ];
  });
}

function portWarnings(containers: readonly Place[]): string[] {
  const numbers = new Map<string, Place[]>(),
    names = new Map<string, Place>(),
    numbered: string[] = [],
    named: string[] = [];
  for (const port of containers.flatMap((container) => container.field("ports").items)) {
    const key = `${port.field("containerPort").number}/${port.field("protocol").text}`, others = numbers.get(key) ?? [];
    for (const other of others) numbered.push(...overlap(port, other));
    numbers.set(key, [...others, port]);
    const name = port.field("name").text, other = names.get(name);
    if (name !== "" && other) {
      const why = `duplicate port name ${JSON.stringify(name)} with ${other.path}`;
      named.push(`${port.path}: ${why}, services and probes that select ports by name will use ${other.path}`);
    } else names.set(name, port);
  }
  return [...numbered, ...named];
}

function overlap(port: Place, other: Place): string[] {
  const [host, otherHost] = [port, other].map((one) => one.field("hostPort").number);
  const [ip, otherIp] = [port, other].map((one) => one.field("hostIP").text);
  if (host === otherHost && ip === otherIp) return [`${port.path}: duplicate port definition with ${other.path}`];
  if (host === 0 || otherHost === 0) return [`${port.path}: overlapping port definition with ${other.path}`];
  const isUnclear = host === otherHost && (ip === "") !== (otherIp === "");
  return isUnclear ? [`${port.path}: dangerously ambiguous port definition with ${other.path}`] : [];
}

function serviceWarnings(at: Place): string[] {
  const spec = at.field("spec"), distribution = spec.field("trafficDistribution").text, warnings: string[] = [];
  const isHeadless = spec.field("clusterIP").text === "None";
  if (isHeadless) {
    if (spec.field("loadBalancerIP").isSet) warnings.push("spec.loadBalancerIP is ignored for headless services");
    if (spec.field("externalIPs").isSet) warnings.push("spec.externalIPs is ignored for headless services");
    if (spec.field("sessionAffinity").text !== "None") {
      warnings.push("spec.SessionAffinity is ignored for headless services");
    }
  } else if (spec.field("externalIPs").isSet) {
    warnings.push("spec.externalIPs is deprecated and may no longer be implemented in some clusters");
  }
  if (spec.field("externalName").isSet && spec.field("type").text !== "ExternalName") {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (distribution === "PreferClose") {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return warnings;
}

function secretWarnings(at: Place): string[] {
  if (at.field("type").text !== "kubernetes.io/tls" || !isObject(at.field("data").value)) return [];
  const certificate = at.field("data").key("tls.crt").text;
  return /-----BEGIN CERTIFICATE-----/.test(atob(certificate))
    ? []
    : ["tls: failed to find any PEM data in certificate input"];
}
