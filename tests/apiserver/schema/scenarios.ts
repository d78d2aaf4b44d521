/**
 * What the real server and the pure functions are both asked. Shared with tools/record_answers.ts; `$NAME` is the
 * object's name.
 */

/** One request of a scenario. */
export interface Step {
  verb: "create" | "update" | "apply" | "merge" | "json" | "strategic";
  manager?: string;
  query?: Record<string, string>;
  body: unknown;
}

/** Requests on one object, in order. */
export interface Scenario {
  name: string;
  root: string;
  plural: string;
  kind: string;
  apiVersion: string;
  steps: Step[];
}

const FORMATS = ["date-time", "date", "email", "ipv4", "ipv6", "uri", "uuid", "byte", "duration", "cidr", "hostname"];

const spec = {
  type: "object",
  required: ["size"],
  properties: {
    size: { type: "integer", minimum: 1, maximum: 10 },
    ratio: { type: "number", minimum: 0, exclusiveMinimum: true, maximum: 1, exclusiveMaximum: true },
    even: { type: "integer", multipleOf: 2 },
    mode: { type: "string", enum: ["a", "b"], default: "a" },
    word: { type: "string", pattern: "^a+$", minLength: 2, maxLength: 5 },
    on: { type: "boolean" },
    tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" }, minItems: 1, maxItems: 3 },
    plain: { type: "array", items: { type: "integer" }, maxItems: 2 },
    parts: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name", "zone"],
      items: {
        type: "object",
        required: ["name"],
        properties: {
          name: { type: "string" },
          zone: { type: "string", default: "z" },
          count: { type: "integer", default: 1 },
          labels: { type: "object", additionalProperties: { type: "string" } },
        },
      },
    },
    labels: { type: "object", additionalProperties: { type: "string" }, maxProperties: 2 },
    needy: { type: "object", minProperties: 1, properties: { a: { type: "string" }, b: { type: "string" } } },
    port: { "x-kubernetes-int-or-string": true },
    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { known: { type: "object" } } },
    atomic: {
      type: "object",
      "x-kubernetes-map-type": "atomic",
      properties: { a: { type: "string" }, b: { type: "string" } },
    },
    maybe: { type: "string", nullable: true },
    filled: { type: "object", default: {}, properties: { deep: { type: "string", default: "d" } } },
    one: {
      type: "object",
      properties: { a: { type: "string" }, b: { type: "string" } },
      oneOf: [{ required: ["a"] }, { required: ["b"] }],
    },
    any: {
      type: "object",
      properties: { a: { type: "string" }, b: { type: "string" } },
      anyOf: [{ required: ["a"] }, { required: ["b"] }],
    },
    no: { type: "object", properties: { a: { type: "string" } }, not: { required: ["a"] } },
    formats: {
      type: "object",
      properties: Object.fromEntries(FORMATS.map((format) => [format, { type: "string", format }])),
    },
    template: { type: "object", "x-kubernetes-embedded-resource": true, properties: { spec: { type: "object" } } },
    range: {
      type: "object",
      properties: { low: { type: "integer" }, high: { type: "integer" }, name: { type: "string" } },
      "x-kubernetes-validations": [
        { rule: "!has(self.low) || !has(self.high) || self.low <= self.high", message: "low must not exceed high" },
        {
          rule: "!has(self.high) || self.high < 100",
          messageExpression: "self.high > 200 ? 'far too high' : 'too high'",
          reason: "FieldValueForbidden",
          fieldPath: ".high",
        },
        { rule: "!has(self.name) || self.name.startsWith('n')" },
      ],
    },
    fixed: {
      type: "string",
      maxLength: 20,
      "x-kubernetes-validations": [{ rule: "self == oldSelf", message: "is immutable" }],
    },
  },
};

/** A CRD that uses every part of a structural schema. */
export const WIDGET_CRD = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.shop.example.com" },
  spec: {
    group: "shop.example.com",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList", shortNames: ["wd"] },
    versions: [{
      name: "v1",
      served: true,
      storage: true,
      subresources: { status: {} },
      schema: {
        openAPIV3Schema: {
          type: "object",
          properties: { spec, status: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        },
      },
    }],
  },
};

const WIDGET = {
  root: "/apis/shop.example.com/v1/namespaces/default",
  plural: "widgets",
  kind: "Widget",
  apiVersion: "shop.example.com/v1",
};
const CONFIG_MAP = { root: "/api/v1/namespaces/default", plural: "configmaps", kind: "ConfigMap", apiVersion: "v1" };
const DEPLOYMENT = {
  root: "/apis/apps/v1/namespaces/default",
  plural: "deployments",
  kind: "Deployment",
  apiVersion: "apps/v1",
};

type Target = Omit<Scenario, "name" | "steps">;

function of(
  target: Target,
  fields: Record<string, unknown>,
  metadata: Record<string, unknown> = {},
): Record<string, unknown> {
  return { apiVersion: target.apiVersion, kind: target.kind, metadata: { name: "$NAME", ...metadata }, ...fields };
}

function widget(name: string, ...specs: Record<string, unknown>[]): Scenario {
  const steps = specs.map((content, index): Step => ({
    verb: index === 0 ? "create" : "merge",
    body: index === 0 ? of(WIDGET, { spec: { size: 1, ...content } }) : { spec: content },
  }));
  return { name, ...WIDGET, steps };
}

function applied(
  name: string,
  target: Target,
  ...steps: [string, Record<string, unknown>, Partial<Step>?][]
): Scenario {
  return {
    name,
    ...target,
    steps: steps.map(([manager, body, extra]) => ({
      verb: "apply",
      manager,
      body: extra?.verb && extra.verb !== "update" && extra.verb !== "create" ? body : { ...of(target, {}), ...body },
      ...extra,
    })),
  };
}

const FORCE = { query: { force: "true" } };

const VALIDATION: Scenario[] = [
  widget("below minimum", { size: 0 }),
  widget("above maximum", { size: 11 }),
  widget("exclusive bounds", { ratio: 0 }),
  widget("exclusive upper bound", { ratio: 1 }),
  widget("multiple", { even: 3 }),
  widget("enum", { mode: "c" }),
  widget("pattern", { word: "bbb" }),
  widget("too short", { word: "a" }),
  widget("too long", { word: "aaaaaaa" }),
  widget("wrong types", { on: "yes", tags: "x", labels: 3, word: 1 }),
  widget("wrong item type", { plain: [1, "x"] }),
  widget("int or string", { port: true }),
  widget("int or string accepted", { port: "http" }),
  widget("too many items", { plain: [1, 2, 3] }),
  widget("too few items", { tags: [] }),
  widget("too many properties", { labels: { a: "1", b: "2", c: "3" } }),
  widget("too few properties", { needy: {} }),
  widget("duplicate in set", { tags: ["a", "b", "a"] }),
  widget("duplicate in map list", { parts: [{ name: "a" }, { name: "a", zone: "z" }, { name: "a", zone: "y" }] }),
  widget("missing key", { parts: [{ zone: "a" }] }),
  widget("null required", { size: null }),
  widget("nullable", { maybe: null }),
  widget("null not nullable", { word: null, labels: null, mode: null }),
  widget("one of none", { one: {} }),
  widget("one of both", { one: { a: "1", b: "2" } }),
  widget("one of one", { one: { a: "1" } }),
  widget("any of none", { any: {} }),
  widget("not", { no: { a: "1" } }),
  widget("embedded resource lacks identity", { template: { spec: {} } }),
  widget("embedded resource", {
    template: { apiVersion: "v1", kind: "Pod", metadata: { name: "x", unknown: 1 }, spec: { a: 1 }, extra: 1 },
  }),
  widget("unknown fields", {
    unknown: 1,
    parts: [{ name: "a", unknown: 2 }],
    free: { any: { x: 1 }, known: { y: 1 } },
  }),
  ...FORMATS.map((format) => widget(`format ${format}`, { formats: { [format]: "not valid §" } })),
  widget("formats accepted", {
    formats: {
      "date-time": "2024-01-02T03:04:05.678Z",
      date: "2024-01-02",
      email: "a@example.com",
      ipv4: "10.0.0.1",
      ipv6: "fd00::1",
      uri: "https://example.com/a?b",
      uuid: "123e4567-e89b-12d3-a456-426614174000",
      byte: "YWJj",
      duration: "1h30m",
      cidr: "10.0.0.0/8",
      hostname: "a.example.com",
    },
  }),
  widget("rule with message", { range: { low: 2, high: 1 } }),
  widget("rule with message expression", { range: { high: 100 } }),
  widget("rule without message", { range: { name: "x" } }),
  widget("rules accepted", { range: { low: 1, high: 2, name: "n" } }),
  widget("transition rule", { fixed: "a" }, { fixed: "b" }),
  widget("transition rule accepted", { fixed: "a" }, { fixed: "a", size: 2 }),
  {
    name: "strict unknown fields",
    ...WIDGET,
    steps: [{
      verb: "create",
      query: { fieldValidation: "Strict" },
      body: of(WIDGET, { spec: { size: 1, foo: 1, parts: [{ name: "a", bar: 2 }] }, zoo: 1 }, { odd: 1 }),
    }],
  },
];

const container = { name: "a", image: "registry.example/a:1", ports: [{ containerPort: 80 }] };
const podSpec = { containers: [container] };
const deployment = (replicas: number | undefined, ...containers: Record<string, unknown>[]) => ({
  spec: {
    ...(replicas === undefined ? {} : { replicas }),
    selector: { matchLabels: { a: "b" } },
    template: { metadata: { labels: { a: "b" } }, spec: { containers } },
  },
});

const APPLY: Scenario[] = [
  applied("apply twice", CONFIG_MAP, ["m", { data: { a: "1" } }], ["m", { data: { a: "1" } }]),
  applied("apply removes what it owned", CONFIG_MAP, ["m", { data: { a: "1", b: "2" } }], ["m", { data: { b: "2" } }], [
    "m",
    {},
  ]),
  applied("two managers share", CONFIG_MAP, ["m", { data: { a: "1", b: "2" } }], ["n", { data: { a: "1", c: "3" } }], [
    "m",
    {
      data: { b: "2" },
    },
  ], ["n", { data: { c: "3" } }]),
  applied("conflict", CONFIG_MAP, ["m", { data: { a: "1", b: "2" } }], ["n", { data: { a: "x", b: "y" } }]),
  applied("conflict with an updater", CONFIG_MAP, ["m", { data: { a: "1" } }, { verb: "create" }], ["n", {
    data: { a: "2" },
  }]),
  applied("force", CONFIG_MAP, ["m", { data: { a: "1", b: "2" } }], ["n", { data: { a: "x" } }, FORCE], ["m", {
    data: { b: "2" },
  }]),
  applied("update takes fields", CONFIG_MAP, ["m", { data: { a: "1", b: "2" } }], ["u", { data: { a: "9", c: "3" } }, {
    verb: "update",
  }], ["m", { data: { a: "1" } }]),
  applied("merge patch takes fields", CONFIG_MAP, ["m", { data: { a: "1", b: "2" } }], ["u", { data: { a: "9" } }, {
    verb: "merge",
  }], ["u", { data: { b: null } }, { verb: "merge" }]),
  applied("reset managed fields", CONFIG_MAP, ["m", { data: { a: "1" } }], [
    "u",
    { metadata: { managedFields: [{}] } },
    {
      verb: "merge",
    },
  ], ["n", { data: { b: "1" } }]),
  applied("empty maps and metadata", CONFIG_MAP, ["m", {
    metadata: { name: "$NAME", labels: {}, annotations: { a: "b" }, finalizers: ["x.example/y"] },
    data: {},
  }], ["m", { metadata: { name: "$NAME", labels: { a: "b" } } }]),
  applied(
    "containers by name",
    DEPLOYMENT,
    ["m", deployment(undefined, container, { name: "b", image: "b:1" })],
    [
      "n",
      { spec: { template: { spec: { containers: [{ name: "a", env: [{ name: "A", value: "1" }] }] } } } },
    ],
    ["m", deployment(2, { name: "b", image: "b:2" }, container)],
    ["m", deployment(2, container)],
    [
      "n",
      { spec: { replicas: 3 } },
    ],
  ),
  applied(
    "widget lists",
    WIDGET,
    [
      "m",
      { spec: { size: 1, tags: ["a", "b"], parts: [{ name: "p", count: 3 }, { name: "q" }], plain: [1] } },
    ],
    ["n", { spec: { tags: ["b", "c"], parts: [{ name: "p", labels: { x: "y" } }] } }],
    ["m", {
      spec: { size: 1, tags: ["b"], parts: [{ name: "q" }], plain: [2] },
    }],
    ["m", { spec: { size: 1, parts: [{ name: "p", count: 1 }] } }],
    ["n", { spec: {} }],
  ),
  applied(
    "widget order",
    WIDGET,
    ["m", { spec: { size: 1, tags: ["a", "b"] } }],
    ["n", { spec: { tags: ["c", "a"] } }],
    [
      "m",
      { spec: { size: 1, tags: ["b", "a"] } },
    ],
  ),
  applied(
    "widget atomic and free",
    WIDGET,
    ["m", { spec: { size: 1, atomic: { a: "1" }, free: { x: { y: [1] }, z: 1 } } }],
    [
      "n",
      { spec: { atomic: { b: "1" } } },
    ],
    ["n", { spec: { atomic: { a: "1" }, free: { x: { q: 1 } } } }],
    ["m", { spec: { size: 1 } }],
    ["n", { spec: {} }],
  ),
  applied("widget empties", WIDGET, ["m", { spec: { size: 1, labels: { a: "1" }, needy: { a: "x" }, plain: [] } }], [
    "m",
    {
      spec: { size: 1, labels: {}, plain: [1] },
    },
  ], ["m", { spec: { size: 1 } }]),
  applied("widget defaults and maps", WIDGET, ["m", { spec: { size: 1, labels: { a: "1" } } }], ["u", {
    spec: { labels: { b: "2" }, mode: "b" },
  }, { verb: "merge" }], ["m", { spec: { size: 1, mode: "b" } }]),
  applied("widget duplicate items", WIDGET, ["m", { spec: { size: 1, tags: ["a", "a"] } }]),
  applied(
    "apply onto a created object",
    WIDGET,
    ["c", { spec: { size: 1, tags: ["a"], free: { a: 1 } } }, { verb: "create" }],
    [
      "m",
      { spec: { size: 1, tags: ["a", "b"] } },
    ],
    ["m", { spec: { size: 2 } }],
    ["m", { spec: { size: 2 } }, FORCE],
  ),
];

const STRATEGIC: Scenario[] = [
  ["merges containers by name", {
    spec: { template: { spec: { containers: [{ name: "a", image: "a:2" }, { name: "c", image: "c:1" }] } } },
  }],
  ["deletes a container", { spec: { template: { spec: { containers: [{ name: "b", $patch: "delete" }] } } } }],
  ["replaces containers", {
    spec: { template: { spec: { containers: [{ $patch: "replace" }, { name: "z", image: "z:1" }] } } },
  }],
  ["orders containers", {
    spec: {
      template: {
        spec: {
          "$setElementOrder/containers": [{ name: "b" }, { name: "a" }],
          containers: [{ name: "b", image: "b:3" }],
        },
      },
    },
  }],
  ["deletes a label", { metadata: { labels: { x: null, y: "2" } } }],
  ["replaces a map", { metadata: { labels: { $patch: "replace", only: "1" } } }],
  ["retains keys", { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } }],
  ["deletes from a list of texts", { metadata: { "$deleteFromPrimitiveList/finalizers": ["a.example/x"] } }],
  ["adds to a list of texts", { metadata: { finalizers: ["c.example/x", "a.example/x"] } }],
  ["deletes a map", { metadata: { labels: { $patch: "delete" } } }],
  ["adds a port beside one of its number", {
    spec: {
      template: {
        spec: { containers: [{ name: "a", ports: [{ containerPort: 80, name: "http" }, { containerPort: 81 }] }] },
      },
    },
  }],
  ["item without its key", { spec: { template: { spec: { containers: [{ image: "x" }] } } } }],
  ["unknown directive", { metadata: { labels: { $patch: "frob" } } }],
].map(([name, body]): Scenario => ({
  name: `strategic: ${name}`,
  ...DEPLOYMENT,
  steps: [
    {
      verb: "create",
      body: of(DEPLOYMENT, deployment(1, container, { name: "b", image: "b:1" }), {
        labels: { x: "1" },
        finalizers: ["a.example/x", "b.example/x"],
      }),
    },
    { verb: "strategic", body },
  ],
}));

function created(
  name: string,
  target: Target,
  fields: Record<string, unknown>,
  metadata?: Record<string, unknown>,
): Scenario {
  return { name: `defaults: ${name}`, ...target, steps: [{ verb: "create", body: of(target, fields, metadata) }] };
}

function at(apiVersion: string, kind: string, plural: string, namespaced = true): Target {
  const root = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
  return { apiVersion, kind, plural, root: namespaced ? `${root}/namespaces/default` : root };
}

const jobTemplate = { template: { spec: { ...podSpec, restartPolicy: "Never" } } };
const webhook = {
  name: "a.example.com",
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  clientConfig: { service: { name: "s", namespace: "n" } },
  rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }],
};

const DEFAULTS: Scenario[] = [
  created("deployment", DEPLOYMENT, deployment(undefined, container)),
  created("stateful set", at("apps/v1", "StatefulSet", "statefulsets"), {
    spec: {
      serviceName: "s",
      selector: { matchLabels: { a: "b" } },
      template: { metadata: { labels: { a: "b" } }, spec: podSpec },
    },
  }),
  created("daemon set", at("apps/v1", "DaemonSet", "daemonsets"), {
    spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: podSpec } },
  }),
  created("replica set", at("apps/v1", "ReplicaSet", "replicasets"), {
    spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: podSpec } },
  }),
  created("pod", at("v1", "Pod", "pods"), {
    spec: {
      containers: [{
        name: "a",
        image: "a",
        resources: { limits: { cpu: "1000m", memory: "1024Mi" } },
        livenessProbe: { httpGet: { port: 80 } },
        env: [{ name: "N", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
        volumeMounts: [],
      }],
      volumes: [
        { name: "s", secret: { secretName: "s" } },
        { name: "e" },
        { name: "c", configMap: { name: "c" } },
        { name: "p", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } },
      ],
      serviceAccountName: "x",
    },
  }),
  created("job", at("batch/v1", "Job", "jobs"), {
    spec: {
      ...jobTemplate,
      manualSelector: true,
      selector: { matchLabels: { a: "b" } },
      template: { ...jobTemplate.template, metadata: { labels: { a: "b" } } },
    },
  }),
  created("cron job", at("batch/v1", "CronJob", "cronjobs"), {
    spec: { schedule: "* * * * *", jobTemplate: { spec: jobTemplate } },
  }),
  created("secret", at("v1", "Secret", "secrets"), { data: { a: "Yg==" } }),
  created("config map with empties", CONFIG_MAP, { data: {}, binaryData: null }, { labels: {}, finalizers: [] }),
  created("service", at("v1", "Service", "services"), {
    spec: { clusterIP: "None", ports: [{ port: 80 }], selector: { a: "b" } },
  }),
  created("namespace", at("v1", "Namespace", "namespaces", false), {}),
  created("role binding", at("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"), {
    roleRef: { kind: "Role", name: "r", apiGroup: "rbac.authorization.k8s.io" },
    subjects: [{ kind: "User", name: "u" }, { kind: "ServiceAccount", name: "s", namespace: "default" }],
  }),
  created("role", at("rbac.authorization.k8s.io/v1", "Role", "roles"), { rules: [] }),
  created(
    "validating webhook",
    at("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false),
    { webhooks: [webhook] },
  ),
  created(
    "mutating webhook",
    at("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false),
    { webhooks: [webhook] },
  ),
  created("network policy", at("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"), {
    spec: { podSelector: {}, egress: [{ ports: [{ port: 53 }] }] },
  }),
  created("lease", at("coordination.k8s.io/v1", "Lease", "leases"), {
    spec: { holderIdentity: "me", leaseDurationSeconds: 15 },
  }),
  created("disruption budget", at("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"), {
    spec: { minAvailable: 1, selector: {} },
  }),
  created("ingress", at("networking.k8s.io/v1", "Ingress", "ingresses"), {
    spec: {
      rules: [{
        host: "a.example.com",
        http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "s", port: { number: 80 } } } }] },
      }],
    },
  }),
];

/** Every scenario. */
export const SCENARIOS: readonly Scenario[] = [...VALIDATION, ...APPLY, ...STRATEGIC, ...DEFAULTS];
