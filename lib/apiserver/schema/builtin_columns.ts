import { isObject } from "../../base/mod.ts";
import type { PrinterColumn } from "../resource_type.ts";
import {
  accessModes,
  ADDRESSES_MAX,
  available,
  balancerAddresses,
  bound,
  type Cell,
  claimState,
  className,
  conditionName,
  endpointAddresses,
  eventObject,
  eventSource,
  externalAddress,
  firstSeen,
  hosts,
  ingressParameters,
  jobCompletions,
  jobDuration,
  jobStatus,
  kernel,
  lastSeen,
  metrics,
  nodeRoles,
  nodeStatus,
  parameterKind,
  parameterName,
  parentReference,
  ports,
  quota,
  requestCondition,
  selector,
  selectorText,
  versions,
  volumePhase,
} from "./builtin_cells.ts";
import { ageOf, humanDuration } from "./duration_text.ts";
import {
  at,
  countAt,
  type Fields,
  listAt,
  pairsOf,
  shortList,
  sizeAt,
  stringAt,
  textAt,
  textsAt,
} from "./object_fields.ts";
import { podSummary, readinessGates } from "./pod_cells.ts";

/** `cell` where no JSON path gives what kubectl shows. */
export interface BuiltinColumn extends PrinterColumn {
  readonly cell?: Cell;
}

const NAME: BuiltinColumn = { name: "Name", type: "string", format: "name", jsonPath: ".metadata.name" };
const AGE: BuiltinColumn = text("Age", (object, nowMs) => ageOf(at(object, "metadata", "creationTimestamp"), nowMs));
const NAME_AND_AGE: readonly BuiltinColumn[] = [NAME, AGE];
/** kube-apiserver's default: for kinds without columns of their own. */
const CREATED: readonly BuiltinColumn[] = [NAME, {
  name: "Created At",
  type: "date",
  jsonPath: "",
  cell: (object) => textAt(object, ["metadata", "creationTimestamp"]),
}];
const WIDE = 1;

/** Columns of `kubectl get` (kubernetes pkg/printers/internalversion). */
export function builtinColumns(group: string, kind: string): readonly BuiltinColumn[] {
  const key = group === "" ? kind : `${group}/${kind}`;
  return Object.hasOwn(COLUMNS, key) ? COLUMNS[key]! : CREATED;
}

function text(name: string, cell: Cell, priority = 0): BuiltinColumn {
  return { name, type: "string", jsonPath: "", priority, cell };
}

/** The field's text; `fallback` where it is absent or empty. */
function field(name: string, path: string, fallback: string = "", priority = 0): BuiltinColumn {
  const keys = path.split(".");
  return text(name, (object) => textAt(object, keys, fallback), priority);
}

function count(name: string, path: string): BuiltinColumn {
  const keys = path.split(".");
  return { ...text(name, (object) => countAt(object, ...keys)), type: "integer" };
}

function flag(name: string, path: string, fallback = false): BuiltinColumn {
  const keys = path.split(".");
  return {
    ...text(name, (object) => at(object, ...keys) === undefined ? fallback : at(object, ...keys) === true),
    type: "boolean",
  };
}

function length(name: string, path: string): BuiltinColumn {
  const keys = path.split(".");
  return { ...text(name, (object) => listAt(object, ...keys).length), type: "integer" };
}

const sized = (name: string, ...fields: string[]) =>
  text(name, (object) => fields.reduce((sum, one) => sum + sizeAt(object, one), 0));

/** Names and images of a template's containers, for `-o wide`. */
function containers(...path: string[]): readonly BuiltinColumn[] {
  const column = (name: string, key: string) =>
    text(name, (object) => listAt(object, ...path, "containers").map((one) => String(one[key])).join(","), WIDE);
  return [column("Containers", "name"), column("Images", "image")];
}

const TEMPLATE = containers("spec", "template", "spec");
const SELECTOR = text("Selector", selector, WIDE);

function nodeAddress(name: string, type: string): BuiltinColumn {
  const address = (node: Fields) => listAt(node, "status", "addresses").find((one) => one.type === type)?.address;
  return text(name, (node) => String(address(node) ?? "<none>"), WIDE);
}

const EVENT: readonly BuiltinColumn[] = [
  text("Last Seen", lastSeen),
  field("Type", "type"),
  field("Reason", "reason"),
  text("Object", eventObject),
  text("Subobject", (event) => stringAt(event.involvedObject ?? event.regarding, "fieldPath"), WIDE),
  text("Source", eventSource, WIDE),
  text("Message", (event) => String(event.message ?? event.note ?? "").trim()),
  text("First Seen", firstSeen, WIDE),
  text("Count", (event) =>
    countAt(event, "series", "count") || countAt(event, "count") ||
    countAt(event, "deprecatedCount") || 1, WIDE),
  { ...NAME, priority: WIDE },
];

const READY = text(
  "Ready",
  (object) => `${countAt(object, "status", "readyReplicas")}/${countAt(object, "spec", "replicas")}`,
);

const REPLICAS: readonly BuiltinColumn[] = [
  NAME,
  count("Desired", "spec.replicas"),
  count("Current", "status.replicas"),
  count("Ready", "status.readyReplicas"),
  AGE,
  ...TEMPLATE,
  SELECTOR,
];

const WEBHOOKS: readonly BuiltinColumn[] = [NAME, length("Webhooks", "webhooks"), AGE];

function subjects(name: string, kind: string): BuiltinColumn {
  const shown = (binding: Fields) =>
    listAt(binding, "subjects").filter((one) => one.kind === kind)
      .map((one) => (kind === "ServiceAccount" ? `${one.namespace}/${one.name}` : one.name)).join(", ");
  return text(name, shown, WIDE);
}

const BINDING: readonly BuiltinColumn[] = [
  NAME,
  text("Role", (binding) => `${at(binding, "roleRef", "kind")}/${at(binding, "roleRef", "name")}`),
  AGE,
  subjects("Users", "User"),
  subjects("Groups", "Group"),
  subjects("ServiceAccounts", "ServiceAccount"),
];

const AUTOSCALER: readonly BuiltinColumn[] = [
  NAME,
  text(
    "Reference",
    (object) => `${at(object, "spec", "scaleTargetRef", "kind")}/${at(object, "spec", "scaleTargetRef", "name")}`,
  ),
  text("Targets", metrics),
  field("MinPods", "spec.minReplicas", "<unset>"),
  text("MaxPods", (object) => countAt(object, "spec", "maxReplicas")),
  text("Replicas", (object) => countAt(object, "status", "currentReplicas")),
  AGE,
];

const limited = (name: string, ...path: string[]) =>
  text(name, (object) => (at(object, "spec", "limited", ...path) as number | undefined) ?? "<none>");

const COLUMNS: Readonly<Record<string, readonly BuiltinColumn[]>> = {
  Namespace: [NAME, field("Status", "status.phase"), AGE],
  Secret: [NAME, field("Type", "type"), sized("Data", "data"), AGE],
  ConfigMap: [NAME, sized("Data", "data", "binaryData"), AGE],
  ServiceAccount: NAME_AND_AGE,
  Endpoints: [NAME, text("Endpoints", endpointAddresses), AGE],
  Service: [
    NAME,
    field("Type", "spec.type"),
    field("Cluster-IP", "spec.clusterIP", "<none>"),
    text("External-IP", externalAddress),
    text("Port(s)", ports),
    AGE,
    text("Selector", (object) => pairsOf(at(object, "spec", "selector")), WIDE),
  ],
  Pod: [
    NAME,
    text("Ready", (pod, nowMs) => podSummary(pod, nowMs).ready),
    text("Status", (pod, nowMs) => podSummary(pod, nowMs).status),
    text("Restarts", (pod, nowMs) => podSummary(pod, nowMs).restarts),
    AGE,
    text("IP", (pod) => textAt(listAt(pod, "status", "podIPs")[0], ["ip"]), WIDE),
    field("Node", "spec.nodeName", "<none>", WIDE),
    field("Nominated Node", "status.nominatedNodeName", "<none>", WIDE),
    text("Readiness Gates", readinessGates, WIDE),
  ],
  PodTemplate: [
    NAME,
    ...containers("template", "spec").map((column) => ({ ...column, priority: 0 })),
    text("Pod Labels", (object) => pairsOf(at(object, "template", "metadata", "labels"))),
  ],
  Node: [
    NAME,
    text("Status", nodeStatus),
    text("Roles", nodeRoles),
    AGE,
    field("Version", "status.nodeInfo.kubeletVersion"),
    nodeAddress("Internal-IP", "InternalIP"),
    nodeAddress("External-IP", "ExternalIP"),
    field("OS-Image", "status.nodeInfo.osImage", "<unknown>", WIDE),
    text("Kernel-Version", kernel, WIDE),
    field("Container-Runtime", "status.nodeInfo.containerRuntimeVersion", "<unknown>", WIDE),
  ],
  Event: EVENT,
  ResourceQuota: [NAME, text("Request", quota(false)), text("Limit", quota(true)), AGE],
  PersistentVolume: [
    NAME,
    field("Capacity", "spec.capacity.storage", "0"),
    text("Access Modes", accessModes("spec", "accessModes")),
    field("Reclaim Policy", "spec.persistentVolumeReclaimPolicy"),
    text("Status", volumePhase),
    text("Claim", (object) => {
      const claim = at(object, "spec", "claimRef");
      return isObject(claim) ? `${claim.namespace ?? ""}/${claim.name ?? ""}` : "";
    }),
    field("StorageClass", "spec.storageClassName"),
    text("VolumeAttributesClass", (object) => String(at(object, "spec", "volumeAttributesClassName") ?? "<unset>")),
    field("Reason", "status.reason"),
    AGE,
    field("VolumeMode", "spec.volumeMode", "<unset>", WIDE),
  ],
  PersistentVolumeClaim: [
    NAME,
    text("Status", volumePhase),
    field("Volume", "spec.volumeName"),
    text("Capacity", bound((claim) => textAt(claim, ["status", "capacity", "storage"], "0"))),
    text("Access Modes", bound(accessModes("status", "accessModes"))),
    field("StorageClass", "spec.storageClassName"),
    text("VolumeAttributesClass", (object) => String(at(object, "spec", "volumeAttributesClassName") ?? "<unset>")),
    AGE,
    field("VolumeMode", "spec.volumeMode", "<unset>", WIDE),
  ],
  ReplicationController: REPLICAS,
  "events.k8s.io/Event": EVENT,
  "apps/ControllerRevision": [
    NAME,
    text("Controller", (object) => {
      const owner = listAt(object, "metadata", "ownerReferences").find(({ controller }) => controller === true);
      const group = String(owner?.apiVersion ?? "").split("/");
      const kind = String(owner?.kind).toLowerCase();
      return owner ? `${kind}${group.length > 1 ? `.${group[0]}` : ""}/${owner.name}` : "<none>";
    }),
    text("Revision", (object) => countAt(object, "revision")),
    AGE,
  ],
  "apps/DaemonSet": [
    NAME,
    count("Desired", "status.desiredNumberScheduled"),
    count("Current", "status.currentNumberScheduled"),
    count("Ready", "status.numberReady"),
    count("Up-to-date", "status.updatedNumberScheduled"),
    count("Available", "status.numberAvailable"),
    text("Node Selector", (object) => pairsOf(at(object, "spec", "template", "spec", "nodeSelector"))),
    AGE,
    ...TEMPLATE,
    SELECTOR,
  ],
  "apps/Deployment": [
    NAME,
    READY,
    text("Up-to-date", (object) => countAt(object, "status", "updatedReplicas")),
    text("Available", (object) => countAt(object, "status", "availableReplicas")),
    AGE,
    ...TEMPLATE,
    SELECTOR,
  ],
  "apps/ReplicaSet": REPLICAS,
  "apps/StatefulSet": [NAME, READY, AGE, ...TEMPLATE],
  "batch/CronJob": [
    NAME,
    field("Schedule", "spec.schedule"),
    field("Timezone", "spec.timeZone", "<none>"),
    { ...text("Suspend", (object) => (at(object, "spec", "suspend") === true ? "True" : "False")), type: "boolean" },
    length("Active", "status.active"),
    text("Last Schedule", (object, nowMs) => {
      const last = at(object, "status", "lastScheduleTime");
      return last ? ageOf(last, nowMs) : "<none>";
    }),
    AGE,
    ...containers("spec", "jobTemplate", "spec", "template", "spec"),
    text("Selector", (object) => selectorText(at(object, "spec", "jobTemplate", "spec", "selector")), WIDE),
  ],
  "batch/Job": [
    NAME,
    text("Status", jobStatus),
    text("Completions", jobCompletions),
    text("Duration", jobDuration),
    AGE,
    ...TEMPLATE,
    SELECTOR,
  ],
  "autoscaling/HorizontalPodAutoscaler": AUTOSCALER,
  "coordination.k8s.io/Lease": [NAME, field("Holder", "spec.holderIdentity"), AGE],
  "discovery.k8s.io/EndpointSlice": [
    NAME,
    field("AddressType", "addressType"),
    text("Ports", (object) => {
      const all = listAt(object, "ports").map(({ port, name }) => String(port ?? name ?? "*"));
      return shortList(all, ADDRESSES_MAX) || "<unset>";
    }),
    text("Endpoints", (object) => {
      const all = listAt(object, "endpoints").flatMap((one) => textsAt(one, "addresses"));
      return shortList(all, ADDRESSES_MAX) || "<unset>";
    }),
    AGE,
  ],
  "networking.k8s.io/Ingress": [
    NAME,
    field("Class", "spec.ingressClassName", "<none>"),
    text("Hosts", hosts),
    text("Address", (object) => balancerAddresses(object).join(",")),
    text("Ports", (object) => (listAt(object, "spec", "tls").length > 0 ? "80, 443" : "80")),
    AGE,
  ],
  "networking.k8s.io/IngressClass": [
    NAME,
    field("Controller", "spec.controller"),
    text("Parameters", ingressParameters),
    AGE,
  ],
  "networking.k8s.io/NetworkPolicy": [
    NAME,
    text("Pod-Selector", (object) => selectorText(at(object, "spec", "podSelector"))),
    AGE,
  ],
  "networking.k8s.io/IPAddress": [NAME, text("ParentRef", parentReference)],
  "networking.k8s.io/ServiceCIDR": [NAME, text("CIDRs", (object) => textsAt(object, "spec", "cidrs").join(",")), AGE],
  "policy/PodDisruptionBudget": [
    NAME,
    field("Min Available", "spec.minAvailable", "N/A"),
    field("Max Unavailable", "spec.maxUnavailable", "N/A"),
    count("Allowed Disruptions", "status.disruptionsAllowed"),
    AGE,
  ],
  "rbac.authorization.k8s.io/RoleBinding": BINDING,
  "rbac.authorization.k8s.io/ClusterRoleBinding": BINDING,
  "apiextensions.k8s.io/CustomResourceDefinition": [
    NAME,
    field("Scope", "spec.scope"),
    text("Versions", versions),
    CREATED[1]!,
  ],
  "apiregistration.k8s.io/APIService": [
    NAME,
    text("Service", (object) => {
      const service = at(object, "spec", "service");
      return isObject(service) ? `${service.namespace}/${service.name}` : "Local";
    }),
    text("Available", available),
    AGE,
  ],
  "admissionregistration.k8s.io/ValidatingWebhookConfiguration": WEBHOOKS,
  "admissionregistration.k8s.io/MutatingWebhookConfiguration": WEBHOOKS,
  "admissionregistration.k8s.io/ValidatingAdmissionPolicy": [
    NAME,
    length("Validations", "spec.validations"),
    text("ParamKind", parameterKind),
    AGE,
  ],
  "admissionregistration.k8s.io/MutatingAdmissionPolicy": [
    NAME,
    length("Mutations", "spec.mutations"),
    text("ParamKind", parameterKind),
    AGE,
  ],
  "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding": policyBinding(),
  "admissionregistration.k8s.io/MutatingAdmissionPolicyBinding": policyBinding(),
  "certificates.k8s.io/CertificateSigningRequest": [
    NAME,
    AGE,
    field("SignerName", "spec.signerName", "<none>"),
    field("Requestor", "spec.username"),
    text("RequestedDuration", (object) => {
      const seconds = at(object, "spec", "expirationSeconds");
      return seconds === undefined ? "<none>" : humanDuration(Number(seconds) * 1_000);
    }),
    text("Condition", requestCondition),
  ],
  "certificates.k8s.io/ClusterTrustBundle": [NAME, field("SignerName", "spec.signerName", "<none>")],
  "storage.k8s.io/StorageClass": [
    { ...NAME, cell: className },
    field("Provisioner", "provisioner"),
    field("ReclaimPolicy", "reclaimPolicy", "Delete"),
    field("VolumeBindingMode", "volumeBindingMode", "Immediate"),
    text("AllowVolumeExpansion", (object) => object.allowVolumeExpansion === true),
    AGE,
  ],
  "storage.k8s.io/CSIDriver": [
    NAME,
    flag("AttachRequired", "spec.attachRequired", true),
    flag("PodInfoOnMount", "spec.podInfoOnMount"),
    flag("StorageCapacity", "spec.storageCapacity"),
    text(
      "TokenRequests",
      (object) =>
        at(object, "spec", "tokenRequests") === undefined
          ? "<unset>"
          : listAt(object, "spec", "tokenRequests").map(({ audience }) => audience).join(","),
    ),
    flag("RequiresRepublish", "spec.requiresRepublish"),
    text("Modes", (object) => textsAt(object, "spec", "volumeLifecycleModes").join(",") || "<none>"),
    AGE,
  ],
  "storage.k8s.io/CSINode": [NAME, length("Drivers", "spec.drivers"), AGE],
  "storage.k8s.io/VolumeAttachment": [
    NAME,
    { ...field("Attacher", "spec.attacher"), format: "name" },
    field("PV", "spec.source.persistentVolumeName"),
    field("Node", "spec.nodeName"),
    flag("Attached", "status.attached"),
    AGE,
  ],
  "storage.k8s.io/VolumeAttributesClass": [NAME, field("DriverName", "driverName"), AGE],
  "scheduling.k8s.io/PriorityClass": [
    NAME,
    count("Value", "value"),
    flag("Global-Default", "globalDefault"),
    AGE,
    field("PreemptionPolicy", "preemptionPolicy"),
  ],
  "node.k8s.io/RuntimeClass": [NAME, field("Handler", "handler"), AGE],
  "flowcontrol.apiserver.k8s.io/FlowSchema": [
    NAME,
    field("PriorityLevel", "spec.priorityLevelConfiguration.name"),
    text("MatchingPrecedence", (object) => countAt(object, "spec", "matchingPrecedence")),
    field("DistinguisherMethod", "spec.distinguisherMethod.type", "<none>"),
    AGE,
    text(
      "MissingPL",
      (object) => String(listAt(object, "status", "conditions").find(({ type }) => type === "Dangling")?.status ?? "?"),
    ),
  ],
  "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration": [
    NAME,
    field("Type", "spec.type"),
    limited("NominalConcurrencyShares", "nominalConcurrencyShares"),
    limited("Queues", "limitResponse", "queuing", "queues"),
    limited("HandSize", "limitResponse", "queuing", "handSize"),
    limited("QueueLengthLimit", "limitResponse", "queuing", "queueLengthLimit"),
    AGE,
  ],
  "resource.k8s.io/DeviceClass": NAME_AND_AGE,
  "resource.k8s.io/ResourceClaim": [NAME, text("State", claimState), AGE],
  "resource.k8s.io/ResourceClaimTemplate": NAME_AND_AGE,
  "resource.k8s.io/ResourceSlice": [
    NAME,
    field("Node", "spec.nodeName"),
    field("Driver", "spec.driver"),
    field("Pool", "spec.pool.name"),
    AGE,
  ],
  "storagemigration.k8s.io/StorageVersionMigration": [
    NAME,
    text("Resource", (object) => {
      const group = stringAt(object, "spec", "resource", "group");
      return `${stringAt(object, "spec", "resource", "resource")}${group ? `.${group}` : ""}`;
    }),
    text("Status", (object) => conditionName(object, ["Running", "Failed", "Succeeded"], "Unknown")),
  ],
};

function policyBinding(): readonly BuiltinColumn[] {
  return [NAME, field("PolicyName", "spec.policyName"), text("ParamRef", parameterName), AGE];
}
