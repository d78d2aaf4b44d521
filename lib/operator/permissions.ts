import { isObject, UsageError } from "../base/mod.ts";
import {
  type AdmissionDeclaration,
  configurationResource,
  type KindConversion,
  webhookServiceName,
} from "../admission/mod.ts";
import { type ControllerDeclaration, handles } from "../controller/mod.ts";

export interface PolicyRule {
  /** The core group is the empty string. */
  readonly apiGroups: readonly string[];
  /** Plurals; `plural/subresource` for a subresource. */
  readonly resources: readonly string[];
  /** As get, list, watch, create, update, patch, delete. */
  readonly verbs: readonly string[];
}

/** For leader election, in the lease's namespace. */
export const ELECTION_RULES: readonly PolicyRule[] = [
  { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get", "create", "update"] },
];

/** For peering, in the leases' namespace: peers list each other and remove expired ones. Covers an election. */
export const LEASE_RULES: readonly PolicyRule[] = [
  { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get", "list", "create", "update", "delete"] },
];

/** For `/explain`: Kubernetes authenticates and authorizes its callers. */
export const REVIEW_RULES: readonly PolicyRule[] = [
  { apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"], verbs: ["create"] },
  { apiGroups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"], verbs: ["create"] },
];

/** For an operator that selects kinds. */
const WATCH_KINDS: PolicyRule = {
  apiGroups: ["apiextensions.k8s.io"],
  resources: ["customresourcedefinitions"],
  verbs: ["get", "list", "watch"],
};

export interface NamedPolicyRule extends PolicyRule {
  /** Every object if absent. */
  readonly resourceNames?: readonly string[];
}

/** For the leader to keep webhook certificates: `own` in the operator's namespace, `cluster` anywhere. */
export function webhookRules(
  { name, admission, conversions }: {
    readonly name: string;
    readonly admission: readonly AdmissionDeclaration[];
    readonly conversions: readonly KindConversion[];
  },
): { readonly own: readonly NamedPolicyRule[]; readonly cluster: readonly NamedPolicyRule[] } {
  if (admission.length === 0 && conversions.length === 0) return { own: [], cluster: [] };
  const types = [...new Set(admission.map(({ type }) => type))];
  return {
    own: [
      {
        apiGroups: [""],
        resources: ["secrets"],
        verbs: ["get", "update"],
        resourceNames: [webhookServiceName(name)],
      },
      // RBAC does not know the name of an object to be created.
      { apiGroups: [""], resources: ["secrets"], verbs: ["create"] },
    ],
    cluster: [
      ...types.map((type) => {
        const { group, plural } = configurationResource(type);
        return { apiGroups: [group], resources: [plural], verbs: ["get", "patch"], resourceNames: [name] };
      }),
      ...(conversions.length === 0 ? [] : [{
        ...WATCH_KINDS,
        verbs: ["get", "patch"],
        resourceNames: conversions.map(({ crd }) => crd),
      }]),
    ],
  };
}

const WATCH = ["get", "list", "watch"];
const VERB_ORDER = ["get", "list", "watch", "create", "update", "patch", "delete"];

/** What an operator may do by its RBAC rules: one verb on one resource. */
export interface Permission {
  /** The core group is the empty string. */
  readonly group: string;
  /** The plural; `plural/subresource` for a subresource. */
  readonly resource: string;
  /** As in RBAC rules. */
  readonly verb: string;
}

/** A permission, and what declares it. */
export interface DeclaredPermission extends Permission {
  /** `framework`: it may need it at any time. `owns`: for applied and pruned children. `permissions`: for handlers. */
  readonly by: "framework" | "owns" | "permissions";
  /** Why no scenario uses it. */
  readonly untested?: string;
}

/** A rule of {@linkcode PolicyRule}s that handlers need. */
export interface HandlerRule extends PolicyRule {
  /** Why no scenario uses it, such as a path that only a failing disk reaches. `test --rbac` then accepts that. */
  readonly untested?: string;
}

/** @throws {UsageError} for an argument of `method` that is no rule: programs run without a check of their types. */
export function requireRules(method: string, rules: readonly unknown[]): void {
  const isTexts = (value: unknown) => Array.isArray(value) && value.every((each) => typeof each === "string");
  for (const [index, rule] of rules.entries()) {
    const fields = ["apiGroups", "resources", "verbs"];
    const missing = isObject(rule) ? fields.find((field) => !isTexts(rule[field])) : undefined;
    if (isObject(rule) && missing === undefined) continue;
    const what = Array.isArray(rule) ? "is a list" : missing ? `has no list of strings as ${missing}` : "is no object";
    throw new UsageError(
      `argument ${index + 1} of ${method}() ${what}`,
      `give rules one after the other: ${method}({ apiGroups: [""], resources: ["pods"], verbs: ["get"] }, …)`,
    );
  }
}

/** One for each group, resource and verb of a rule. */
export function permissionsOf(rule: PolicyRule): Permission[] {
  return rule.apiGroups.flatMap((group) =>
    rule.resources.flatMap((resource) => rule.verbs.map((verb) => ({ group, resource, verb })))
  );
}

/** Whether both allow the same. */
export function isSamePermission(one: Permission, other: Permission): boolean {
  return one.group === other.group && one.resource === other.resource && one.verb === other.verb;
}

/** One rule per resource, in the order of their first permission. */
export function rulesOf(permissions: readonly Permission[]): PolicyRule[] {
  const rules = new Map<string, { apiGroups: string[]; resources: string[]; verbs: Set<string> }>();
  for (const { group, resource, verb } of permissions) {
    const key = `${group}\n${resource}`, rule = rules.get(key);
    if (rule) rule.verbs.add(verb);
    else rules.set(key, { apiGroups: [group], resources: [resource], verbs: new Set([verb]) });
  }
  return [...rules.values()].map((rule) => ({ ...rule, verbs: inOrder(rule.verbs) }));
}

/** Watch the kinds, patch metadata (finalizers) and status of its own, apply children, post Events. */
export function requiredPermissions(
  declarations: readonly ControllerDeclaration[],
  handlers: readonly HandlerRule[],
  { legacyFinalizers = [], selects = false }: {
    readonly legacyFinalizers?: readonly string[];
    readonly selects?: boolean;
  } = {},
): DeclaredPermission[] {
  const found = new Map<string, DeclaredPermission>();
  const grant = (permissions: readonly Permission[], by: DeclaredPermission["by"], untested?: string) => {
    for (const each of permissions) {
      const key = `${each.group}\n${each.resource}\n${each.verb}`, known = found.get(key);
      if (known?.by !== "framework") found.set(key, { ...each, by, untested: untested ?? known?.untested });
    }
  };
  const on = (group: string, resource: string, verbs: readonly string[]) =>
    verbs.map((verb) => ({ group, resource, verb }));
  for (const declaration of declarations) {
    const { kind, owns, watches } = declaration, { group, plural } = kind;
    // Without a delete handler too: an earlier release may have had one, whose finalizers are then removed.
    const patches = kind.hasStatus || [...declaration.changes, ...declaration.daemons].length > 0 ||
      legacyFinalizers.length > 0 && handles(declaration);
    grant(on(group, plural, patches ? [...WATCH, "patch"] : WATCH), "framework");
    if (kind.hasStatus) grant(on(group, `${plural}/status`, ["patch"]), "framework");
    // blockOwnerDeletion in owner references needs it if that admission plugin is on.
    if (owns.length > 0) grant(on(group, `${plural}/finalizers`, ["update"]), "framework");
    for (const owned of owns) {
      grant(on(owned.group, owned.plural, WATCH), "framework");
      grant(on(owned.group, owned.plural, ["create", "patch", "delete"]), "owns");
    }
    for (const { resource } of watches) grant(on(resource.group, resource.plural, WATCH), "framework");
  }
  if (declarations.length > 0) grant(on("events.k8s.io", "events", ["create", "patch"]), "framework");
  if (selects) grant(permissionsOf(WATCH_KINDS), "framework");
  for (const rule of handlers) grant(permissionsOf(rule), "permissions", rule.untested);
  return [...found.values()];
}

function inOrder(verbs: ReadonlySet<string>): string[] {
  const rank = (verb: string) => VERB_ORDER.includes(verb) ? VERB_ORDER.indexOf(verb) : VERB_ORDER.length;
  return [...verbs].sort((a, b) => rank(a) - rank(b));
}
