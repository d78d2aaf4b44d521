import {
  dnsLabel,
  dnsSubdomain,
  faultsOf,
  labels,
  labelSelector,
  labelValueFaults,
  qualifiedName,
  qualifiedNameFaults,
} from "./names.ts";
import { ipFaults } from "./addresses.ts";
import { container, ending, longRunning, mountPropagation, type PodFacts } from "./containers.ts";
import { all, each, fields, nonNegative, oneOf, type Place, present, type Rule, set, within } from "./place.ts";
import { quantity } from "./quantities.ts";
import { nodeSelector, nodeSelectorTerm } from "./node_selector.ts";
import { podSecurityContext } from "./security.ts";
import { podVolumes } from "./volumes.ts";

/** Pods and their templates, by core's ValidatePodSpec. */

const WEIGHT_MAX = 100, DEADLINE_MAX = 2 ** 31 - 1;
const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/** A pod's spec; `isPod` is false in templates. */
export function podSpec(at: Place, isPod: boolean): void {
  const facts: PodFacts = {
    volumes: podVolumes(at.field("volumes")),
    claims: new Set(at.field("resourceClaims").items.map((claim) => claim.field("name").text)),
    gracePeriodSeconds: at.field("terminationGracePeriodSeconds").number,
    isPod,
  };
  containers(at, facts);
  hostNetworkPorts(at, isPod);
  SPEC(at);
  if (at.field("dnsPolicy").text === "None") ownDns(at.field("dnsConfig"));
}

const SPEC: Rule = fields({
  restartPolicy: oneOf("Always", "OnFailure", "Never"),
  dnsPolicy: oneOf("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
  nodeSelector: labels,
  securityContext: present(podSecurityContext),
  affinity: present(affinity),
  "dnsConfig.nameservers": each((at) => ipFaults(at.text).forEach((fault) => at.invalid(fault, at.text))),
  "dnsConfig.searches": each(searchDomain),
  readinessGates: each(fields({ conditionType: qualifiedName })),
  schedulingGates,
  topologySpreadConstraints,
  serviceAccountName: set(dnsSubdomain),
  nodeName: set(dnsSubdomain),
  activeDeadlineSeconds: present(within(1, DEADLINE_MAX)),
  hostname: set(dnsLabel),
  hostnameOverride: present(dnsSubdomain),
  subdomain: set(dnsLabel),
  tolerations: each(toleration),
  hostAliases: each(fields({
    ip: (at) => ipFaults(at.text).forEach((fault) => at.invalid(fault, at.text)),
    hostnames: each(dnsSubdomain),
  })),
  priorityClassName: set(dnsSubdomain),
  runtimeClassName: present(dnsSubdomain),
  preemptionPolicy: present(oneOf("Never", "PreemptLowerPriority")),
  overhead: (at: Place) => at.keys.forEach((name) => quantity(at.key(name))),
  os: present((at) => {
    const name = at.field("name").text;
    if (name !== "linux" && name !== "windows") at.unsupported(["linux", "windows"], name);
  }),
});

function containers(at: Place, facts: PodFacts): void {
  const list = at.field("containers"), inits = at.field("initContainers"), names = new Set<string>();
  const common = all(container(facts), mountPropagation);
  if (list.items.length === 0) list.required();
  for (const item of list.items) {
    common(item);
    longRunning(facts)(item);
    uniqueName(item, names);
  }
  hostPortConflicts(list.items, list);
  for (const item of inits.items) {
    common(item);
    uniqueName(item, names);
    hostPortConflicts([item], inits);
    if (item.field("restartPolicy").text === "Always") longRunning(facts)(item);
    else ending(item);
  }
  const ephemeral = at.field("ephemeralContainers");
  if (ephemeral.items.length > 0 && !at.isUpdate) {
    ephemeral.forbidden(facts.isPod ? "cannot be set on create" : "ephemeral containers not allowed in pod template");
  }
}

function uniqueName(item: Place, names: Set<string>): void {
  const name = item.field("name");
  if (!name.isSet) return;
  if (names.has(name.text)) name.duplicate();
  names.add(name.text);
}

function hostPortConflicts(list: readonly Place[], at: Place): void {
  const used = new Set<string>();
  for (const item of list) {
    for (const port of item.field("ports").items) {
      const number = port.field("hostPort");
      if (!number.isSet) continue;
      const key = `${port.field("protocol").text}/${port.field("hostIP").text}/${number.number}`;
      if (used.has(key)) number.renamed(`${at.path}[${item.path.match(/\[(\d+)\]$/)![1]}].ports`).duplicate(key);
      used.add(key);
    }
  }
}

function hostNetworkPorts(at: Place, isPod: boolean): void {
  if (at.field("hostNetwork").value !== true) return;
  for (const port of at.field("containers").items.flatMap((item) => item.field("ports").items)) {
    const host = port.field("hostPort"), own = port.field("containerPort");
    if ((isPod || host.number !== 0) && host.number !== own.number) {
      host.invalid("must match `containerPort` when `hostNetwork` is true", host.number);
    }
  }
}

function ownDns(at: Place): void {
  if (!at.isPresent) at.required("must provide `dnsConfig` when `dnsPolicy` is None");
  else if (!at.field("nameservers").isSet) {
    at.field("nameservers").required("must provide at least one DNS nameserver when `dnsPolicy` is None");
  }
}

function searchDomain(at: Place): void {
  if (at.text === ".") return;
  for (const fault of faultsOf("dnsSubdomainWithUnderscores", at.text.replace(/\.$/, ""))) at.invalid(fault);
}

function schedulingGates(at: Place): void {
  const names = new Set<string>();
  for (const gate of at.items) {
    const name = gate.field("name").text;
    for (const fault of qualifiedNameFaults(name)) gate.invalid(fault, name);
    if (names.has(name)) gate.duplicate(name);
    names.add(name);
  }
}

const UNSATISFIABLE = ["DoNotSchedule", "ScheduleAnyway"];

function topologySpreadConstraints(at: Place): void {
  const kinds = at.items.map((item) => `{${item.field("topologyKey").text}, ${item.field("whenUnsatisfiable").text}}`);
  for (const [index, item] of at.items.entries()) {
    const skew = item.field("maxSkew"), key = item.field("topologyKey"), when = item.field("whenUnsatisfiable");
    if (skew.number <= 0) skew.invalid("must be greater than zero", skew.number);
    if (!key.isSet) key.required("can not be empty");
    else qualifiedName(key);
    if (!UNSATISFIABLE.includes(when.text)) when.unsupported(UNSATISFIABLE, when.text);
    if (kinds.indexOf(kinds[index]!, index + 1) >= 0) {
      item.field("{topologyKey, whenUnsatisfiable}").duplicate(kinds[index]);
    }
    const domains = item.field("minDomains");
    if (domains.isPresent && domains.number <= 0) domains.invalid("must be greater than 0", domains.number);
    if (domains.isPresent && when.text !== "DoNotSchedule") {
      domains.invalid(`can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${when.text}`, domains.number);
    }
    labelSelector(item.field("labelSelector"));
    for (const policy of ["nodeAffinityPolicy", "nodeTaintsPolicy"]) {
      present(oneOf("Honor", "Ignore"))(item.field(policy));
    }
  }
}

function toleration(at: Place): void {
  const key = at.field("key"), operator = at.field("operator"), effect = at.field("effect"), value = at.field("value");
  if (key.isSet) qualifiedName(key);
  else if (operator.text !== "Exists") {
    operator.invalid(
      'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      operator.text,
    );
  }
  if (at.field("tolerationSeconds").isPresent && effect.text !== "NoExecute") {
    effect.invalid("effect must be 'NoExecute' when `tolerationSeconds` is set", effect.text);
  }
  if (operator.text === "Equal" || operator.text === "") {
    const faults = labelValueFaults(value.text);
    if (faults.length > 0) operator.invalid(faults.join(";"), value.text);
  } else if (operator.text === "Exists") {
    if (value.isSet) operator.invalid("value must be empty when `operator` is 'Exists'", value.text);
  } else operator.unsupported(["Equal", "Exists"], operator.text);
  if (effect.isSet && !EFFECTS.includes(effect.text)) effect.unsupported(EFFECTS);
}

function weight(at: Place): void {
  const { number } = at;
  if (number <= 0 || number > WEIGHT_MAX) at.invalid("must be in the range 1-100", number);
}

function podAffinityTerm(at: Place): void {
  const key = at.field("topologyKey");
  labelSelector(at.field("labelSelector"));
  labelSelector(at.field("namespaceSelector"));
  for (const name of at.field("namespaces").items) {
    for (const fault of faultsOf("dnsLabel", name.text)) at.field("namespace").invalid(fault, name.text);
  }
  if (!key.isSet) key.required("can not be empty");
  for (const fault of qualifiedNameFaults(key.text)) key.invalid(fault, key.text);
}

const POD_AFFINITY: Rule = fields({
  requiredDuringSchedulingIgnoredDuringExecution: each(podAffinityTerm),
  preferredDuringSchedulingIgnoredDuringExecution: each(fields({ weight, podAffinityTerm })),
});

function affinity(at: Place): void {
  fields({
    "nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution": present(nodeSelector),
    "nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution": each(
      fields({ weight, preference: nodeSelectorTerm }),
    ),
    podAffinity: POD_AFFINITY,
    podAntiAffinity: POD_AFFINITY,
  })(at);
}

/** The template of a workload. */
export function podTemplate(at: Place): void {
  labels(at.field("metadata").field("labels").renamed(`${at.path}.labels`));
  podSpec(at.field("spec"), false);
}

const UPDATABLE = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
];

/** A pod, by ValidatePodCreate and ValidatePodUpdate. */
export function pod(at: Place): void {
  const spec = at.field("spec");
  podSpec(spec, true);
  if (!spec.field("serviceAccountName").isSet) {
    // Templates may get an account later.
    for (const source of spec.field("volumes").items.flatMap((one) => one.field("projected").field("sources").items)) {
      const token = source.field("serviceAccountToken");
      if (token.isPresent) token.forbidden("must not be specified when serviceAccountName is not set");
    }
  }
  nonNegative(spec.field("terminationGracePeriodSeconds"));
  if (at.isUpdate) podUpdate(spec);
}

function podUpdate(at: Place): void {
  for (const list of ["containers", "initContainers"]) {
    if (at.field(list).items.length !== formerLength(at.field(list))) {
      at.field(list).forbidden(`pod updates may not add or remove ${list === "containers" ? "" : "init "}containers`);
      return;
    }
  }
  const deadline = at.field("activeDeadlineSeconds");
  if (deadline.isChanged && typeof deadline.old === "number") {
    if (!deadline.isPresent) deadline.invalid("must not update from a positive integer to nil value", deadline.old);
    else if (deadline.number > deadline.old) {
      deadline.invalid("must be less than or equal to previous value", deadline.number);
    }
  }
  tolerationsUpdate(at.field("tolerations"));
  if (isMunged(at)) at.forbidden(`pod updates may not change fields other than ${UPDATABLE.join(",")}`);
}

function formerLength({ old }: Place): number {
  return Array.isArray(old) ? old.length : 0;
}

/** Tolerations may be added, and tolerate for another time. */
function tolerationsUpdate(at: Place): void {
  const former = Array.isArray(at.old) ? at.old : [];
  const withoutSeconds = (one: unknown) => JSON.stringify({ ...one as object, tolerationSeconds: undefined });
  const kept = new Set(at.items.map(({ value }) => withoutSeconds(value)));
  if (former.some((one) => !kept.has(withoutSeconds(one)))) {
    at.forbidden("existing toleration can not be modified except its tolerationSeconds");
  }
}

/** Something else was changed too. */
function isMunged(at: Place): boolean {
  const changed = at.changedFields.filter((field) => field !== "activeDeadlineSeconds" && field !== "tolerations");
  return changed.some((field) => {
    if (field === "terminationGracePeriodSeconds") {
      return !(at.field(field).number === 1 && Number(at.field(field).old) < 0);
    }
    if (field !== "containers" && field !== "initContainers") return true;
    return at.field(field).items.some((item) => item.changedFields.some((name) => name !== "image"));
  });
}
