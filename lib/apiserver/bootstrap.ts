import { formatJson, parseJson, randomUuid } from "../base/mod.ts";
import { type DynamicObject, formatKey, formatTime } from "../apimachinery/mod.ts";
import type { ServerContext } from "./server_context.ts";
import { AUTHENTICATED_GROUP, MASTERS_GROUP } from "./user_info.ts";

const RBAC = { group: "rbac.authorization.k8s.io", apiVersion: "rbac.authorization.k8s.io/v1" };
const NAMESPACES = ["default", "kube-node-lease", "kube-public", "kube-system"];
const READ = ["get", "list", "watch"];
const WRITE = ["create", "delete", "deletecollection", "patch", "update"];
/** Groups of the user-facing roles; only `admin` gets RBAC. */
const WORKLOAD_GROUPS = ["apps", "autoscaling", "batch", "discovery.k8s.io", "networking.k8s.io", "policy"];
const CORE_RESOURCES = [
  "bindings",
  "configmaps",
  "endpoints",
  "events",
  "limitranges",
  "persistentvolumeclaims",
  "pods",
  "pods/log",
  "pods/status",
  "replicationcontrollers",
  "resourcequotas",
  "services",
];

interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

const DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz"];
const PUBLIC = ["/healthz", "/livez", "/readyz", "/version", "/version/"];

function workloads(verbs: readonly string[]): Rule[] {
  return [
    { verbs, apiGroups: [""], resources: CORE_RESOURCES },
    { verbs, apiGroups: WORKLOAD_GROUPS, resources: ["*"] },
  ];
}

const EDIT: readonly Rule[] = [
  ...workloads([...READ, ...WRITE]),
  { verbs: [...READ, ...WRITE], apiGroups: [""], resources: ["secrets", "serviceaccounts"] },
  { verbs: READ, apiGroups: [""], resources: ["namespaces"] },
  { verbs: [...READ, ...WRITE], apiGroups: ["coordination.k8s.io"], resources: ["leases"] },
];

const CLUSTER_ROLES: Readonly<Record<string, readonly Rule[]>> = {
  "cluster-admin": [
    { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
    { verbs: ["*"], nonResourceURLs: ["*"] },
  ],
  "admin": [...EDIT, { verbs: [...READ, ...WRITE], apiGroups: [RBAC.group], resources: ["roles", "rolebindings"] }],
  "edit": EDIT,
  "view": [...workloads(READ), { verbs: READ, apiGroups: [""], resources: ["namespaces", "serviceaccounts"] }],
  "system:basic-user": [
    {
      verbs: ["create"],
      apiGroups: ["authorization.k8s.io"],
      resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    },
    { verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"] },
  ],
  "system:discovery": [{ verbs: ["get"], nonResourceURLs: [...DISCOVERY, "/version", "/version/"] }],
  "system:public-info-viewer": [{ verbs: ["get"], nonResourceURLs: PUBLIC }],
};

/** A binding has its role's name. */
const CLUSTER_ROLE_BINDINGS: readonly (readonly [role: string, group: string])[] = [
  ["cluster-admin", MASTERS_GROUP],
  ["system:basic-user", AUTHENTICATED_GROUP],
  ["system:discovery", AUTHENTICATED_GROUP],
  ["system:public-info-viewer", AUTHENTICATED_GROUP],
];

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
  const labels = { "kubernetes.io/bootstrapping": "rbac-defaults" };
  for (const [name, rules] of Object.entries(CLUSTER_ROLES)) {
    const metadata = { name, labels };
    store(server, `clusterroles.${RBAC.group}`, { kind: "ClusterRole", apiVersion: RBAC.apiVersion, metadata, rules });
  }
  for (const [name, group] of CLUSTER_ROLE_BINDINGS) {
    store(server, `clusterrolebindings.${RBAC.group}`, {
      kind: "ClusterRoleBinding",
      apiVersion: RBAC.apiVersion,
      metadata: { name, labels },
      roleRef: { apiGroup: RBAC.group, kind: "ClusterRole", name },
      subjects: [{ apiGroup: RBAC.group, kind: "Group", name: group }],
    });
  }
}

function store(server: ServerContext, resource: string, object: DynamicObject): void {
  const { name, labels } = object.metadata!;
  const creationTimestamp = formatTime(server.clock.now());
  const metadata = { name, uid: randomUuid(server.random), creationTimestamp, labels: { ...labels } };
  // A copy: all servers share the tables above.
  server.storage.create(resource, formatKey({ name: name! }), { ...parseJson(formatJson(object)), metadata });
}
