import { isIP } from "node:net";
import { cidrFaults, isWithin } from "./addresses.ts";
import { dnsSubdomain, faultsOf, labelSelector, portNameFaults, portNumber } from "./names.ts";
import { each, fields, oneOf, type Place, present, required, type Rule } from "./place.ts";

/** Ingresses and NetworkPolicies, by networking's validation. */

const PATH_TYPES = ["Exact", "ImplementationSpecific", "Prefix"];
const PATH_PARTS = ["//", "/./", "/../", "%2f", "%2F"], PATH_ENDS = ["/..", "/."];
const CLASS_PATH_MAX = 250;

function backend(at: Place): void {
  const service = at.field("service"), resource = at.field("resource");
  if (resource.isPresent && service.isPresent) return at.invalid("cannot set both resource and service backends", "");
  if (resource.isPresent) return fields({ kind: required(), name: required() })(resource) as void;
  if (!service.isPresent) return at.invalid("resource or service backend is required", "");
  const name = service.field("name"), port = service.field("port");
  if (name.isSet) faultsOf("dnsLabel", name.text).forEach((fault) => name.invalid(fault));
  else name.required();
  const number = port.field("number"), portName = port.field("name");
  if (portName.isSet && number.isSet) at.invalid("cannot set both port name & port number", "");
  else if (portName.isSet) portNameFaults(portName.text).forEach((fault) => portName.invalid(fault));
  else if (number.isSet) portNumber(number);
  else at.required("port name or number is required");
}

const WILDCARD = "\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";

/** A host name, or one whose first label is `*`. */
function host(at: Place): void {
  if (isIP(at.text) !== 0) return at.invalid("must be a DNS name, not an IP address");
  if (!at.text.includes("*")) return dnsSubdomain(at);
  if (new RegExp(`^${WILDCARD}$`).test(at.text)) return;
  at.invalid(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of " +
      "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', " +
      `regex used for validation is '${WILDCARD}')`,
  );
}

function path(at: Place): void {
  const type = at.field("pathType"), text = at.field("path");
  if (!type.isPresent) return type.required("pathType must be specified");
  if (type.text === "Exact" || type.text === "Prefix") {
    if (!text.text.startsWith("/")) text.invalid("must be an absolute path", text.text);
    for (const part of PATH_PARTS) if (text.text.includes(part)) text.invalid(`must not contain '${part}'`);
    for (const end of PATH_ENDS) if (text.text.endsWith(end)) text.invalid(`cannot end with '${end}'`);
  } else if (type.text !== "ImplementationSpecific") type.unsupported(PATH_TYPES);
  else if (text.isSet && !text.text.startsWith("/")) text.invalid("must be an absolute path");
}

/** Ingresses, by ValidateIngressSpec. */
export function ingress(at: Place): void {
  const spec = at.field("spec"), rules = spec.field("rules");
  if (rules.items.length === 0 && !spec.field("defaultBackend").isPresent) {
    spec.invalid("either `defaultBackend` or `rules` must be specified", rules.value ?? null);
  }
  fields({
    defaultBackend: present(backend),
    tls: each(fields({
      hosts: each((name) => name.text.includes("*") ? host(name) : dnsSubdomain(name)),
      secretName: (name) => name.isSet && dnsSubdomain(name),
    })),
    ingressClassName: present(dnsSubdomain),
  })(spec);
  for (const rule of rules.items) {
    const name = rule.field("host"), http = rule.field("http");
    if (name.isSet) host(name);
    if (!http.isPresent) continue;
    if (http.field("paths").items.length === 0) http.field("paths").required();
    for (const item of http.field("paths").items) {
      path(item);
      backend(item.field("backend"));
    }
  }
}

function domainPath(at: Place): void {
  const [domain = "", ...rest] = at.text.split("/");
  if (rest.length === 0 || rest.join("/") === "") at.invalid('must be a domain-prefixed path (such as "acme.io/foo")');
  else faultsOf("dnsSubdomain", domain).forEach((fault) => at.invalid(fault, domain));
}

/** IngressClasses. */
export function ingressClass(at: Place): void {
  const controller = at.field("spec").field("controller"), parameters = at.field("spec").field("parameters");
  if (!controller.isSet) controller.required();
  else if (controller.text.length > CLASS_PATH_MAX) controller.tooLong(CLASS_PATH_MAX);
  else domainPath(controller);
  if (at.isUpdate && controller.isChanged) controller.invalid("field is immutable");
  if (!parameters.isPresent) return;
  const scope = parameters.field("scope"), namespace = parameters.field("namespace");
  fields({ kind: required(), name: required() })(parameters);
  if (!scope.isPresent) scope.required();
  else if (scope.text === "Namespace" && !namespace.isPresent) {
    namespace.required("`parameters.scope` is set to 'Namespace'");
  } else if (scope.text === "Cluster" && namespace.isPresent) {
    namespace.forbidden("`parameters.scope` is set to 'Cluster'");
  } else oneOf("Cluster", "Namespace")(scope);
}

const PROTOCOLS = ["TCP", "UDP", "SCTP"];

function policyPort(at: Place): void {
  const port = at.field("port"), end = at.field("endPort"), protocol = at.field("protocol");
  if (protocol.isPresent && !PROTOCOLS.includes(protocol.text)) protocol.unsupported(PROTOCOLS);
  if (typeof port.value === "string") portNameFaults(port.text).forEach((fault) => port.invalid(fault));
  else if (port.isPresent) portNumber(port);
  if (!end.isPresent) return;
  if (!port.isPresent) end.invalid("must not be specified when `port` is not specified");
  else if (typeof port.value === "string") end.invalid("may not be specified when `port` is non-numeric");
  else if (end.number < port.number) end.invalid("must be greater than or equal to `port`");
  else portNumber(end);
}

function peer(at: Place): void {
  const pods = at.field("podSelector"), namespaces = at.field("namespaceSelector"), block = at.field("ipBlock");
  const given = [pods, namespaces, block].filter((place) => place.isPresent);
  labelSelector(pods);
  labelSelector(namespaces);
  if (block.isPresent) ipBlock(block);
  if (given.length === 0) at.required("must specify a peer");
  else if (given.length > 1 && block.isPresent) at.forbidden("may not specify both ipBlock and another peer");
}

function ipBlock(at: Place): void {
  const cidr = at.field("cidr");
  if (!cidr.isSet) return cidr.required();
  const faults = cidrFaults(cidr.text);
  faults.forEach((fault) => cidr.invalid(fault));
  for (const except of at.field("except").items) {
    const own = cidrFaults(except.text);
    own.forEach((fault) => except.invalid(fault));
    if (own.length + faults.length === 0 && !isWithin(except.text, cidr.text)) {
      except.invalid("must be a strict subset of `cidr`");
    }
  }
}

const POLICY_TYPES = ["Ingress", "Egress"];

/** NetworkPolicies, by ValidateNetworkPolicySpec. */
export function networkPolicy(at: Place): void {
  const spec = at.field("spec"), types = spec.field("policyTypes");
  labelSelector(spec.field("podSelector"));
  for (const [direction, peers] of [["ingress", "from"], ["egress", "to"]] as const) {
    spec.field(direction).items.forEach(fields({ ports: each(policyPort), [peers]: each(peer) }) as Rule);
  }
  if (types.items.length > POLICY_TYPES.length) {
    types.invalid("may not specify more than two policyTypes");
  }
  for (const type of types.items) if (!POLICY_TYPES.includes(type.text)) type.unsupported(POLICY_TYPES);
}
