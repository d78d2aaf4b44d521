import {
  type AdmissionDeclaration,
  configurationResource,
  type KindConversion,
  webhookServiceName,
} from "../admission/mod.ts";
import { type ControllerDeclaration, handles } from "../controller/mod.ts";

/** A rule of a Role or ClusterRole. */
export interface PolicyRule {
  /** The core group is the empty string. */
  readonly apiGroups: readonly string[];
  /** Plurals, `plural/subresource` for a subresource. */
  readonly resources: readonly string[];
  /** What is allowed, in RBAC's words: get, list, watch, create, update, patch, delete. */
  readonly verbs: readonly string[];
}

/** What electing a leader needs, in the namespace of the lease. */
export const ELECTION_RULES: readonly PolicyRule[] = [
  { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get", "create", "update"] },
];

/**
 * What peering needs, in the namespace of the leases: peers list each other, and remove who has died. It covers an
 * election.
 */
export const LEASE_RULES: readonly PolicyRule[] = [
  { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get", "list", "create", "update", "delete"] },
];

/** What following the kinds of a cluster needs, for an operator that selects them. */
export const WATCH_KINDS: PolicyRule = {
  apiGroups: ["apiextensions.k8s.io"],
  resources: ["customresourcedefinitions"],
  verbs: ["get", "list", "watch"],
};

/** A rule for some objects by their names. */
export interface NamedPolicyRule extends PolicyRule {
  /** Names of the objects that the rule is about; every object where absent. */
  readonly resourceNames?: readonly string[];
}

/**
 * What the leader needs to keep the certificates of webhooks: `own` in the operator's namespace, `cluster` anywhere.
 */
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
      // The name of what is yet to be created is not known to RBAC.
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

/**
 * The rules that an operator needs, from what it declares and nothing else: watching what it reconciles, owns and
 * watches, patching the metadata (finalizers) and the status of its own kinds, applying what it owns, posting Events.
 */
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
    // Without a delete handler too: an earlier release may have had one, and its finalizers are then given up.
    const patches = kind.hasStatus || [...declaration.changes, ...declaration.daemons].length > 0 ||
      legacyFinalizers.length > 0 && handles(declaration);
    grant(kind.group, kind.plural, patches ? [...WATCH, "patch"] : WATCH);
    if (kind.hasStatus) grant(kind.group, `${kind.plural}/status`, ["patch"]);
    // blockOwnerDeletion in the children's owner references asks for it where that admission plugin is on.
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
