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
export const WATCH_KINDS: PolicyRule = {
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

/** Watch the kinds, patch metadata (finalizers) and status of its own, apply children, post Events. */
export function requiredRules(
  declarations: readonly ControllerDeclaration[],
  extra: readonly PolicyRule[],
  { legacyFinalizers = [] }: { readonly legacyFinalizers?: readonly string[] } = {},
): PolicyRule[] {
  const verbs = new Map<string, Set<string>>();
  const grant = (group: string, resource: string, granted: readonly string[]) => {
    const key = `${group}\n${resource}`;
    const known = verbs.get(key) ?? new Set<string>();
    for (const verb of granted) known.add(verb);
    verbs.set(key, known);
  };
  for (const declaration of declarations) {
    const { kind } = declaration;
    // Without a delete handler too: an earlier release may have had one, whose finalizers are then removed.
    const patches = kind.hasStatus || [...declaration.changes, ...declaration.daemons].length > 0 ||
      legacyFinalizers.length > 0 && handles(declaration);
    grant(kind.group, kind.plural, patches ? [...WATCH, "patch"] : WATCH);
    if (kind.hasStatus) grant(kind.group, `${kind.plural}/status`, ["patch"]);
    // blockOwnerDeletion in owner references needs it if that admission plugin is on.
    if (declaration.owns.length > 0) grant(kind.group, `${kind.plural}/finalizers`, ["update"]);
    for (const owned of declaration.owns) grant(owned.group, owned.plural, [...WATCH, "create", "patch", "delete"]);
    for (const { resource } of declaration.watches) grant(resource.group, resource.plural, WATCH);
  }
  if (declarations.length > 0) grant("events.k8s.io", "events", ["create", "patch"]);
  for (const rule of extra) {
    for (const group of rule.apiGroups) for (const resource of rule.resources) grant(group, resource, rule.verbs);
  }
  return [...verbs].map(([key, granted]) => {
    const [group, resource] = key.split("\n") as [string, string];
    return { apiGroups: [group], resources: [resource], verbs: inOrder(granted) };
  });
}

function inOrder(verbs: ReadonlySet<string>): string[] {
  const rank = (verb: string) => VERB_ORDER.includes(verb) ? VERB_ORDER.indexOf(verb) : VERB_ORDER.length;
  return [...verbs].sort((a, b) => rank(a) - rank(b));
}
