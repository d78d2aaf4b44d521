/** RBAC as kube-apiserver makes it for a new cluster: the roles that people and tools bind, and their bindings. */
export interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

interface BootstrapRole {
  readonly labels?: Readonly<Record<string, string>>;
  readonly rules: readonly Rule[];
  /** Takes in the roles with this label, beside its own rules. */
  readonly aggregates?: string;
}

const READ = ["get", "list", "watch"];
const WRITE = ["create", "delete", "deletecollection", "patch", "update"];
const ALL = [...WRITE, ...READ];
const AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-";

function rule(verbs: readonly string[], group: string, ...resources: string[]): Rule {
  return { verbs, apiGroups: [group], resources };
}

const VIEW: readonly Rule[] = [
  rule(
    READ,
    "",
    ...["bindings", "configmaps", "endpoints", "events", "limitranges", "namespaces", "namespaces/status"],
    ...["persistentvolumeclaims", "persistentvolumeclaims/status", "pods", "pods/log", "pods/status"],
    ...["replicationcontrollers", "replicationcontrollers/scale", "replicationcontrollers/status"],
    ...["resourcequotas", "resourcequotas/status", "serviceaccounts", "services", "services/status"],
  ),
  rule(READ, "events.k8s.io", "events"),
  rule(READ, "discovery.k8s.io", "endpointslices"),
  rule(
    READ,
    "apps",
    ...["controllerrevisions", "daemonsets", "daemonsets/status"],
    ...["deployments", "deployments/scale", "deployments/status"],
    ...["replicasets", "replicasets/scale", "replicasets/status"],
    ...["statefulsets", "statefulsets/scale", "statefulsets/status"],
  ),
  rule(READ, "autoscaling", "horizontalpodautoscalers", "horizontalpodautoscalers/status"),
  rule(READ, "batch", "cronjobs", "cronjobs/status", "jobs", "jobs/status"),
  rule(READ, "networking.k8s.io", "ingresses", "ingresses/status", "networkpolicies"),
  rule(READ, "policy", "poddisruptionbudgets", "poddisruptionbudgets/status"),
];

const EDIT: readonly Rule[] = [
  rule(READ, "", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"),
  rule(["impersonate"], "", "serviceaccounts"),
  rule(
    WRITE,
    "",
    ...["configmaps", "events", "persistentvolumeclaims", "pods", "pods/attach", "pods/exec", "pods/portforward"],
    ...["pods/proxy", "replicationcontrollers", "replicationcontrollers/scale", "secrets", "serviceaccounts"],
    ...["services", "services/proxy"],
  ),
  rule(["create"], "", "pods/eviction", "serviceaccounts/token"),
  rule(WRITE, "events.k8s.io", "events"),
  rule(
    WRITE,
    "apps",
    ...["daemonsets", "deployments", "deployments/rollback", "deployments/scale"],
    ...["replicasets", "replicasets/scale", "statefulsets", "statefulsets/scale"],
  ),
  rule(WRITE, "autoscaling", "horizontalpodautoscalers"),
  rule(WRITE, "batch", "cronjobs", "jobs"),
  rule(WRITE, "networking.k8s.io", "ingresses", "networkpolicies"),
  rule(WRITE, "policy", "poddisruptionbudgets"),
  rule(ALL, "coordination.k8s.io", "leases"),
];

const ADMIN: readonly Rule[] = [
  rule(["create"], "authorization.k8s.io", "localsubjectaccessreviews"),
  rule(ALL, "rbac.authorization.k8s.io", "rolebindings", "roles"),
];

const DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz"];
const PUBLIC = ["/healthz", "/livez", "/readyz", "/version", "/version/"];
const MONITORED = ["/healthz", "/healthz/*", "/livez", "/livez/*", "/metrics", "/metrics/slis", "/readyz", "/readyz/*"];

export const CLUSTER_ROLES: Readonly<Record<string, BootstrapRole>> = {
  "cluster-admin": {
    rules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }, { verbs: ["*"], nonResourceURLs: ["*"] }],
  },
  "admin": { rules: [...ADMIN, ...EDIT, ...VIEW], aggregates: `${AGGREGATE}admin` },
  "edit": { rules: [...EDIT, ...VIEW], labels: { [`${AGGREGATE}admin`]: "true" }, aggregates: `${AGGREGATE}edit` },
  "view": { rules: VIEW, labels: { [`${AGGREGATE}edit`]: "true" }, aggregates: `${AGGREGATE}view` },
  "system:aggregate-to-admin": { rules: ADMIN, labels: { [`${AGGREGATE}admin`]: "true" } },
  "system:aggregate-to-edit": { rules: EDIT, labels: { [`${AGGREGATE}edit`]: "true" } },
  "system:aggregate-to-view": { rules: VIEW, labels: { [`${AGGREGATE}view`]: "true" } },
  "system:auth-delegator": {
    rules: [
      rule(["create"], "authentication.k8s.io", "tokenreviews"),
      rule(["create"], "authorization.k8s.io", "subjectaccessreviews"),
    ],
  },
  "system:basic-user": {
    rules: [
      rule(["create"], "authorization.k8s.io", "selfsubjectaccessreviews", "selfsubjectrulesreviews"),
      rule(["create"], "authentication.k8s.io", "selfsubjectreviews"),
    ],
  },
  "system:discovery": { rules: [{ verbs: ["get"], nonResourceURLs: [...DISCOVERY, "/version", "/version/"] }] },
  "system:monitoring": { rules: [{ verbs: ["get"], nonResourceURLs: MONITORED }] },
  "system:public-info-viewer": { rules: [{ verbs: ["get"], nonResourceURLs: PUBLIC }] },
};

/** A binding has its role's name. */
export const CLUSTER_ROLE_BINDINGS: Readonly<Record<string, readonly string[]>> = {
  "cluster-admin": ["system:masters"],
  "system:basic-user": ["system:authenticated"],
  "system:discovery": ["system:authenticated"],
  "system:monitoring": ["system:monitoring"],
  "system:public-info-viewer": ["system:authenticated", "system:unauthenticated"],
};
