import { isObject } from "../../base/mod.ts";
import { cidrFaults } from "./addresses.ts";
import { dnsLabel, dnsSubdomain, faultsOf, qualifiedNameFaults } from "./names.ts";
import { fields, oneOf, type Place, present, required } from "./place.ts";

/** Kinds of the cluster and of its parts: leases, classes, nodes, namespaces, requests for certificates. */

/** Leases, by ValidateLeaseSpec. */
export function lease(at: Place): void {
  const seconds = at.field("spec").field("leaseDurationSeconds"),
    transitions = at.field("spec").field("leaseTransitions");
  if (seconds.isPresent && seconds.number <= 0) seconds.invalid("must be greater than 0");
  if (transitions.isPresent && transitions.number < 0) transitions.invalid("must be greater than or equal to 0");
}

const USER_PRIORITY_MAX = 1_000_000_000, SYSTEM_CLASSES = ["system-node-critical", "system-cluster-critical"];

/** PriorityClasses. */
export function priorityClass(at: Place): void {
  const name = at.field("metadata").field("name"), value = at.field("value"), policy = at.field("preemptionPolicy");
  const policies = ["PreemptLowerPriority", "Never"], isSystem = SYSTEM_CLASSES.includes(name.text);
  if (name.text.startsWith("system-") && !isSystem) {
    name.forbidden(
      "priority class names with 'system-' prefix are reserved for system use only. error: " +
        `${name.text} is not a known system priority class`,
    );
  } else if (!isSystem && value.number > USER_PRIORITY_MAX) {
    value.forbidden(`maximum allowed value of a user defined priority is ${USER_PRIORITY_MAX}`);
  }
  if (policy.isPresent && !policies.includes(policy.text)) policy.unsupported(policies);
  if (!at.isUpdate) return;
  if (value.isChanged) value.forbidden("may not be changed in an update.");
  if (policy.isChanged) policy.invalid("field is immutable");
}

/** RuntimeClasses. */
export function runtimeClass(at: Place): void {
  const handler = at.field("handler");
  if (handler.isSet) dnsLabel(handler);
  else handler.required();
  if (at.isUpdate && handler.isChanged) handler.invalid("field is immutable", null);
}

/** Namespaces: who has to finish before one goes. */
export function namespace(at: Place): void {
  for (const finalizer of at.field("spec").field("finalizers").items) {
    const faults = qualifiedNameFaults(finalizer.text);
    faults.forEach((fault) => finalizer.renamed("spec.finalizers").invalid(fault, finalizer.text));
    if (faults.length === 0 && !finalizer.text.includes("/") && finalizer.text !== "kubernetes") {
      finalizer.renamed("spec.finalizers").invalid(
        "name is neither a standard finalizer name nor is it fully qualified",
        finalizer.text,
      );
    }
  }
}

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/** Nodes: taints and addresses of pods. */
export function node(at: Place): void {
  const spec = at.field("spec"), list = spec.field("podCIDRs"), first = spec.field("podCIDR");
  for (const taint of spec.field("taints").renamed("metadata.taints").items) {
    const key = taint.field("key"), effect = taint.field("effect");
    for (const fault of qualifiedNameFaults(key.text)) key.invalid(fault);
    if (!effect.isSet) effect.required();
    else if (!EFFECTS.includes(effect.text)) effect.unsupported(EFFECTS);
  }
  const blocks = list.items.length > 0 ? list.items : first.isSet ? [first.renamed("spec.podCIDRs[0]")] : [];
  for (const block of blocks) for (const fault of cidrFaults(block.text)) block.invalid(fault);
}

const USAGES = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
];

/** CertificateSigningRequests. */
export function certificateSigningRequest(at: Place): void {
  const spec = at.field("spec"), request = spec.field("request"), usages = spec.field("usages");
  const signer = spec.field("signerName");
  if (!isRequestPem(request.text)) request.invalid("PEM block type must be CERTIFICATE REQUEST", request.value ?? null);
  if (!usages.isSet) usages.required();
  const seen = new Set<string>();
  for (const usage of usages.items) {
    if (!USAGES.includes(usage.text)) usage.unsupported(USAGES);
    if (seen.has(usage.text)) usage.duplicate();
    seen.add(usage.text);
  }
  if (!signer.isSet) return signer.required();
  const [domain = "", path = ""] = signer.text.split("/");
  if (path === "" || faultsOf("dnsSubdomain", domain).length > 0 || !domain.includes(".")) {
    signer.invalid("must be a fully qualified domain and path of the form 'example.com/signer-name'");
  }
}

function isRequestPem(base64: string): boolean {
  try {
    return /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----/.test(atob(base64));
  } catch {
    return false;
  }
}

const GROUP_PRIORITY_MAX = 20_000, VERSION_PRIORITY_MAX = 1_000;

/** APIServices, by ValidateAPIService. */
export function apiService(at: Place): void {
  const spec = at.field("spec"), name = at.field("metadata").field("name");
  const expected = `${spec.field("version").text}.${spec.field("group").text}`;
  if (name.text !== expected) name.invalid(`must be \`spec.version+"."+spec.group\`: "${expected}"`);
  for (
    const [field, max] of [["groupPriorityMinimum", GROUP_PRIORITY_MAX], [
      "versionPriority",
      VERSION_PRIORITY_MAX,
    ]] as const
  ) {
    const place = spec.field(field);
    if (place.number <= 0 || place.number > max) place.invalid(`must be positive and less than ${max}`, place.number);
  }
  const service = spec.field("service");
  if (service.isPresent) fields({ namespace: required(), name: required() })(service);
  if (spec.field("insecureSkipTLSVerify").value === true && spec.field("caBundle").isSet) {
    spec.field("insecureSkipTLSVerify").invalid("may not be true if caBundle is present");
  }
}

const PRECEDENCE_MAX = 10_000;

/** FlowSchemas. */
export function flowSchema(at: Place): void {
  const spec = at.field("spec"),
    precedence = spec.field("matchingPrecedence"),
    method = spec.field("distinguisherMethod");
  const level = spec.field("priorityLevelConfiguration").field("name");
  if (precedence.number < 0) precedence.invalid("must be a positive value");
  else if (precedence.number > PRECEDENCE_MAX) precedence.invalid(`must not be greater than ${PRECEDENCE_MAX}`);
  if (method.isPresent && !["ByNamespace", "ByUser"].includes(method.field("type").text)) {
    method.field("type").unsupported(["ByNamespace", "ByUser"], method.value);
  }
  if (!level.isSet) level.required("must reference a priority level");
  else dnsSubdomain(level);
}

/** PriorityLevelConfigurations. */
export function priorityLevel(at: Place): void {
  const spec = at.field("spec"), type = spec.field("type"), limited = spec.field("limited");
  const name = at.field("metadata").field("name").text;
  if (type.text === "Exempt" !== (name === "exempt")) {
    type.invalid("must be 'Exempt' if and only if `name` is 'exempt'");
  }
  if (type.text === "Limited") {
    if (!limited.isPresent) limited.required();
  } else if (type.text === "Exempt") {
    if (limited.isPresent) limited.forbidden("");
  } else {
    type.unsupported(["Exempt", "Limited"], type.text);
    if (limited.isPresent) limited.forbidden("");
  }
  if (!limited.isPresent) return;
  const shares = limited.field("nominalConcurrencyShares"), response = limited.field("limitResponse").field("type");
  if (shares.number < 0) shares.invalid("must be a non-negative integer");
  if (!response.isSet) response.required();
  else oneOf("Queue", "Reject")(response);
}

/** CSIDrivers. */
export function csiDriver(at: Place): void {
  const policies = ["File", "None", "ReadWriteOnceWithFSType"];
  present(oneOf(...policies))(at.field("spec").field("fsGroupPolicy"));
}

/** Events of core/v1 and events.k8s.io/v1; old clients write what new ones may not. */
export function event(at: Place): void {
  const isNew = at.field("apiVersion").text.startsWith("events.k8s.io/");
  const about = at.field(isNew ? "regarding" : "involvedObject").field("namespace");
  const own = at.field("metadata").field("namespace").text;
  const isStrict = isNew ? !at.isUpdate : isObject(at.value) && Boolean(at.value.eventTime);
  const mismatch = about.text === "" ? own !== "default" : about.text !== own;
  if (mismatch) about.renamed("involvedObject.namespace").invalid("does not match event.namespace", about.text);
  if (isStrict) newEvent(at, isNew);
}

const TEXT_MAX = 128, NOTE_MAX = 1_024;

function newEvent(at: Place, isNew: boolean): void {
  const controller = at.field(isNew ? "reportingController" : "reportingComponent");
  const time = at.field("eventTime"), type = at.field("type");
  if (!time.isSet) time.required();
  if (!controller.isSet) controller.required();
  for (const fault of qualifiedNameFaults(controller.text)) controller.invalid(fault, controller.text);
  const texts = [at.field("reportingInstance"), at.field("action"), at.field("reason")];
  for (const text of texts) {
    if (!text.isSet) text.required();
    if (text.text.length > TEXT_MAX) text.invalid(`can have at most ${TEXT_MAX} characters`, "");
  }
  const note = at.field(isNew ? "note" : "message");
  if (note.text.length > NOTE_MAX) note.renamed("message").invalid(`can have at most ${NOTE_MAX} characters`, "");
  if (type.text !== "Normal" && type.text !== "Warning") type.invalid(`has invalid value: ${type.text}`, "");
}
