import { jsonClone, randomUuid } from "../base/mod.ts";
import { type DynamicObject, formatKey, formatTime } from "../apimachinery/mod.ts";
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES } from "./bootstrap_roles.ts";
import type { ServerContext } from "./server_context.ts";

const RBAC = { group: "rbac.authorization.k8s.io", apiVersion: "rbac.authorization.k8s.io/v1" };
const NAMESPACES = ["default", "kube-node-lease", "kube-public", "kube-system"];
/** What a client inside of the cluster would connect to; nothing listens there. */
const SERVICE_ADDRESS = "10.96.0.1", SERVER_ADDRESS = "127.0.0.1", SERVER_PORT = 6443;
const SERVICE_CIDR = "10.96.0.0/16";
const PRIORITY_CLASSES = { "system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000 };

/** Stores what kube-apiserver makes in an empty etcd. */
export function bootstrap(server: ServerContext): void {
  for (const name of NAMESPACES) {
    store(server, "namespaces", {
      kind: "Namespace",
      apiVersion: "v1",
      metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" },
    });
  }
  storeRoles(server);
  storeOwnService(server);
  for (const [name, value] of Object.entries(PRIORITY_CLASSES)) {
    store(server, "priorityclasses.scheduling.k8s.io", {
      kind: "PriorityClass",
      apiVersion: "scheduling.k8s.io/v1",
      metadata: { name, generation: 1 },
      value,
      description: "For Pods that the cluster itself needs.",
      preemptionPolicy: "PreemptLowerPriority",
    });
  }
}

function storeRoles(server: ServerContext): void {
  const bootstrapping = { "kubernetes.io/bootstrapping": "rbac-defaults" };
  const annotations = { "rbac.authorization.kubernetes.io/autoupdate": "true" };
  for (const [name, { labels, rules, aggregates }] of Object.entries(CLUSTER_ROLES)) {
    store(server, `clusterroles.${RBAC.group}`, {
      kind: "ClusterRole",
      apiVersion: RBAC.apiVersion,
      metadata: { name, labels: { ...bootstrapping, ...labels }, annotations },
      rules,
      ...aggregates && { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregates]: "true" } }] } },
    });
  }
  for (const [name, groups] of Object.entries(CLUSTER_ROLE_BINDINGS)) {
    store(server, `clusterrolebindings.${RBAC.group}`, {
      kind: "ClusterRoleBinding",
      apiVersion: RBAC.apiVersion,
      metadata: { name, labels: bootstrapping, annotations },
      roleRef: { apiGroup: RBAC.group, kind: "ClusterRole", name },
      subjects: groups.map((group) => ({ apiGroup: RBAC.group, kind: "Group", name: group })),
    });
  }
}

/** The Service `kubernetes` with its endpoints: client suites and clients inside of a cluster look for it. */
function storeOwnService(server: ServerContext): void {
  const name = "kubernetes", namespace = "default", port = { name: "https", port: SERVER_PORT, protocol: "TCP" };
  store(server, "services", {
    kind: "Service",
    apiVersion: "v1",
    metadata: { name, namespace, labels: { component: "apiserver", provider: "kubernetes" } },
    spec: {
      clusterIP: SERVICE_ADDRESS,
      clusterIPs: [SERVICE_ADDRESS],
      internalTrafficPolicy: "Cluster",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      ports: [{ ...port, port: 443, targetPort: SERVER_PORT }],
      sessionAffinity: "None",
      type: "ClusterIP",
    },
    status: { loadBalancer: {} },
  });
  store(server, "endpoints", {
    kind: "Endpoints",
    apiVersion: "v1",
    metadata: { name, namespace, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: [{ addresses: [{ ip: SERVER_ADDRESS }], ports: [port] }],
  });
  store(server, "endpointslices.discovery.k8s.io", {
    kind: "EndpointSlice",
    apiVersion: "discovery.k8s.io/v1",
    metadata: { name, namespace, generation: 1, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    endpoints: [{ addresses: [SERVER_ADDRESS], conditions: { ready: true } }],
    ports: [port],
  });
  store(server, "servicecidrs.networking.k8s.io", {
    kind: "ServiceCIDR",
    apiVersion: "networking.k8s.io/v1",
    metadata: { name },
    spec: { cidrs: [SERVICE_CIDR] },
    status: {},
  });
}

function store(server: ServerContext, resource: string, object: DynamicObject): void {
  const creationTimestamp = formatTime(server.clock.now());
  // A copy: all servers share the tables.
  const copy = jsonClone(object);
  copy.metadata = { ...copy.metadata, uid: randomUuid(server.random), creationTimestamp };
  server.storage.create(resource, formatKey({ namespace: copy.metadata.namespace, name: copy.metadata.name! }), copy);
}
