import { create, patch, remove, type RequestOptions, type Script, type Step, update } from "../script.ts";

const REGISTRATION = "admissionregistration.k8s.io/v1";
const POLICIES = `/apis/${REGISTRATION}/validatingadmissionpolicies`;
const BINDINGS = `/apis/${REGISTRATION}/validatingadmissionpolicybindings`;

type Fields = Record<string, unknown>;

const RULE = {
  apiGroups: [""],
  apiVersions: ["v1"],
  operations: ["CREATE", "UPDATE", "DELETE"],
  resources: ["configmaps"],
};

function policy(name: string, spec: Fields): Fields {
  return {
    apiVersion: REGISTRATION,
    kind: "ValidatingAdmissionPolicy",
    metadata: { name },
    spec: {
      matchConstraints: { resourceRules: [RULE], objectSelector: { matchLabels: { policy: name } } },
      ...spec,
    },
  };
}

function binding(name: string, spec: Fields): Fields {
  return {
    apiVersion: REGISTRATION,
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { name },
    spec: { policyName: name, validationActions: ["Deny"], ...spec },
  };
}

function configMap(label: string, data: Record<string, string>, name = "a"): Fields {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, labels: { policy: label } }, data };
}

/** Policies come into effect some time after they are made, so all are made before the first script. */
export const policySetup: Step[] = [
  {
    ...create("/api/v1/namespaces/default/configmaps", {
      ...configMap("none", { max: "3" }, "limits"),
    }, { codeOnly: true }),
  },
  create("/api/v1/namespaces/default/configmaps", {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "more-limits", labels: { limits: "yes" } },
    data: { max: "2" },
  }, { codeOnly: true }),
];

const scripts: Script[] = [];

/** A policy with one binding, and what it does to writes of ConfigMaps with its label. */
function inEffect(name: string, spec: Fields, bound: Fields, steps: (label: string) => Step[]): void {
  const label = `p${scripts.length}`;
  policySetup.push(
    create(POLICIES, policy(label, spec), { codeOnly: true }),
    create(BINDINGS, binding(label, bound), { codeOnly: true }),
  );
  scripts.push({ name: `a policy ${name}`, steps: steps(label) });
}

/** Creates ConfigMaps with these data, each as a dry run. */
function creates(...all: Record<string, string>[]): (label: string) => Step[] {
  return (label) => all.map((data) => create("v1/configmaps?dryRun=All", configMap(label, data)));
}

function validations(...all: Fields[]): Fields {
  return { validations: all };
}

const size = "int(object.data.size)";

inEffect("denies", validations({ expression: `${size} < 5` }), {}, creates({ size: "5" }, { size: "4" }));
inEffect(
  "denies with a message",
  validations({ expression: `${size} < 5`, message: " too large " }),
  {},
  creates({ size: "5" }),
);
inEffect(
  "denies with a message expression",
  validations({ expression: `${size} < 5`, message: "m", messageExpression: "'size is ' + object.data.size" }),
  {},
  creates({ size: "5" }),
);
inEffect(
  "denies with a message expression that fails",
  validations({ expression: `${size} < 5`, message: "m", messageExpression: "string(object.data.none)" }),
  {},
  creates({ size: "5" }),
);
for (const reason of ["Forbidden", "RequestEntityTooLarge", "Invalid"]) {
  inEffect(`denies for the reason ${reason}`, validations({ expression: "false", reason }), {}, creates({}));
}
inEffect("fails", validations({ expression: `${size} < 5` }), {}, creates({}, { size: "x" }));
inEffect(
  "fails and is ignored",
  { failurePolicy: "Ignore", ...validations({ expression: `${size} < 5` }) },
  {},
  creates({}, { size: "5" }),
);
inEffect(
  "warns",
  validations({ expression: `${size} < 5`, message: "large" }),
  { validationActions: ["Warn"] },
  creates({
    size: "5",
  }),
);
inEffect(
  "audits",
  validations({ expression: "false" }),
  { validationActions: ["Audit"] },
  creates({}),
);
inEffect(
  "with several validations",
  validations({ expression: "true" }, { expression: "false", message: "second" }, { expression: "false" }),
  {},
  creates({}),
);
inEffect(
  "with variables",
  {
    variables: [
      { name: "size", expression: size },
      { name: "double", expression: "variables.size * 2" },
      { name: "unused", expression: "1 / 0" },
    ],
    ...validations({
      expression: "variables.double < 10",
      messageExpression: "'twice is ' + string(variables.double)",
    }),
  },
  {},
  creates({ size: "4" }, { size: "5" }, { size: "x" }),
);
inEffect(
  "with conditions",
  {
    matchConditions: [{ name: "sized", expression: "has(object.data) && 'size' in object.data" }, {
      name: "not-skipped",
      expression: "object.data.size != 'skip'",
    }],
    ...validations({ expression: "false" }),
  },
  {},
  creates({}, { size: "skip" }, { size: "1" }),
);
inEffect(
  "with a condition that fails",
  { matchConditions: [{ name: "a", expression: "object.data.none == 'x'" }], ...validations({ expression: "true" }) },
  {},
  creates({}),
);
inEffect(
  "with a condition that fails and another that is false",
  {
    matchConditions: [{ name: "a", expression: "object.data.none == 'x'" }, { name: "b", expression: "false" }],
    ...validations({ expression: "false" }),
  },
  {},
  creates({}),
);
inEffect(
  "on updates and deletions",
  validations({ expression: "request.operation != 'UPDATE' || object.data.a == oldObject.data.a", message: "fixed" }, {
    expression: "request.operation != 'DELETE' || object == null && oldObject.data.a == 'b'",
    message: "kept",
  }),
  {},
  (label) => [
    create("v1/configmaps", configMap(label, { a: "a" })),
    update("v1/configmaps/a", configMap(label, { a: "a", b: "b" })),
    update("v1/configmaps/a", configMap(label, { a: "b" })),
    patch("merge", "v1/configmaps/a", { data: { a: "c" } }),
    patch("apply", "v1/configmaps/a?force=true", configMap(label, { a: "d" })),
    remove("v1/configmaps/a"),
  ],
);
const params = { paramKind: { apiVersion: "v1", kind: "ConfigMap" } };
const limited = {
  ...params,
  ...validations({ expression: `${size} <= int(params.data.max)`, messageExpression: "'at most ' + params.data.max" }),
};
inEffect(
  "with parameters",
  limited,
  { paramRef: { name: "limits", namespace: "default", parameterNotFoundAction: "Deny" } },
  creates({ size: "3" }, { size: "4" }),
);
inEffect(
  "with selected parameters",
  limited,
  { paramRef: { selector: { matchLabels: { limits: "yes" } }, namespace: "default", parameterNotFoundAction: "Deny" } },
  creates({ size: "2" }, { size: "3" }),
);
inEffect(
  "without its parameters",
  limited,
  { paramRef: { name: "none", namespace: "default", parameterNotFoundAction: "Deny" } },
  creates({ size: "3" }),
);
inEffect(
  "that runs only with parameters",
  limited,
  { paramRef: { name: "none", namespace: "default", parameterNotFoundAction: "Allow" } },
  creates({ size: "9" }),
);
inEffect("whose binding has no parameters", limited, {}, creates({ size: "3" }));
inEffect(
  "with parameters of an unknown kind",
  { ...limited, paramKind: { apiVersion: "nowhere.example.com/v1", kind: "Nothing" } },
  { paramRef: { name: "limits", parameterNotFoundAction: "Allow" } },
  creates({ size: "3" }),
);
inEffect(
  "with parameters of the object's namespace",
  limited,
  { paramRef: { name: "own", parameterNotFoundAction: "Deny" } },
  (label) => [
    create("v1/configmaps", { ...configMap("none", { max: "1" }, "own") }),
    ...creates({ size: "2" })(label),
  ],
);
inEffect(
  "on the request",
  validations({
    expression: "request.userInfo.username == 'somebody'",
    messageExpression: "request.operation + ' ' + request.kind.kind + ' ' + request.resource.resource + ' ' + " +
      "request.name + ' ' + string(request.dryRun) + ' ' + string(has(request.subResource))",
  }),
  {},
  creates({}),
);
inEffect(
  "on the namespace",
  validations({
    expression: "namespaceObject.metadata.name == 'nowhere'",
    messageExpression: "namespaceObject.status.phase + ' ' + string('kubernetes.io/metadata.name' in " +
      "namespaceObject.metadata.labels)",
  }),
  {},
  creates({}),
);
inEffect(
  "that asks the authorizer",
  validations({
    expression: "authorizer.group('').resource('pods').namespace('default').check('delete').allowed()",
    message: "may not delete pods",
  }, {
    expression: "authorizer.requestResource.check('frobnicate').allowed()",
    message: "may not frobnicate",
  }, {
    expression: "!authorizer.serviceAccount('default', 'default').path('/metrics').check('get').allowed()",
    message: "service account",
  }),
  {},
  (label) =>
    [{}, { user: { name: "$ns-user", groups: ["$ns-users"] } }].map((options: RequestOptions) =>
      create("v1/configmaps?dryRun=All", configMap(label, {}), options)
    ),
);
inEffect(
  "with audit annotations",
  {
    auditAnnotations: [{ key: "size", valueExpression: "string(object.data.size)" }, {
      key: "none",
      valueExpression: "null",
    }],
  },
  {},
  creates({ size: "1" }, {}),
);
inEffect(
  "that costs too much",
  validations({
    expression: "lists.range(200).all(a, lists.range(200).all(b, lists.range(200).all(c, a + b + c >= 0)))",
  }),
  {},
  creates({}),
);
inEffect(
  "whose binding matches other objects",
  validations({ expression: "false" }),
  { matchResources: { objectSelector: { matchLabels: { other: "yes" } } } },
  creates({}),
);
inEffect(
  "whose binding matches other resources",
  validations({ expression: "false" }),
  { matchResources: { resourceRules: [{ ...RULE, resources: ["secrets"] }] } },
  creates({}),
);
inEffect(
  "whose binding excludes a name",
  validations({ expression: "false" }),
  { matchResources: { excludeResourceRules: [{ ...RULE, resourceNames: ["a"] }] } },
  (label) => [...creates({})(label), create("v1/configmaps?dryRun=All", configMap(label, {}, "b"))],
);

/** A policy or binding that is refused. */
function refused(name: string, spec: Fields, extra: Fields = {}): Script {
  const object = { ...policy("p", spec), ...extra };
  return { name: `a policy ${name} is refused`, steps: [create(`${POLICIES}?dryRun=All`, object)] };
}

function unbound(name: string, spec: Fields): Script {
  return { name: `a binding ${name} is refused`, steps: [create(`${BINDINGS}?dryRun=All`, binding("p", spec))] };
}

const holds = validations({ expression: "true" });

const refusals: Script[] = [
  refused("without validations", {}),
  refused("without constraints", { ...holds, matchConstraints: undefined }),
  refused("without rules", { ...holds, matchConstraints: { resourceRules: [] } }),
  refused("with an incomplete rule", { ...holds, matchConstraints: { resourceRules: [{}] } }),
  refused("with wildcards and more", {
    ...holds,
    matchConstraints: {
      resourceRules: [{
        apiGroups: ["*", "apps"],
        apiVersions: ["*", "v1"],
        operations: ["*", "CREATE"],
        resources: ["pods/*", "pods/status", "*", "services"],
      }],
    },
  }),
  refused("with an unknown operation", {
    ...holds,
    matchConstraints: { resourceRules: [{ ...RULE, operations: ["READ"] }] },
  }),
  refused("with an unknown failure policy", { ...holds, failurePolicy: "Maybe" }),
  refused("whose expression does not compile", validations({ expression: "object." })),
  refused(
    "whose expression is no condition",
    validations({ expression: "object.data.size + 1" }, { expression: "'a'" }),
  ),
  refused("with an unknown name", validations({ expression: "params.x == 1 || self.x == 1" })),
  refused("with an unknown field of the request", validations({ expression: "request.verb == 'x'" })),
  refused("without expression", validations({ expression: " " })),
  refused("with an unknown reason", validations({ expression: "true", reason: "Because" })),
  refused("with an empty message", validations({ expression: "true", message: " ", messageExpression: " " })),
  refused("with a message of two lines", validations({ expression: "true", message: "a\nb" })),
  refused("whose message is no text", validations({ expression: "true", messageExpression: "1" })),
  refused(
    "whose message asks the authorizer",
    validations({
      expression: "true",
      messageExpression: "string(authorizer.path('/').check('get').allowed())",
    }),
  ),
  refused("with bad variables", {
    ...holds,
    variables: [{ name: "a-b", expression: "1" }, { name: "", expression: " " }, { name: "c", expression: "nothing" }, {
      name: "d",
      expression: "variables.later",
    }],
  }),
  refused("whose variable has another type", {
    variables: [{ name: "a", expression: "1" }],
    ...validations({ expression: "variables.a == 'x'" }),
  }),
  refused("with an unknown variable", {
    variables: [{ name: "a", expression: "1" }],
    ...validations({ expression: "variables.b == 1" }),
  }),
  refused("with bad conditions", {
    ...holds,
    matchConditions: [{ name: "a", expression: "1" }, { name: "a", expression: "true" }, { name: "", expression: "" }, {
      name: "§",
      expression: "variables.x",
    }],
  }),
  refused("with bad audit annotations", {
    auditAnnotations: [{ key: "§", valueExpression: "1" }, { key: "a", valueExpression: "" }, {
      key: "a",
      valueExpression: "'x'",
    }],
  }),
  refused("with a bad parameter kind", { ...holds, paramKind: { apiVersion: "a/b/c", kind: "" } }),
  refused("with a parameter kind of no version", { ...holds, paramKind: { apiVersion: "A_B/", kind: "x y" } }),
  unbound("without policy", { policyName: "" }),
  unbound("with a bad name", { policyName: "A B" }),
  unbound("without actions", { validationActions: [] }),
  unbound("with unknown and repeated actions", { validationActions: ["Stop", "Audit", "Audit"] }),
  unbound("that denies and warns", { validationActions: ["Deny", "Warn"] }),
  unbound("with a name and a selector", { paramRef: { name: "a", selector: {}, parameterNotFoundAction: "Deny" } }),
  unbound("with neither a name nor a selector", { paramRef: {} }),
  unbound("with an unknown action for no parameters", { paramRef: { name: "a", parameterNotFoundAction: "Maybe" } }),
];

/** ValidatingAdmissionPolicies. */
export const policyScripts: readonly Script[] = [...refusals, ...scripts];
