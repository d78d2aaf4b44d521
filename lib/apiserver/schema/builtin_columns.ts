import { isObject } from "../../base/mod.ts";
import type { PrinterColumn } from "../resource_type.ts";

type Fields = Record<string, unknown>;

/** `cell` where no JSON path gives what kubectl shows. */
export interface BuiltinColumn extends PrinterColumn {
  readonly cell?: (object: Fields) => string | number;
}

const NAME: BuiltinColumn = { name: "Name", type: "string", format: "name", jsonPath: ".metadata.name" };
const AGE: BuiltinColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };
const NAME_AND_AGE: readonly BuiltinColumn[] = [NAME, AGE];

/** Columns of `kubectl get` (kubernetes pkg/printers/internalversion); name and age by default. */
export function builtinColumns(group: string, kind: string): readonly BuiltinColumn[] {
  const key = group === "" ? kind : `${group}/${kind}`;
  return Object.hasOwn(COLUMNS, key) ? COLUMNS[key]! : NAME_AND_AGE;
}

function text(name: string, cell: (object: Fields) => string | number, priority = 0): BuiltinColumn {
  return { name, type: "string", jsonPath: "", priority, cell };
}

function number(name: string, cell: (object: Fields) => number): BuiltinColumn {
  return { name, type: "integer", jsonPath: "", cell };
}

function at(object: unknown, ...path: string[]): unknown {
  let current = object;
  for (const key of path) current = isObject(current) && Object.hasOwn(current, key) ? current[key] : undefined;
  return current;
}

function listAt(object: unknown, ...path: string[]): Fields[] {
  const list = at(object, ...path);
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function countAt(object: unknown, ...path: string[]): number {
  const count = at(object, ...path);
  return typeof count === "number" ? count : 0;
}

function textAt(object: unknown, ...path: string[]): string {
  const found = at(object, ...path);
  return found === undefined || found === null || found === "" ? "<none>" : String(found);
}

function sizeAt(object: unknown, ...path: string[]): number {
  const found = at(object, ...path);
  return isObject(found) ? Object.keys(found).length : 0;
}

function ports(object: Fields): string {
  const list = listAt(object, "spec", "ports").map((port) =>
    `${port.port}${port.nodePort ? `:${port.nodePort}` : ""}/${port.protocol ?? "TCP"}`
  );
  return list.join(",") || "<none>";
}

function externalAddress(object: Fields): string {
  const given = at(object, "spec", "externalIPs");
  const addresses: unknown[] = Array.isArray(given) ? given : [];
  const type = at(object, "spec", "type");
  if (type === "ExternalName") return textAt(object, "spec", "externalName");
  if (type !== "LoadBalancer") return addresses.join(",") || "<none>";
  const ingress = listAt(object, "status", "loadBalancer", "ingress").map((entry) => entry.ip ?? entry.hostname);
  return [...ingress, ...addresses].join(",") || "<pending>";
}

function selector(object: Fields): string {
  const labels = at(object, "spec", "selector");
  return pairsOf(isObject(labels) && isObject(labels.matchLabels) ? labels.matchLabels : labels);
}

function pairsOf(labels: unknown): string {
  if (!isObject(labels)) return "<none>";
  return Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(",") || "<none>";
}

function versions(crd: Fields): string {
  return listAt(crd, "spec", "versions").map(({ name, storage, served }) => {
    const notes = [...storage ? ["storage"] : [], ...served ? [] : ["unserved"]];
    return notes.length > 0 ? `${name}(${notes.join(",")})` : String(name);
  }).join(",");
}

function podStatus(pod: Fields): string {
  if (at(pod, "metadata", "deletionTimestamp")) {
    return at(pod, "status", "reason") === "NodeLost" ? "Unknown" : "Terminating";
  }
  for (const container of listAt(pod, "status", "containerStatuses")) {
    const reason = at(container, "state", "waiting", "reason") ?? at(container, "state", "terminated", "reason");
    if (typeof reason === "string") return reason;
  }
  return String(at(pod, "status", "reason") ?? at(pod, "status", "phase") ?? "Unknown");
}

function podReady(pod: Fields): string {
  const ready = listAt(pod, "status", "containerStatuses").filter((container) => container.ready === true).length;
  return `${ready}/${listAt(pod, "spec", "containers").length}`;
}

function podRestarts(pod: Fields): number {
  return listAt(pod, "status", "containerStatuses").reduce(
    (sum, container) => sum + countAt(container, "restartCount"),
    0,
  );
}

function nodeStatus(node: Fields): string {
  const ready = listAt(node, "status", "conditions").find((condition) => condition.type === "Ready");
  const word = ready ? (ready.status === "True" ? "Ready" : "NotReady") : "Unknown";
  return at(node, "spec", "unschedulable") === true ? `${word},SchedulingDisabled` : word;
}

function nodeRoles(node: Fields): string {
  const labels = at(node, "metadata", "labels");
  const prefix = "node-role.kubernetes.io/";
  const roles = Object.keys(isObject(labels) ? labels : {}).filter((key) => key.startsWith(prefix));
  return roles.map((key) => key.slice(prefix.length)).sort().join(",") || "<none>";
}

function eventObject(event: Fields): string {
  const regarding = event.involvedObject ?? event.regarding;
  return `${String(at(regarding, "kind") ?? "").toLowerCase()}/${at(regarding, "name") ?? ""}`;
}

function roleRef(binding: Fields): string {
  return `${at(binding, "roleRef", "kind")}/${at(binding, "roleRef", "name")}`;
}

function jobStatus(job: Fields): string {
  const met = (type: string) =>
    listAt(job, "status", "conditions").some((condition) => condition.type === type && condition.status === "True");
  if (met("Complete")) return "Complete";
  if (met("Failed")) return "Failed";
  if (at(job, "metadata", "deletionTimestamp")) return "Terminating";
  if (met("Suspended")) return "Suspended";
  return met("FailureTarget") ? "FailureTarget" : met("SuccessCriteriaMet") ? "SuccessCriteriaMet" : "Running";
}

function readyOf(object: Fields): string {
  return `${countAt(object, "status", "readyReplicas")}/${at(object, "spec", "replicas") ?? 0}`;
}

const EVENT_COLUMNS: readonly BuiltinColumn[] = [
  { name: "Last Seen", type: "date", jsonPath: ".lastTimestamp" },
  text("Type", (event) => textAt(event, "type")),
  text("Reason", (event) => textAt(event, "reason")),
  text("Object", eventObject),
  text("Message", (event) => String(event.message ?? event.note ?? "").trim()),
  { ...NAME, priority: 1 },
];

const REPLICA_COLUMNS: readonly BuiltinColumn[] = [
  NAME,
  number("Desired", (object) => countAt(object, "spec", "replicas")),
  number("Current", (object) => countAt(object, "status", "replicas")),
  number("Ready", (object) => countAt(object, "status", "readyReplicas")),
  AGE,
];

const WEBHOOK_COLUMNS: readonly BuiltinColumn[] = [
  NAME,
  number("Webhooks", (object) => listAt(object, "webhooks").length),
  AGE,
];

const BINDING_COLUMNS: readonly BuiltinColumn[] = [NAME, text("Role", roleRef), AGE];
const CREATED: BuiltinColumn = { name: "Created At", type: "date", jsonPath: "", cell: createdAt };

function createdAt(object: Fields): string {
  return textAt(object, "metadata", "creationTimestamp");
}

const COLUMNS: Readonly<Record<string, readonly BuiltinColumn[]>> = {
  Namespace: [NAME, text("Status", (object) => textAt(object, "status", "phase")), AGE],
  Secret: [
    NAME,
    text("Type", (object) => String(object.type ?? "")),
    text("Data", (object) => sizeAt(object, "data")),
    AGE,
  ],
  ConfigMap: [NAME, text("Data", (object) => sizeAt(object, "data") + sizeAt(object, "binaryData")), AGE],
  Service: [
    NAME,
    text("Type", (object) => textAt(object, "spec", "type")),
    text("Cluster-IP", (object) => textAt(object, "spec", "clusterIP")),
    text("External-IP", externalAddress),
    text("Port(s)", ports),
    AGE,
    text("Selector", selector, 1),
  ],
  Pod: [
    NAME,
    text("Ready", podReady),
    text("Status", podStatus),
    text("Restarts", (object) => String(podRestarts(object))),
    AGE,
    text("IP", (object) => textAt(object, "status", "podIP"), 1),
    text("Node", (object) => textAt(object, "spec", "nodeName"), 1),
  ],
  Node: [
    NAME,
    text("Status", nodeStatus),
    text("Roles", nodeRoles),
    AGE,
    text("Version", (object) => String(at(object, "status", "nodeInfo", "kubeletVersion") ?? "")),
  ],
  Event: EVENT_COLUMNS,
  "events.k8s.io/Event": EVENT_COLUMNS,
  "apps/Deployment": [
    NAME,
    text("Ready", readyOf),
    text("Up-to-date", (object) => countAt(object, "status", "updatedReplicas")),
    text("Available", (object) => countAt(object, "status", "availableReplicas")),
    AGE,
    text("Selector", selector, 1),
  ],
  "apps/StatefulSet": [NAME, text("Ready", readyOf), AGE],
  "apps/ReplicaSet": REPLICA_COLUMNS,
  ReplicationController: REPLICA_COLUMNS,
  "batch/Job": [
    NAME,
    text("Status", jobStatus),
    text("Completions", (job) => `${countAt(job, "status", "succeeded")}/${at(job, "spec", "completions") ?? 1}`),
    AGE,
  ],
  "coordination.k8s.io/Lease": [
    NAME,
    text("Holder", (object) => String(at(object, "spec", "holderIdentity") ?? "")),
    AGE,
  ],
  "rbac.authorization.k8s.io/Role": [NAME, CREATED],
  "rbac.authorization.k8s.io/ClusterRole": [NAME, CREATED],
  "rbac.authorization.k8s.io/RoleBinding": BINDING_COLUMNS,
  "rbac.authorization.k8s.io/ClusterRoleBinding": BINDING_COLUMNS,
  "apiextensions.k8s.io/CustomResourceDefinition": [
    NAME,
    text("Scope", (crd) => textAt(crd, "spec", "scope")),
    text("Versions", versions),
    CREATED,
  ],
  "apps/DaemonSet": [
    NAME,
    number("Desired", (object) => countAt(object, "status", "desiredNumberScheduled")),
    number("Current", (object) => countAt(object, "status", "currentNumberScheduled")),
    number("Ready", (object) => countAt(object, "status", "numberReady")),
    number("Up-to-date", (object) => countAt(object, "status", "updatedNumberScheduled")),
    number("Available", (object) => countAt(object, "status", "numberAvailable")),
    text("Node Selector", (object) => pairsOf(at(object, "spec", "template", "spec", "nodeSelector"))),
    AGE,
  ],
  "networking.k8s.io/NetworkPolicy": [
    NAME,
    text("Pod-Selector", (object) => pairsOf(at(object, "spec", "podSelector", "matchLabels"))),
    AGE,
  ],
  "policy/PodDisruptionBudget": [
    NAME,
    text("Min Available", (object) => String(at(object, "spec", "minAvailable") ?? "N/A")),
    text("Max Unavailable", (object) => String(at(object, "spec", "maxUnavailable") ?? "N/A")),
    number("Allowed Disruptions", (object) => countAt(object, "status", "disruptionsAllowed")),
    AGE,
  ],
  "admissionregistration.k8s.io/ValidatingWebhookConfiguration": WEBHOOK_COLUMNS,
  "admissionregistration.k8s.io/MutatingWebhookConfiguration": WEBHOOK_COLUMNS,
};
