import { BOOL, CompileError, JSON_PATCH, listOf, NULL, OBJECT, STRING, type Type } from "../cel/mod.ts";
import { compileRequestExpression, type RequestScope } from "../admission/request_expression.ts";
import { faultsOf, labelSelector, qualifiedName, qualifiedNameFaults } from "./names.ts";
import { all, each, fields, oneOf, type Place, present, required, type Rule } from "./place.ts";

const CONDITIONS_MAX = 64, ANNOTATIONS_MAX = 20, ANNOTATION_BYTES_MAX = 5 * 1024;
const OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const REASONS = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
const ACTIONS = ["Audit", "Deny", "Warn"];

const RESERVED = new Set(
  ("as break const continue else false for function if import in let loop namespace null package return true var void " +
    "while").split(" "),
);

/** The expression's type; undefined and reported if it does not compile. */
function expression(at: Place, source: string, scope: RequestScope, types: readonly Type[]): Type | undefined {
  try {
    return compileRequestExpression(source, scope, types).type;
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    at.invalid(error.message, source);
    return undefined;
  }
}

/** Match conditions of webhooks and policies. */
export function matchConditions(params: boolean): Rule {
  return (at) => {
    const { items } = at, names = new Set<string>();
    if (items.length > CONDITIONS_MAX) at.tooMany(items.length, CONDITIONS_MAX);
    for (const item of items) {
      const source = item.field("expression"), name = item.field("name"), text = source.text.trim();
      if (text === "") source.required();
      else expression(source, text, { params, authorizer: true }, [BOOL]);
      if (name.text === "") name.required();
      else qualifiedName(name);
      if (name.text === "") continue;
      if (names.has(name.text)) name.duplicate();
      names.add(name.text);
    }
  };
}

const atLeastOne = (at: Place) => at.items.length === 0 && at.required();

/** A wildcard stands alone. */
function lonelyWildcard(why: string): Rule {
  return (at) => at.items.length > 1 && at.items.some((item) => item.text === "*") && at.invalid(why);
}

/** Resources that a wildcard already names. */
function resources(at: Place): void {
  const texts = at.items.map((item) => item.text);
  const anySubresource = new Set<string>(), anyResource = new Set<string>();
  for (const item of at.items) {
    const [resource, subresource] = item.text.split("/") as [string, string?];
    if (subresource === undefined) continue;
    const refuse = (wildcard: string) => item.invalid(`if '${wildcard}' is present, must not specify ${item.text}`);
    if (anySubresource.has(resource)) refuse(`${resource}/*`);
    if (anyResource.has(subresource)) refuse(`*/${subresource}`);
    if (subresource === "*") anySubresource.add(resource);
    if (resource === "*") anyResource.add(subresource);
  }
  if (texts.length > 1 && texts.includes("*/*")) at.invalid("if '*/*' is present, must not specify other resources");
  const last = texts.findLast((text) => text !== "" && !text.includes("/"));
  if (texts.includes("*") && last !== "*") {
    at.invalid("if '*' is present, must not specify other resources without subresources");
  }
}

/** A rule of a webhook or a policy. */
export const resourceRule: Rule = fields({
  operations: [
    atLeastOne,
    lonelyWildcard("if '*' is present, must not specify other operations"),
    each((at) => !OPERATIONS.includes(at.text) && at.unsupported(OPERATIONS)),
  ],
  apiGroups: [atLeastOne, lonelyWildcard("if '*' is present, must not specify other API groups")],
  apiVersions: [atLeastOne, lonelyWildcard("if '*' is present, must not specify other API versions"), each(required())],
  resources: [atLeastOne, each(required()), resources],
  scope: present(oneOf("*", "Cluster", "Namespaced")),
  resourceNames: (at) => {
    const names = new Set<string>();
    for (const item of at.items) {
      if (names.has(item.text)) item.duplicate();
      names.add(item.text);
    }
  },
});

const matchResources: Rule = present(fields({
  matchPolicy: oneOf("Equivalent", "Exact"),
  namespaceSelector: labelSelector,
  objectSelector: labelSelector,
  resourceRules: each(resourceRule),
  excludeResourceRules: each(resourceRule),
}));

function oneLine(at: Place): void {
  const text = at.text.trim();
  if (at.text !== "" && text === "") at.invalid("must be non-empty if specified");
  else if (/[\n\r]/.test(text)) at.invalid("must not contain line breaks");
}

const paramKind: Rule = present((at) => {
  const apiVersion = at.field("apiVersion"), kind = at.field("kind");
  const [version, group, ...more] = apiVersion.text.split("/").reverse();
  if (apiVersion.text === "") apiVersion.required();
  else if (more.length > 0) apiVersion.invalid(`unexpected GroupVersion string: ${apiVersion.text}`);
  else {
    const groupFaults = group ? faultsOf("dnsSubdomain", group) : [],
      versionFaults = faultsOf("dns1035Label", version!);
    if (groupFaults.length > 0) apiVersion.invalid(groupFaults.join(","), group);
    if (version === "") apiVersion.invalid("version must be specified");
    else if (versionFaults.length > 0) apiVersion.invalid(versionFaults.join(","), version);
  }
  const kindFaults = faultsOf("dns1035Label", kind.text.toLowerCase());
  if (kind.text === "") kind.required();
  else if (kindFaults.length > 0) {
    kind.invalid(`may have mixed case, but should otherwise match: ${kindFaults.join(",")}`);
  }
});

function variables(at: Place, params: boolean): ReadonlyMap<string, Type> {
  const types = new Map<string, Type>();
  for (const item of at.items) {
    const name = item.field("name"), source = item.field("expression");
    if (name.text.trim() === "") name.required("name is not specified");
    else if (!/^[A-Za-z_]\w*$/.test(name.text) || RESERVED.has(name.text)) {
      name.invalid("must be a valid CEL identifier");
    }
    if (source.text.trim() === "") source.required("expression is not specified");
    else {
      const type = expression(source, source.text, { params, authorizer: true, variables: new Map(types) }, []);
      if (type) types.set(name.text, type);
    }
  }
  return types;
}

function validation(scope: RequestScope): Rule {
  return fields({
    expression: (at) => {
      if (at.text.trim() === "") at.required("expression is not specified");
      else expression(at, at.text, scope, [BOOL]);
    },
    messageExpression: (at) => {
      if (at.text === "") return;
      if (at.text.trim() === "") at.invalid("must be non-empty if specified");
      else expression(at, at.text, { ...scope, authorizer: false }, [STRING]);
    },
    message: oneLine,
    reason: present((at) => !REASONS.includes(at.text) && at.unsupported(REASONS)),
  });
}

function auditAnnotation(policy: string, scope: RequestScope): Rule {
  return fields({
    key: (at) => {
      if (policy === "") at.invalid("requires metadata.name be non-empty");
      else for (const fault of qualifiedNameFaults(`${policy}/${at.text}`)) at.invalid(fault, `${policy}/${at.text}`);
    },
    valueExpression: (at) => {
      const source = at.text.trim();
      if (source === "") at.required("valueExpression is not specified");
      else if (new TextEncoder().encode(source).length > ANNOTATION_BYTES_MAX) {
        at.required(`must not exceed ${ANNOTATION_BYTES_MAX} bytes in length`);
      } else expression(at, source, scope, [STRING, NULL]);
    },
  });
}

/** What both kinds of policies have; the scope of their expressions. */
function policySpec(spec: Place): RequestScope {
  const constraints = spec.field("matchConstraints"), params = spec.field("paramKind").isPresent;
  fields({ failurePolicy: all(required(), present(oneOf("Fail", "Ignore"))), paramKind })(spec);
  if (!constraints.isPresent) constraints.required();
  else {
    matchResources(constraints);
    atLeastOne(constraints.field("resourceRules"));
  }
  matchConditions(params)(spec.field("matchConditions"));
  const declared = variables(spec.field("variables"), params);
  return { params, authorizer: true, ...(spec.field("variables").items.length > 0 && { variables: declared }) };
}

/** ValidatingAdmissionPolicies. */
export function validatingPolicy(at: Place): void {
  const spec = at.field("spec"), scope = policySpec(spec);
  const validations = spec.field("validations"), annotations = spec.field("auditAnnotations");
  if (validations.items.length === 0 && annotations.items.length === 0) {
    for (const list of [validations, annotations]) {
      list.required("validations or auditAnnotations must contain at least one item");
    }
    return;
  }
  each(validation(scope))(validations);
  if (annotations.items.length > ANNOTATIONS_MAX) {
    annotations.invalid(`must not have more than ${ANNOTATIONS_MAX} auditAnnotations`);
  }
  const keys = new Set<string>();
  for (const item of annotations.items) {
    auditAnnotation(at.field("metadata").field("name").text, scope)(item);
    const key = item.field("key");
    if (keys.has(key.text)) key.duplicate();
    keys.add(key.text);
  }
}

const paramRef: Rule = present((at) => {
  const name = at.field("name"), selector = at.field("selector"), action = at.field("parameterNotFoundAction");
  if (name.text !== "" && selector.isPresent) name.forbidden("name and selector are mutually exclusive");
  if (selector.isPresent) labelSelector(selector);
  if (name.text !== "" && selector.isPresent) selector.forbidden("name and selector are mutually exclusive");
  if (name.text === "" && !selector.isPresent) at.required("one of name or selector must be specified");
  if (action.text === "") action.required();
  else oneOf("Deny", "Allow")(action);
});

function validationActions(at: Place): void {
  const seen = new Set<string>();
  for (const item of at.items) {
    if (!ACTIONS.includes(item.text)) item.unsupported(ACTIONS);
    if (seen.has(item.text)) item.duplicate();
    seen.add(item.text);
  }
  if (seen.has("Deny") && seen.has("Warn")) {
    at.invalid(
      "must not contain both Deny and Warn (repeating the same validation failure information in the API response and " +
        "headers serves no purpose)",
    );
  }
  if (seen.size === 0) at.required();
}

const CHANGES = ["*", "CONNECT", "CREATE", "UPDATE"];

/** What is deleted cannot be changed. */
const changes: Rule = (rules) => {
  for (const rule of rules.items) {
    for (const operation of rule.field("operations").items) {
      if (CHANGES.includes(operation.text)) continue;
      operation.renamed(`${rules.path}.operations`).unsupported(CHANGES);
    }
  }
};

function mutation(scope: RequestScope): Rule {
  return (at) => {
    const patchType = at.field("patchType"), configuration = at.field("applyConfiguration");
    const patch = at.field("jsonPatch"), patches = patchType.text === "JSONPatch";
    if (patchType.text === "") patchType.required();
    else if (!patches && patchType.text !== "ApplyConfiguration") {
      patchType.unsupported(["ApplyConfiguration", "JSONPatch"]);
    } else {
      const [wanted, other] = patches ? [patch, configuration] : [configuration, patch];
      const source = wanted.field("expression"), text = source.text.trim();
      if (!wanted.isPresent) wanted.required(`must be specified when patchType is ${patchType.text}`);
      else if (text === "") source.required();
      else {
        const wider = { variables: new Map(), ...scope, patches: true };
        expression(source, text, wider, [patches ? listOf(JSON_PATCH) : OBJECT]);
      }
      if (!other.isPresent) return;
      const name = patches ? "{applyConfiguration}" : "{jsonPatch}";
      other.invalid(`must not be specified when patchType is ${patchType.text}`, name);
    }
  };
}

/** MutatingAdmissionPolicies. */
export function mutatingPolicy(at: Place): void {
  const spec = at.field("spec"), scope = policySpec(spec), mutations = spec.field("mutations");
  changes(spec.field("matchConstraints").field("resourceRules"));
  if (mutations.items.length === 0) mutations.required("mutations must contain at least one item");
  each(mutation(scope))(mutations);
  const reinvocation = spec.field("reinvocationPolicy");
  if (reinvocation.text === "") reinvocation.required();
  else oneOf("IfNeeded", "Never")(reinvocation);
}

const binding: Record<string, Rule> = {
  "spec.policyName": (at) => {
    if (at.text === "") at.required();
    else for (const fault of faultsOf("dnsSubdomain", at.text)) at.invalid(fault);
  },
  "spec.paramRef": paramRef,
  "spec.matchResources": matchResources,
};

/** ValidatingAdmissionPolicyBindings. */
export const validatingPolicyBinding: Rule = fields({ ...binding, "spec.validationActions": validationActions });

/** MutatingAdmissionPolicyBindings. */
export const mutatingPolicyBinding: Rule = fields({ ...binding, "spec.matchResources.resourceRules": changes });
