import {
  type Area,
  create,
  get,
  patch,
  remove,
  type RequestOptions,
  type Script,
  type Step,
  until,
  update,
} from "../script.ts";

const named = (name: string, ...steps: readonly Step[]): Script => ({ name, steps });
const AUTHN = "/apis/authentication.k8s.io/v1", AUTHZ = "/apis/authorization.k8s.io/v1";
const RBAC = "rbac.authorization.k8s.io/v1", GROUP = "rbac.authorization.k8s.io";
const as = (name: string, headers: Record<string, string> = {}): RequestOptions => ({
  headers: { "impersonate-user": name, ...headers },
});

function review(kind: string, spec: unknown): Record<string, unknown> {
  const group = kind === "TokenReview" || kind === "SelfSubjectReview" ? "authentication" : "authorization";
  return { apiVersion: `${group}.k8s.io/v1`, kind, ...spec !== undefined && { spec } };
}

const who = (name: string, options: RequestOptions): Script =>
  named(name, create(`${AUTHN}/selfsubjectreviews`, review("SelfSubjectReview", undefined), options));

const ANSWER = { only: ["kind", "status", "reason", "message", "details", "code"] };

const SELF_ACCESS: Readonly<Record<string, unknown>> = {
  "a resource": { resourceAttributes: { verb: "get", resource: "pods", namespace: "default" } },
  "a path": { nonResourceAttributes: { verb: "get", path: "/healthz" } },
  "nothing": {},
  "both": { resourceAttributes: { verb: "get", resource: "pods" }, nonResourceAttributes: { path: "/", verb: "get" } },
  "an empty resource": { resourceAttributes: {} },
  "an empty path": { nonResourceAttributes: {} },
  "a label selector": {
    resourceAttributes: {
      verb: "list",
      resource: "pods",
      labelSelector: { requirements: [{ key: "a", operator: "In", values: ["b"] }] },
    },
  },
  "two selectors": {
    resourceAttributes: {
      verb: "list",
      resource: "pods",
      labelSelector: { rawSelector: "a=b", requirements: [{ key: "a", operator: "In", values: ["b"] }] },
    },
  },
  "no spec": null,
  "a wrong type": { resourceAttributes: "x" },
  "an unknown field": { resourceAttributes: { verb: "get", nothing: 1 } },
};

const SUBJECT_ACCESS: Readonly<Record<string, unknown>> = {
  "no user": { resourceAttributes: { verb: "get", resource: "pods" } },
  "a user": { user: "u", resourceAttributes: { verb: "get", resource: "pods" } },
  "a master": { user: "u", groups: ["system:masters"], resourceAttributes: { verb: "get", resource: "pods" } },
  "a group": { groups: ["system:authenticated"], nonResourceAttributes: { verb: "get", path: "/healthz" } },
  "an unauthenticated group": {
    groups: ["system:unauthenticated"],
    nonResourceAttributes: { verb: "get", path: "/version" },
  },
  "a group without rights": {
    groups: ["system:unauthenticated"],
    nonResourceAttributes: { verb: "get", path: "/apis" },
  },
  "discovery": {
    groups: ["system:authenticated"],
    nonResourceAttributes: { verb: "get", path: "/openapi/v3/apis/apps/v1" },
  },
  "a POST to discovery": { groups: ["system:authenticated"], nonResourceAttributes: { verb: "post", path: "/apis" } },
  "a self review": {
    groups: ["system:authenticated"],
    resourceAttributes: { verb: "create", group: "authorization.k8s.io", resource: "selfsubjectaccessreviews" },
  },
  "all verbs": { user: "u", groups: ["system:masters"], resourceAttributes: { verb: "*", resource: "*", group: "*" } },
  "nothing": { user: "u" },
  "extra": { user: "u", extra: { a: ["b"] }, resourceAttributes: { verb: "get", resource: "pods" } },
  "the namespace controller": {
    user: "system:serviceaccount:kube-system:namespace-controller",
    resourceAttributes: { verb: "delete", resource: "pods", namespace: "default" },
  },
};

const VIEW = "view", EDIT = "edit", ADMIN = "admin";
const ROLES = ["view", "edit", "admin"];
const boundRole = (role: string) =>
  create(`/apis/${RBAC}/clusterrolebindings`, {
    metadata: { name: `case-${role}` },
    roleRef: { apiGroup: GROUP, kind: "ClusterRole", name: role },
    subjects: [{ kind: "User", apiGroup: GROUP, name: `case-${role}` }],
  });
const rights = (role: string, verb: string, resource: string, group = "") => {
  const [plural, subresource] = resource.split("/");
  return named(
    `${role} may ${verb} ${resource}${group && `.${group}`}`,
    create(
      `${AUTHZ}/subjectaccessreviews`,
      review("SubjectAccessReview", {
        user: `case-${role}`,
        resourceAttributes: { verb, resource: plural, subresource, group, namespace: "$ns" },
      }),
      { only: ["status.allowed"] },
    ),
  );
};

const RIGHTS: readonly (readonly [string, string, string, string?])[] = [
  [VIEW, "get", "configmaps"],
  [VIEW, "get", "secrets"],
  [VIEW, "list", "pods"],
  [VIEW, "get", "pods/log"],
  [VIEW, "create", "pods/exec"],
  [VIEW, "watch", "deployments", "apps"],
  [VIEW, "get", "roles", GROUP],
  [VIEW, "list", "serviceaccounts"],
  [VIEW, "get", "leases", "coordination.k8s.io"],
  [VIEW, "get", "endpointslices", "discovery.k8s.io"],
  [VIEW, "get", "controllerrevisions", "apps"],
  [VIEW, "list", "events"],
  [VIEW, "get", "events", "events.k8s.io"],
  [VIEW, "get", "resourcequotas/status"],
  [VIEW, "get", "namespaces"],
  [VIEW, "get", "nodes"],
  [VIEW, "list", "poddisruptionbudgets", "policy"],
  [VIEW, "get", "ingresses", "networking.k8s.io"],
  [EDIT, "get", "secrets"],
  [EDIT, "create", "deployments", "apps"],
  [EDIT, "patch", "deployments/scale", "apps"],
  [EDIT, "update", "deployments/status", "apps"],
  [EDIT, "create", "pods/exec"],
  [EDIT, "create", "pods/eviction"],
  [EDIT, "create", "serviceaccounts/token"],
  [EDIT, "impersonate", "serviceaccounts"],
  [EDIT, "create", "roles", GROUP],
  [EDIT, "create", "leases", "coordination.k8s.io"],
  [EDIT, "create", "endpoints"],
  [EDIT, "create", "endpointslices", "discovery.k8s.io"],
  [EDIT, "create", "events"],
  [EDIT, "delete", "resourcequotas"],
  [EDIT, "create", "limitranges"],
  [EDIT, "delete", "controllerrevisions", "apps"],
  [EDIT, "create", "networkpolicies", "networking.k8s.io"],
  [ADMIN, "create", "roles", GROUP],
  [ADMIN, "create", "rolebindings", GROUP],
  [ADMIN, "create", "localsubjectaccessreviews", "authorization.k8s.io"],
  [ADMIN, "delete", "namespaces"],
  [ADMIN, "update", "resourcequotas"],
  [ADMIN, "bind", "roles", GROUP],
];

const tokenRequest = (spec: unknown, rest: Record<string, unknown> = {}) => ({
  apiVersion: "authentication.k8s.io/v1",
  kind: "TokenRequest",
  spec,
  ...rest,
});
const account = create("v1/serviceaccounts", { metadata: { name: "s" } }, {
  codeOnly: true,
  keep: { uid: "metadata.uid" },
});
const TOKEN = {
  only: ["kind", "apiVersion", "metadata.name", "metadata.namespace", "spec", "reason", "message", "details"],
};

const TOKEN_SPECS: Readonly<Record<string, unknown>> = {
  "nothing": {},
  "an audience": { audiences: ["a", "b"] },
  "no audiences": { audiences: [] },
  "an hour": { expirationSeconds: 3600 },
  "ten minutes": { expirationSeconds: 600 },
  "too short": { expirationSeconds: 599 },
  "zero": { expirationSeconds: 0 },
  "too long": { expirationSeconds: 4294967297 },
  "a year": { expirationSeconds: 31536000 },
  "seconds as a text": { expirationSeconds: "3600" },
  "an object that is not there": { boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p" } },
  "an object of a wrong kind": { boundObjectRef: { kind: "ConfigMap", apiVersion: "v1", name: "p" } },
  "an object without a name": { boundObjectRef: { kind: "Pod", apiVersion: "v1" } },
};

const reviewed = (name: string, audiences: readonly string[] | undefined, asked: readonly string[] | undefined) =>
  named(
    name,
    account,
    create("v1/serviceaccounts/s/token", tokenRequest({ ...audiences && { audiences } }), {
      codeOnly: true,
      keep: { token: "status.token" },
    }),
    create(`${AUTHN}/tokenreviews`, review("TokenReview", { token: "${token}", ...asked && { audiences: asked } }), {
      only: ["status.authenticated", "status.audiences", "status.user.username", "status.user.groups", "status.error"],
    }),
  );

const role = (name: string, rules: readonly unknown[]) => ({ metadata: { name }, rules });
const CONFIG_MAPS = { apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list"] };
const escalator = (...rules: readonly unknown[]): Step[] => [
  create(
    `${RBAC}/roles`,
    role("e", [{
      apiGroups: [GROUP],
      resources: ["roles", "rolebindings"],
      verbs: ["get", "create", "update", "patch", "delete"],
    }, ...rules]),
    {
      codeOnly: true,
    },
  ),
  create(`${RBAC}/rolebindings`, {
    metadata: { name: "e" },
    roleRef: { apiGroup: GROUP, kind: "Role", name: "e" },
    subjects: [{ kind: "User", apiGroup: GROUP, name: "$ns-u" }],
  }, { codeOnly: true }),
  until(`${RBAC}/roles/e`, {}, { "impersonate-user": "$ns-u" }),
];
const user = as("$ns-u");

/** Who asks, and what they may. */
export const identity: Area = {
  name: "identity",
  setup: [
    ...ROLES.map(boundRole),
    ...ROLES.map((role) => until("/api/v1/namespaces/default/pods", {}, { "impersonate-user": `case-${role}` })),
  ],
  scripts: [
    who("the administrator", { only: ["kind", "apiVersion", "status.userInfo.username"] }),
    who("an impersonated user", as("u")),
    who("an impersonated user with groups", as("u", { "impersonate-group": "g" })),
    who("an impersonated user with a uid", as("u", { "impersonate-uid": "1" })),
    who("an impersonated user with extra", as("u", { "impersonate-extra-a": "b", "impersonate-extra-c%2fd": "e" })),
    who("an impersonated account", as("system:serviceaccount:default:default")),
    who(
      "an impersonated account with groups",
      as("system:serviceaccount:default:default", { "impersonate-group": "g" }),
    ),
    who("an account that is no account's name", as("system:serviceaccount:default")),
    who("an impersonated node", as("system:node:n")),
    who("an anonymous user", as("system:anonymous")),
    who("an anonymous user in a group", as("system:anonymous", { "impersonate-group": "system:unauthenticated" })),
    who("a master", as("u", { "impersonate-group": "system:masters" })),
    who("an authenticated group", as("u", { "impersonate-group": "system:authenticated" })),
    who("a group without a user", { headers: { "impersonate-group": "g" } }),
    who("a uid without a user", { headers: { "impersonate-uid": "g" } }),
    who("extra without a user", { headers: { "impersonate-extra-a": "g" } }),
    who("an empty user", as("")),
    named(
      "a user who may not impersonate",
      get("v1/configmaps", {
        headers: { "impersonate-user": "u" },
      }),
    ),
    ...Object.entries(SELF_ACCESS).map(([name, spec]) =>
      named(
        `a SelfSubjectAccessReview of ${name}`,
        create(`${AUTHZ}/selfsubjectaccessreviews`, review("SelfSubjectAccessReview", spec), ANSWER),
        create(`${AUTHZ}/selfsubjectaccessreviews`, review("SelfSubjectAccessReview", spec), { ...as("u"), ...ANSWER }),
      )
    ),
    ...Object.entries(SUBJECT_ACCESS).map(([name, spec]) =>
      named(
        `a SubjectAccessReview of ${name}`,
        create(`${AUTHZ}/subjectaccessreviews`, review("SubjectAccessReview", spec), ANSWER),
      )
    ),
    named(
      "the whole answer to a review",
      create(`${AUTHZ}/selfsubjectaccessreviews`, review("SelfSubjectAccessReview", SELF_ACCESS["a path"])),
    ),
    named(
      "a LocalSubjectAccessReview",
      ...[{ namespace: "$ns" }, { namespace: "other" }, {}].map((more) =>
        create(
          "authorization.k8s.io/v1/localsubjectaccessreviews",
          review("LocalSubjectAccessReview", {
            user: "u",
            resourceAttributes: { verb: "get", resource: "pods", ...more },
          }),
          ANSWER,
        )
      ),
      create(
        "authorization.k8s.io/v1/localsubjectaccessreviews",
        review("LocalSubjectAccessReview", { user: "u" }),
        ANSWER,
      ),
      create(
        "authorization.k8s.io/v1/localsubjectaccessreviews",
        review("LocalSubjectAccessReview", { user: "u", nonResourceAttributes: { path: "/", verb: "get" } }),
        ANSWER,
      ),
    ),
    ...[{ namespace: "$ns" }, {}].map((spec) =>
      named(
        `rules of ${JSON.stringify(spec)}`,
        create(`${AUTHZ}/selfsubjectrulesreviews`, review("SelfSubjectRulesReview", spec), {
          ...as("u"),
          only: ["kind", "status.incomplete", "status.resourceRules.0", "message", "reason"],
        }),
      )
    ),
    named(
      "rules of a bound role",
      ...escalator(),
      create(`${AUTHZ}/selfsubjectrulesreviews`, review("SelfSubjectRulesReview", { namespace: "$ns" }), {
        ...user,
        only: ["status.incomplete"],
      }),
    ),
    named(
      "a review with a name",
      create(`${AUTHZ}/selfsubjectaccessreviews`, {
        ...review("SelfSubjectAccessReview", SELF_ACCESS["a path"]),
        metadata: { name: "a" },
      }, ANSWER),
      create(
        `${AUTHN}/selfsubjectreviews`,
        { ...review("SelfSubjectReview", undefined), metadata: { name: "a" } },
        ANSWER,
      ),
    ),
    named(
      "a review of another kind",
      create(`${AUTHZ}/selfsubjectaccessreviews`, review("TokenReview", {}), ANSWER),
    ),
    named(
      "a review by a dry run",
      create(
        `${AUTHZ}/selfsubjectaccessreviews?dryRun=All`,
        review("SelfSubjectAccessReview", SELF_ACCESS["a path"]),
        ANSWER,
      ),
    ),
    named(
      "a review by anybody",
      create(`${AUTHZ}/subjectaccessreviews`, review("SubjectAccessReview", SUBJECT_ACCESS["a user"]), as("u")),
      create(`${AUTHN}/tokenreviews`, review("TokenReview", { token: "x" }), as("u")),
      create(`${AUTHN}/selfsubjectreviews`, review("SelfSubjectReview", undefined), {
        ...as("u"),
        only: ["status.userInfo.username"],
      }),
    ),
    ...RIGHTS.map(([role, verb, resource, group]) => rights(role, verb, resource, group)),
    named(
      "what is forbidden and how it is said",
      get("v1/configmaps", as("u")),
      get("v1/configmaps/a", as("u")),
      create("v1/configmaps", { metadata: { name: "a" } }, as("u")),
      patch("merge", "v1/configmaps/a", {}, as("u")),
      patch("merge", "apps/v1/deployments/a/scale", {}, as("u")),
      remove("v1/configmaps/a", undefined, as("u")),
      remove("v1/configmaps", undefined, as("u")),
      get("v1/configmaps?watch=true", as("u")),
      get("/api/v1/configmaps", as("u")),
      get("/api/v1/nodes", as("u")),
      get("/api/v1/namespaces/$ns", as("u")),
      get("/apis/nothing.example.com/v1/nothing", as("u")),
      get("/nothing", as("u")),
      get("/metrics", as("u")),
      get("/", as("u")),
      get("/logs/x", as("u")),
      get("v1/pods/a/log", as("u")),
      update("/api/v1/namespaces/$ns/finalize", {}, as("u")),
      get("/api", { ...as("u"), codeOnly: true }),
      get("/version", { ...as("u"), codeOnly: true }),
      get("/openapi/v2", { ...as("u"), codeOnly: true }),
      get("/healthz", { ...as("u"), codeOnly: true }),
      get("/api", { ...as("system:anonymous"), codeOnly: true }),
      get("/healthz", { ...as("system:anonymous"), codeOnly: true }),
    ),
    named(
      "names of resources in a role",
      create(`${RBAC}/roles`, role("n", [{ ...CONFIG_MAPS, resourceNames: ["a"] }]), { codeOnly: true }),
      create(`${RBAC}/rolebindings`, {
        metadata: { name: "n" },
        roleRef: { apiGroup: GROUP, kind: "Role", name: "n" },
        subjects: [{ kind: "User", apiGroup: GROUP, name: "$ns-u" }],
      }, { codeOnly: true }),
      create("v1/configmaps", { metadata: { name: "a" } }, { codeOnly: true }),
      until("v1/configmaps/a", {}, { "impersonate-user": "$ns-u" }),
      get("v1/configmaps/a", { ...user, codeOnly: true }),
      get("v1/configmaps/b", { ...user, codeOnly: true }),
      get("v1/configmaps", { ...user, codeOnly: true }),
      get("v1/configmaps?fieldSelector=metadata.name%3Da", { ...user, codeOnly: true }),
      get("v1/configmaps?fieldSelector=metadata.name%3Db", { ...user, codeOnly: true }),
    ),
    named("a role beyond one's own rights", ...escalator(), create(`${RBAC}/roles`, role("r", [CONFIG_MAPS]), user)),
    named(
      "a role within one's own rights",
      ...escalator(CONFIG_MAPS),
      create(`${RBAC}/roles`, role("r", [CONFIG_MAPS]), { ...user, codeOnly: true }),
    ),
    named(
      "a role that grows beyond one's own rights",
      ...escalator(),
      create(`${RBAC}/roles`, role("r", []), { ...user, codeOnly: true }),
      patch("merge", `${RBAC}/roles/r`, { rules: [CONFIG_MAPS] }, user),
      update(`${RBAC}/roles/r`, role("r", [CONFIG_MAPS]), user),
      patch("merge", `${RBAC}/roles/r`, { metadata: { labels: { a: "b" } } }, { ...user, codeOnly: true }),
    ),
    named(
      "a role with the right to escalate",
      ...escalator({ apiGroups: [GROUP], resources: ["roles"], verbs: ["escalate"] }),
      create(`${RBAC}/roles`, role("r", [CONFIG_MAPS]), { ...user, codeOnly: true }),
    ),
    named(
      "a binding to a role beyond one's own rights",
      ...escalator(),
      create(`${RBAC}/roles`, role("r", [CONFIG_MAPS]), { codeOnly: true }),
      create(`${RBAC}/rolebindings`, {
        metadata: { name: "r" },
        roleRef: { apiGroup: GROUP, kind: "Role", name: "r" },
        subjects: [{ kind: "User", apiGroup: GROUP, name: "x" }],
      }, user),
      create(`${RBAC}/rolebindings`, {
        metadata: { name: "c" },
        roleRef: { apiGroup: GROUP, kind: "ClusterRole", name: "cluster-admin" },
        subjects: [{ kind: "User", apiGroup: GROUP, name: "x" }],
      }, { ...user, codeOnly: true }),
      create(`${RBAC}/rolebindings`, {
        metadata: { name: "d" },
        roleRef: { apiGroup: GROUP, kind: "Role", name: "nothing" },
        subjects: [{ kind: "User", apiGroup: GROUP, name: "x" }],
      }, user),
    ),
    named(
      "a binding with the right to bind",
      ...escalator({ apiGroups: [GROUP], resources: ["roles"], verbs: ["bind"], resourceNames: ["r"] }),
      create(`${RBAC}/roles`, role("r", [CONFIG_MAPS]), { codeOnly: true }),
      create(`${RBAC}/rolebindings`, {
        metadata: { name: "r" },
        roleRef: { apiGroup: GROUP, kind: "Role", name: "r" },
        subjects: [],
      }, { ...user, codeOnly: true }),
    ),
    named(
      "an aggregated role",
      create(`/apis/${RBAC}/clusterroles`, {
        metadata: { name: "$ns-all" },
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: { "$ns": "yes" } }] },
      }, { codeOnly: true }),
      create(`/apis/${RBAC}/clusterroles`, {
        metadata: { name: "$ns-part", labels: { "$ns": "yes" } },
        rules: [CONFIG_MAPS],
      }, {
        codeOnly: true,
      }),
      { until: `/apis/${RBAC}/clusterroles/$ns-all`, holds: { rules: [CONFIG_MAPS] } },
      remove(`/apis/${RBAC}/clusterroles/$ns-part`, undefined, { codeOnly: true }),
      remove(`/apis/${RBAC}/clusterroles/$ns-all`, undefined, { codeOnly: true }),
    ),
    ...["cluster-admin", "admin", "edit", "view", "system:basic-user", "system:discovery", "system:public-info-viewer"]
      .map((
        name,
      ) =>
        named(
          `the role ${name}`,
          get(`/apis/${RBAC}/clusterroles/${name}`, {
            only: ["metadata.name", "metadata.labels", "metadata.annotations", "aggregationRule"],
          }),
        )
      ),
    ...[
      "system:aggregate-to-view",
      "system:aggregate-to-edit",
      "system:aggregate-to-admin",
      "system:monitoring",
      "system:auth-delegator",
      "system:node",
    ]
      .map((name) => named(`the role ${name}`, get(`/apis/${RBAC}/clusterroles/${name}`, { codeOnly: true }))),
    ...["cluster-admin", "system:discovery", "system:public-info-viewer", "system:basic-user"].map((name) =>
      named(
        `the binding ${name}`,
        get(`/apis/${RBAC}/clusterrolebindings/${name}`, {
          only: ["metadata.labels", "metadata.annotations", "roleRef", "subjects"],
        }),
      )
    ),
    ...Object.entries(TOKEN_SPECS).map(([name, spec]) =>
      named(`a token with ${name}`, account, create("v1/serviceaccounts/s/token", tokenRequest(spec), TOKEN))
    ),
    named("a token without a body", account, create("v1/serviceaccounts/s/token", {}, TOKEN)),
    named(
      "a token of another kind",
      account,
      create("v1/serviceaccounts/s/token", { kind: "Pod", apiVersion: "v1" }, TOKEN),
    ),
    named(
      "a token of another account's name",
      account,
      create("v1/serviceaccounts/s/token", tokenRequest({}, { metadata: { name: "x" } }), TOKEN),
    ),
    named(
      "a token of an account that is not there",
      create("v1/serviceaccounts/nothing/token", tokenRequest({}), TOKEN),
    ),
    named("a read of tokens", account, get("v1/serviceaccounts/s/token")),
    named(
      "a token is a JWT",
      account,
      create("v1/serviceaccounts/s/token", tokenRequest({ audiences: ["a"] }), {
        codeOnly: true,
        keep: { token: "status.token" },
      }),
      create(`${AUTHN}/tokenreviews`, review("TokenReview", { token: "${token}x" }), {
        only: ["status.authenticated"],
      }),
      create(`${AUTHN}/tokenreviews`, review("TokenReview", { token: "x${token}" }), {
        only: ["status.authenticated"],
      }),
    ),
    reviewed("a review of a token without audiences", undefined, undefined),
    reviewed("a review of a token for its audience", ["a", "b"], ["b", "c"]),
    reviewed("a review of a token for another audience", ["a"], ["c"]),
    reviewed("a review of a token of another audience", ["a"], undefined),
    reviewed("a review of a token for the server's audience", undefined, ["https://kubernetes.default.svc"]),
    reviewed("a review of a token for another than the server's audience", undefined, ["x"]),
    reviewed("a review of a token for several audiences", ["a", "b"], ["b", "a"]),
    named(
      "a review of a token of a deleted account",
      account,
      create("v1/serviceaccounts/s/token", tokenRequest({}), { codeOnly: true, keep: { token: "status.token" } }),
      remove("v1/serviceaccounts/s", undefined, { codeOnly: true }),
      create(`${AUTHN}/tokenreviews`, review("TokenReview", { token: "${token}" }), { only: ["status.authenticated"] }),
    ),
    named(
      "a review of a token says whose it is",
      account,
      create("v1/serviceaccounts/s/token", tokenRequest({}), { codeOnly: true, keep: { token: "status.token" } }),
      create(`${AUTHN}/tokenreviews`, review("TokenReview", { token: "${token}" }), {
        only: ["status.user.uid", "status.user.username", "status.user.groups"],
      }),
    ),
    named("a review of an unknown token", create(`${AUTHN}/tokenreviews`, review("TokenReview", { token: "x" }))),
    named("a review without a token", create(`${AUTHN}/tokenreviews`, review("TokenReview", {}), ANSWER)),
    named("a review of an empty token", create(`${AUTHN}/tokenreviews`, review("TokenReview", { token: "" }), ANSWER)),
    named(
      "a token bound to a Pod",
      account,
      create("v1/pods", {
        metadata: { name: "p" },
        spec: { serviceAccountName: "s", containers: [{ name: "a", image: "a" }] },
      }, { codeOnly: true, keep: { pod: "metadata.uid" } }),
      create(
        "v1/serviceaccounts/s/token",
        tokenRequest({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p", uid: "${pod}" } }),
        {
          ...TOKEN,
          keep: { token: "status.token" },
        },
      ),
      create(`${AUTHN}/tokenreviews`, review("TokenReview", { token: "${token}" }), {
        only: ["status.authenticated", "status.user.extra.authentication.kubernetes.io/pod-name"],
      }),
      create(
        "v1/serviceaccounts/s/token",
        tokenRequest({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p", uid: "x" } }),
        TOKEN,
      ),
      remove("v1/pods/p", { gracePeriodSeconds: 0 }, { codeOnly: true }),
    ),
  ],
};
