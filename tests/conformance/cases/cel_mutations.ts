import { create, type Script, type Step, update } from "../script.ts";

const REGISTRATION = "admissionregistration.k8s.io/v1";
const POLICIES = `/apis/${REGISTRATION}/mutatingadmissionpolicies`;
const BINDINGS = `/apis/${REGISTRATION}/mutatingadmissionpolicybindings`;

type Fields = Record<string, unknown>;

const RULE = {
  apiGroups: ["", "apps"],
  apiVersions: ["v1"],
  operations: ["CREATE", "UPDATE"],
  resources: ["configmaps", "deployments"],
};

function policy(name: string, spec: Fields): Fields {
  return {
    apiVersion: REGISTRATION,
    kind: "MutatingAdmissionPolicy",
    metadata: { name },
    spec: {
      matchConstraints: { resourceRules: [RULE], objectSelector: { matchLabels: { mutation: name } } },
      reinvocationPolicy: "Never",
      ...spec,
    },
  };
}

function binding(name: string, spec: Fields): Fields {
  return {
    apiVersion: REGISTRATION,
    kind: "MutatingAdmissionPolicyBinding",
    metadata: { name },
    spec: { policyName: name, ...spec },
  };
}

function configMap(label: string, data: Record<string, string>): Fields {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", labels: { mutation: label } }, data };
}

function deployment(label: string): Fields {
  const labels = { app: "a" };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "a", labels: { mutation: label } },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
  };
}

/** Policies come into effect some time after they are made, so all are made before the first script. */
export const mutationSetup: Step[] = [];

const scripts: Script[] = [];

/** A policy with one binding, and what it does to writes of objects with its label. */
function inEffect(name: string, spec: Fields, steps: (label: string) => Step[], bound: Fields = {}): void {
  const label = `m${scripts.length}`;
  mutationSetup.push(
    create(POLICIES, policy(label, spec), { codeOnly: true }),
    create(BINDINGS, binding(label, bound), { codeOnly: true }),
  );
  scripts.push({ name: `a mutating policy ${name}`, steps: steps(label) });
}

function maps(...all: Record<string, string>[]): (label: string) => Step[] {
  return (label) => all.map((data) => create("v1/configmaps?dryRun=All", configMap(label, data)));
}

function deployments(label: string): Step[] {
  return [create("apps/v1/deployments?dryRun=All", deployment(label))];
}

function applies(...expressions: string[]): Fields {
  return {
    mutations: expressions.map((expression) => ({
      patchType: "ApplyConfiguration",
      applyConfiguration: { expression },
    })),
  };
}

function patches(...expressions: string[]): Fields {
  return { mutations: expressions.map((expression) => ({ patchType: "JSONPatch", jsonPatch: { expression } })) };
}

inEffect("applies a label", applies(`Object{metadata: Object.metadata{labels: {"a": "b"}}}`), maps({ a: "1" }));
inEffect("applies data", applies(`Object{data: {"size": string(int(object.data.size) + 1)}}`), maps({ size: "1" }, {}));
inEffect(
  "applies twice",
  applies(`Object{data: {"b": object.data.a}}`, `Object{data: {"c": object.data.b + "!"}}`),
  maps({ a: "x" }),
);
inEffect(
  "adds a container",
  applies(
    `Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [
      Object.spec.template.spec.containers{name: "c", imagePullPolicy: "Never"},
      Object.spec.template.spec.containers{name: "d", image: "j"}]}}}}`,
  ),
  deployments,
);
inEffect("sets replicas", applies(`Object{spec: Object.spec{replicas: 3}}`), deployments);
inEffect("applies a wrong type", applies(`Object{spec: Object.spec{replicas: "x"}}`), deployments);
inEffect("applies an unknown field", applies(`Object{spec: Object.spec{nothing: 1}}`), deployments);
inEffect("applies an unknown field of a ConfigMap", applies(`Object{nothing: 1}`), maps({}));
inEffect("applies a type of another field", applies(`Object{spec: Object.spek{replicas: 1}}`), deployments);
inEffect(
  "applies an atomic list",
  applies(
    `Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [
      Object.spec.template.spec.containers{name: "c", args: ["x"]}]}}}}`,
  ),
  deployments,
);
inEffect("applies nothing", applies("Object{}"), maps({}));
inEffect(
  "applies optionally",
  applies(
    `Object{metadata: Object.metadata{?annotations: has(object.data) ? optional.of({"a": "b"}) : optional.none()}}`,
  ),
  maps({ a: "b" }),
);
inEffect(
  "patches",
  patches(`[JSONPatch{op: "add", path: "/data/b", value: "c"}, JSONPatch{op: "remove", path: "/data/a"}]`),
  maps({ a: "1" }),
);
inEffect("patches a place that is not there", patches(`[JSONPatch{op: "remove", path: "/data/x"}]`), maps({ a: "1" }));
inEffect(
  "tests and patches",
  patches(
    `[JSONPatch{op: "test", path: "/data/a", value: "1"}, JSONPatch{op: "replace", path: "/data/a", value: "2"}]`,
  ),
  maps({ a: "1" }, { a: "3" }),
);
inEffect(
  "copies and moves",
  patches(
    `[JSONPatch{op: "copy", from: "/data/a", path: "/data/b"}, JSONPatch{op: "move", from: "/data/a", path: "/data/c"}]`,
  ),
  maps({ a: "1" }),
);
inEffect("patches with an unknown operation", patches(`[JSONPatch{op: "frob", path: "/data/a"}]`), maps({ a: "1" }));
inEffect(
  "escapes a key",
  patches(`[JSONPatch{op: "add", path: "/metadata/annotations", value: {}}, JSONPatch{op: "add",
    path: "/metadata/annotations/" + jsonpatch.escapeKey("example.com/a~b"), value: "x"}]`),
  maps({ a: "1" }),
);
inEffect(
  "patches with an object",
  patches(`[JSONPatch{op: "add", path: "/spec/template/spec/containers/-",
    value: Object.spec.template.spec.containers{name: "d", image: "j"}}]`),
  deployments,
);
inEffect("patches to a wrong type", patches(`[JSONPatch{op: "replace", path: "/data/a", value: 1}]`), maps({ a: "1" }));
inEffect("fails", applies(`Object{data: {"b": object.data.none}}`), maps({ a: "1" }));
inEffect(
  "fails and is ignored",
  { failurePolicy: "Ignore", ...applies(`Object{data: {"b": object.data.none}}`) },
  maps({ a: "1" }),
);
inEffect(
  "with variables and conditions",
  {
    variables: [{ name: "twice", expression: "object.data.a + object.data.a" }],
    matchConditions: [{ name: "sized", expression: "has(object.data)" }],
    ...applies(`Object{data: {"b": variables.twice}}`),
  },
  maps({ a: "1" }, {}),
);
inEffect(
  "with a condition that fails",
  { matchConditions: [{ name: "a", expression: "object.data.none == 'x'" }], ...applies(`Object{}`) },
  maps({ a: "1" }),
);
const limited = {
  paramKind: { apiVersion: "v1", kind: "ConfigMap" },
  ...applies(`Object{data: {"max": params.data.max}}`),
};
inEffect("with parameters", limited, maps({ a: "1" }), {
  paramRef: { name: "limits", namespace: "default", parameterNotFoundAction: "Deny" },
});
inEffect("without its parameters", limited, maps({ a: "1" }), {
  paramRef: { name: "none", namespace: "default", parameterNotFoundAction: "Deny" },
});
inEffect("that runs only with parameters", limited, maps({ a: "1" }), {
  paramRef: { name: "none", namespace: "default", parameterNotFoundAction: "Allow" },
});
inEffect(
  "on an update",
  applies(`Object{data: {"was": oldObject == null ? "nothing" : oldObject.data.a}}`),
  (label) => [
    create("v1/configmaps", configMap(label, { a: "1" })),
    update("v1/configmaps/a", configMap(label, { a: "2" })),
  ],
);

const counts = `Object{data: {"seen": string(size(object.data)), "by": has(object.data.by) ? "again" : "first"}}`;
inEffect("that does not run again", applies(counts), maps({ a: "1" }));
// Policies run in any order, so both must end alike.
const selected = {
  matchConstraints: { resourceRules: [RULE], objectSelector: { matchLabels: { mutation: `m${scripts.length}` } } },
};
mutationSetup.push(
  create(POLICIES, policy("m-other", { ...selected, ...applies(`Object{data: {"b": "c"}}`) }), { codeOnly: true }),
  create(BINDINGS, binding("m-other", {}), { codeOnly: true }),
);
inEffect("that runs again", { reinvocationPolicy: "IfNeeded", ...applies(counts) }, maps({ a: "1" }));
inEffect(
  "of which one mutation fails and is ignored",
  { failurePolicy: "Ignore", ...applies(`Object{data: {"b": object.data.none}}`, `Object{data: {"c": "d"}}`) },
  maps({ a: "1" }),
);
inEffect(
  "of which two mutations fail",
  applies(`Object{data: {"b": object.data.none}}`, `Object{data: {"c": object.data.nothing}}`),
  maps({ a: "1" }),
);
inEffect(
  "whose condition no longer holds after its first mutation",
  {
    matchConditions: [{ name: "a", expression: "!has(object.data.b)" }],
    ...applies(`Object{data: {"b": "c"}}`, `Object{data: {"d": "e"}}`),
  },
  maps({ a: "1" }),
);

function refused(name: string, spec: Fields): Script {
  const steps = [create(`${POLICIES}?dryRun=All`, policy("p", spec))];
  return { name: `a mutating policy ${name} is refused`, steps };
}

const nothing = applies("Object{}");

const refusals: Script[] = [
  refused("without mutations", {}),
  refused("without constraints", { ...nothing, matchConstraints: undefined }),
  refused("without reinvocation policy", { ...nothing, reinvocationPolicy: undefined }),
  refused("with an unknown reinvocation policy", { ...nothing, reinvocationPolicy: "Often" }),
  refused("with an unknown failure policy", { ...nothing, failurePolicy: "Maybe" }),
  refused("that deletes", { ...nothing, matchConstraints: { resourceRules: [{ ...RULE, operations: ["DELETE"] }] } }),
  refused("with an unknown kind of patch", { mutations: [{ patchType: "Merge" }] }),
  refused("without kind of patch", { mutations: [{ applyConfiguration: { expression: "Object{}" } }] }),
  refused("without its configuration", { mutations: [{ patchType: "ApplyConfiguration" }] }),
  refused("without its patch", { mutations: [{ patchType: "JSONPatch" }] }),
  refused("with both kinds of patches", {
    mutations: [{
      patchType: "JSONPatch",
      jsonPatch: { expression: "[]" },
      applyConfiguration: { expression: "Object{}" },
    }],
  }),
  refused("with an empty expression", applies(" ")),
  refused("whose patch does not compile", patches("[JSONPatch{")),
  refused("whose patch is no list", patches("JSONPatch{op: 'add'}")),
  refused("whose patch has other fields", patches("[JSONPatch{operation: 'add'}]")),
  refused("whose configuration is no object", applies("{'a': 'b'}", "1")),
  refused("with an unknown type", applies("Thing{}")),
  refused("with an unknown variable", applies("Object{data: {'a': variables.x}}")),
  refused("with bad variables", {
    ...nothing,
    variables: [{ name: "a-b", expression: "1" }, { name: "c", expression: "x" }],
  }),
  refused("with bad conditions", { ...nothing, matchConditions: [{ name: "a", expression: "1" }] }),
  refused("with a bad parameter kind", { ...nothing, paramKind: { apiVersion: "a/b/c", kind: "" } }),
  ...([
    ["without policy", { policyName: "" }],
    ["with neither a name nor a selector", { paramRef: {} }],
    ["that deletes", { matchResources: { resourceRules: [{ ...RULE, operations: ["DELETE"] }] } }],
  ] as const).map(([name, spec]): Script => ({
    name: `a mutating binding ${name} is refused`,
    steps: [create(`${BINDINGS}?dryRun=All`, binding("p", spec))],
  })),
];

/** MutatingAdmissionPolicies. */
export const mutationScripts: readonly Script[] = [...refusals, ...scripts];
