import { compareQuantities, parseQuantity } from "../../apimachinery/mod.ts";
import {
  configKeyFaults,
  dnsLabel,
  dnsSubdomain,
  portNameFaults,
  portNumber,
  portNumberOrName,
  qualifiedNameFaults,
} from "./names.ts";
import { each, fields, nonNegative, oneOf, type Place, present, required, type Rule, set, within } from "./place.ts";
import { resourceQuantities } from "./quantities.ts";
import { apparmorProfile, seccompProfile } from "./security.ts";

/** Containers, by core's validateContainerCommon. */

/** What a container's rules depend on. */
export interface PodFacts {
  /** By name: the source's field, such as `configMap`. */
  readonly volumes: ReadonlyMap<string, string>;
  readonly claims: ReadonlySet<string>;
  readonly gracePeriodSeconds: number;
  readonly isPod: boolean;
}

const PULL_POLICIES = ["Always", "IfNotPresent", "Never"], PROTOCOLS = ["SCTP", "TCP", "UDP"];
const USER_ID_MAX = 2_147_483_647;

/** Rules of every container; the caller adds those of its list. */
export function container(facts: PodFacts): Rule {
  return fields({
    name: (at) => at.isSet ? dnsLabel(at) : at.required(),
    image: facts.isPod ? trimmedImage : required(),
    terminationMessagePolicy: oneOf("File", "FallbackToLogsOnError"),
    ports: containerPorts,
    env: each(fields({ name: envName }), envValueFrom),
    envFrom,
    volumeMounts: (at) => volumeMounts(at, facts),
    volumeDevices: (at) => volumeDevices(at, facts),
    imagePullPolicy: oneOf(...PULL_POLICIES),
    resources: (at) => containerResources(at, facts),
    resizePolicy,
    restartPolicy: set(oneOf("Always", "Never", "OnFailure")),
    securityContext: present(securityContext),
  });
}

function trimmedImage(at: Place): void {
  if (!at.isSet) at.required();
  else if (at.text !== at.text.trim()) at.invalid("must not have leading or trailing whitespace");
}

function containerPorts(at: Place): void {
  const names = new Set<string>();
  for (const port of at.items) {
    const name = port.field("name"), faults = name.isSet ? portNameFaults(name.text) : [];
    faults.forEach((fault) => name.invalid(fault));
    if (name.isSet && faults.length === 0) {
      if (names.has(name.text)) name.duplicate();
      names.add(name.text);
    }
    const number = port.field("containerPort");
    if (number.isSet) portNumber(number);
    else number.required();
    if (port.field("hostPort").isSet) portNumber(port.field("hostPort"));
    oneOf(...PROTOCOLS)(port.field("protocol"));
  }
}

function envName(at: Place): void {
  if (!at.isSet) return at.required();
  for (const fault of envNameFaults(at.text)) at.invalid(fault);
}

function envNameFaults(name: string): string[] {
  return /^[ -<>-~]+$/.test(name)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

const ENV_FIELDS = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
const RESOURCES = ["cpu", "ephemeral-storage", "memory"];
const RESOURCE_FIELDS = ["limits", "requests"].flatMap((part) => RESOURCES.map((name) => `${part}.${name}`));

function envValueFrom(at: Place): void {
  const from = at.field("valueFrom");
  if (!from.isPresent) return;
  const sources = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"]
    .map((name) => from.field(name)).filter((source) => source.isPresent);
  fields({
    fieldRef: present((ref) => fieldRef(ref, ENV_FIELDS)),
    resourceFieldRef: present((ref) => resourceFieldRef(ref)),
    configMapKeyRef: present(keySelector),
    secretKeyRef: present(keySelector),
  })(from);
  if (sources.length === 0) {
    from.invalid(
      "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
      "",
    );
  } else if (at.field("value").isSet) from.invalid("may not be specified when `value` is not empty", "");
  else if (sources.length > 1) from.invalid("may not have more than one field specified at a time", "");
}

/** Labels that core's ConvertDownwardAPIFieldLabel knows. */
const KNOWN_FIELDS = new Set([
  ...ENV_FIELDS,
  "metadata.annotations",
  "metadata.labels",
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
]);

/** A field of the pod: `metadata.labels['app']`, or one of `supported`. */
export function fieldRef(at: Place, supported: readonly string[]): void {
  const path = at.field("fieldPath");
  if (!path.isSet) return path.required();
  const [, base, key] = /^(metadata\.(?:annotations|labels))\['(.*)'\]$/.exec(path.text) ?? [];
  if (base !== undefined) {
    const text = base === "metadata.annotations" ? key!.toLowerCase() : key!;
    for (const fault of qualifiedNameFaults(text)) at.invalid(fault, text);
  } else if (!KNOWN_FIELDS.has(path.text)) {
    path.invalid(`error converting fieldPath: field label not supported: ${path.text}`);
  } else if (!supported.includes(path.text)) path.unsupported(supported);
}

/** A resource of a container, which volumes have to name. */
export function resourceFieldRef(at: Place, ofVolume: boolean = false): void {
  const resource = at.field("resource");
  if (ofVolume && !at.field("containerName").isSet) at.field("containerName").required();
  else if (!resource.isSet) resource.required();
  else if (!RESOURCE_FIELDS.includes(resource.text) && !/^(?:limits|requests)\.hugepages-/.test(resource.text)) {
    resource.unsupported(RESOURCE_FIELDS);
  }
}

function keySelector(at: Place): void {
  const name = at.field("name"), key = at.field("key");
  // Old clients leave the name out; the kubelet refuses it then.
  if (name.isSet) dnsSubdomain(name);
  else name.required();
  if (!key.isSet) key.required();
  else configKeyFaults(key.text).forEach((fault) => key.invalid(fault));
}

function envFrom(at: Place): void {
  for (const item of at.items) {
    const prefix = item.field("prefix");
    if (prefix.isSet) envNameFaults(prefix.text).forEach((fault) => prefix.invalid(fault));
    const sources = [item.field("configMapRef"), item.field("secretRef")].filter((source) => source.isPresent);
    for (const source of sources) {
      const name = source.field("name");
      if (name.isSet) dnsSubdomain(name);
      else name.required();
    }
    if (sources.length === 0) at.invalid("must specify one of: `configMapRef` or `secretRef`", "");
    else if (sources.length > 1) at.invalid("may not have more than one field specified at a time", "");
  }
}

/** A path below a volume. */
export function descendingPath(at: Place, text: string = at.text): void {
  if (text.startsWith("/")) at.invalid("must be a relative path", text);
  if (text.split("/").includes("..")) at.invalid("must not contain '..'", text);
}

function volumeMounts(at: Place, { volumes }: PodFacts): void {
  const paths = new Set<string>();
  for (const mount of at.items) {
    const name = mount.field("name"), path = mount.field("mountPath");
    if (!name.isSet) name.required();
    if (!volumes.has(name.text)) name.notFound(name.text);
    if (!path.isSet) path.required();
    if (paths.has(path.text)) path.invalid("must be unique");
    paths.add(path.text);
    const subPath = mount.field("subPath"), expression = mount.field("subPathExpr");
    // kube-apiserver names the list, not the item.
    if (subPath.isSet) descendingPath(at.field("subPath"), subPath.text);
    if (expression.isSet) {
      if (subPath.isSet) expression.invalid("subPathExpr and subPath are mutually exclusive");
      descendingPath(at.field("subPathExpr"), expression.text);
    }
  }
}

const PROPAGATIONS = ["Bidirectional", "HostToContainer", "None"];

/** Mount propagation depends on the container around. */
export function mountPropagation(at: Place): void {
  const mounts = at.field("volumeMounts");
  const isPrivileged = at.field("securityContext").field("privileged").value === true;
  for (const mount of mounts.items) {
    const propagation = mount.field("mountPropagation"), named = mounts.field("mountPropagation");
    if (!propagation.isPresent) continue;
    if (!PROPAGATIONS.includes(propagation.text)) named.unsupported(PROPAGATIONS, propagation.text);
    else if (propagation.text === "Bidirectional" && !isPrivileged) {
      named.forbidden("Bidirectional mount propagation is available only to privileged containers");
    }
  }
}

function volumeDevices(at: Place, { volumes }: PodFacts): void {
  for (const device of at.items) {
    const name = device.field("name"), path = device.field("devicePath"), source = volumes.get(name.text);
    if (!name.isSet) name.required();
    if (source === undefined) name.notFound(name.text);
    else if (source !== "persistentVolumeClaim" && source !== "ephemeral") {
      name.invalid("can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
    }
    if (!path.isSet) path.required();
    else descendingPath(path, path.text.replace(/^\//, ""));
  }
}

function containerResources(at: Place, { claims }: PodFacts): void {
  const limits = at.field("limits"), requests = at.field("requests");
  resourceQuantities(limits);
  resourceQuantities(requests);
  for (const name of requests.keys) requestWithinLimit(name, requests, limits);
  const names = [...limits.keys, ...requests.keys];
  if (names.some((name) => name.startsWith("hugepages-")) && !names.includes("cpu") && !names.includes("memory")) {
    at.forbidden("HugePages require cpu or memory");
  }
  for (const claim of at.field("claims").items) {
    const name = claim.field("name");
    if (!name.isSet) name.required();
    else if (!claims.has(name.text)) {
      const known = [...claims].join(", ");
      const why = claims.size === 0 ? "which is empty" : `which are ${known}`;
      claim.notFound(name.text, `must be one of the names in pod.spec.resourceClaims ${why}`);
    }
  }
}

function requestWithinLimit(name: string, requests: Place, limits: Place): void {
  const asked = requests.key(name), limit = limits.key(name);
  const isWhole = name.includes("/") && !name.includes("kubernetes.io/") || name.startsWith("hugepages-");
  if (!limit.isPresent) {
    if (isWhole) limits.required("Limit must be set for non overcommitable resources");
    return;
  }
  const [left, right] = [parseQuantity(String(asked.value)), parseQuantity(String(limit.value))];
  if (!left || !right) return;
  const order = compareQuantities(left, right);
  if (isWhole && order !== 0) requests.invalid(`must be equal to ${name} limit of ${limit.text}`, asked.value);
  else if (order > 0) requests.invalid(`must be less than or equal to ${name} limit of ${limit.text}`, asked.value);
}

function resizePolicy(at: Place): void {
  const names = new Set<string>(), supported = ["NotRequired", "RestartContainer"];
  for (const policy of at.items) {
    const name = policy.field("resourceName"), restart = policy.field("restartPolicy");
    if (names.has(name.text)) at.duplicate(name.text);
    names.add(name.text);
    if (name.isSet && name.text !== "cpu" && name.text !== "memory") at.unsupported(["cpu", "memory"], name.text);
    if (!restart.isSet) at.required();
    else if (!supported.includes(restart.text)) at.unsupported(supported, restart.text);
  }
}

function securityContext(at: Place): void {
  fields({
    runAsUser: present(within(0, USER_ID_MAX)),
    runAsGroup: present(within(0, USER_ID_MAX)),
    procMount: present(oneOf("Default", "Unmasked")),
    seccompProfile: present(seccompProfile),
    appArmorProfile: present(apparmorProfile),
  })(at);
  if (at.field("allowPrivilegeEscalation").value !== false) return;
  if (at.field("privileged").value === true) {
    at.invalid("cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
  }
  if (at.field("capabilities").field("add").items.some(({ text }) => text === "CAP_SYS_ADMIN")) {
    at.invalid("cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
  }
}

const SCHEMES = ["HTTP", "HTTPS"], HANDLERS = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];

function handler(facts: PodFacts): Rule {
  const rules: Readonly<Record<string, Rule>> = {
    exec: fields({ command: required() }),
    httpGet: fields({ path: required(), port: portNumberOrName, scheme: oneOf(...SCHEMES) }),
    tcpSocket: fields({ port: portNumberOrName }),
    grpc: fields({ port: portNumber }),
    sleep: (at) => {
      const seconds = at.field("seconds").number;
      if (seconds >= 0 && seconds <= facts.gracePeriodSeconds) return;
      const why = `must be non-negative and less than terminationGracePeriodSeconds (${facts.gracePeriodSeconds})`;
      at.invalid(why, seconds);
    },
  };
  return (at) => {
    const given = HANDLERS.map((name) => ({ name, place: at.field(name) })).filter(({ place }) => place.isPresent);
    given.slice(1).forEach(({ place }) => place.forbidden("may not specify more than 1 handler type"));
    if (given[0]) rules[given[0].name]!(given[0].place);
    else at.required("must specify a handler type");
  };
}

/** `kind`: readiness probes have no grace period of their own, others succeed at the first success. */
function probe(facts: PodFacts, kind: "readiness" | "other"): Rule {
  const counts = ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];
  return (at) => {
    handler(facts)(at);
    for (const count of counts) nonNegative(at.field(count));
    const grace = at.field("terminationGracePeriodSeconds"), successes = at.field("successThreshold");
    if (grace.isPresent && grace.number <= 0) grace.invalid("must be greater than 0");
    if (kind === "readiness") {
      if (grace.isPresent) grace.invalid("must not be set for readinessProbes");
    } else if (successes.number !== 1) successes.invalid("must be 1", successes.number);
  };
}

/** Probes and hooks of containers that keep running. */
export function longRunning(facts: PodFacts): Rule {
  return fields({
    livenessProbe: present(probe(facts, "other")),
    readinessProbe: present(probe(facts, "readiness")),
    startupProbe: present(probe(facts, "other")),
    "lifecycle.postStart": present(handler(facts)),
    "lifecycle.preStop": present(handler(facts)),
  });
}

/** Init containers that end have none of these. */
export function ending(at: Place): void {
  for (const name of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"]) {
    if (at.field(name).isPresent) {
      at.field(name).forbidden("may not be set for init containers without restartPolicy=Always");
    }
  }
}
