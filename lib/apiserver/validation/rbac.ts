import { dnsSubdomain, labelSelector, segmentFaults } from "./names.ts";
import type { Place } from "./place.ts";

/** Roles and their bindings, by rbac's validation. */

const GROUP = "rbac.authorization.k8s.io";

function policyRule(at: Place, isNamespaced: boolean): void {
  const verbs = at.field("verbs"), urls = at.field("nonResourceURLs"), groups = at.field("apiGroups");
  const resources = at.field("resources");
  if (!verbs.isSet) verbs.required();
  if (urls.isSet) {
    if (isNamespaced) urls.invalid("namespaced rules cannot apply to non-resource URLs");
    if (groups.isSet || resources.isSet || at.field("resourceNames").isSet) {
      urls.invalid("rules cannot apply to both regular resources and non-resource URLs");
    }
    return;
  }
  if (!groups.isSet) groups.required("resource rules must supply at least one api group");
  if (!resources.isSet) resources.required("resource rules must supply at least one resource");
}

export function role(at: Place): void {
  at.field("rules").items.forEach((item) => policyRule(item, true));
}

export function clusterRole(at: Place): void {
  const aggregation = at.field("aggregationRule"), selectors = aggregation.field("clusterRoleSelectors");
  at.field("rules").items.forEach((item) => policyRule(item, false));
  if (!aggregation.isPresent) return;
  if (selectors.items.length === 0) {
    selectors.required("at least one clusterRoleSelector required if aggregationRule is non-nil");
  }
  for (const selector of selectors.items) {
    const before = selector.root.causes.length;
    labelSelector(selector);
    if (selector.root.causes.length > before) selector.invalid("invalid label selector.", null);
  }
}

function binding(at: Place, kinds: readonly string[], isNamespaced: boolean): void {
  const ref = at.field("roleRef"), group = ref.field("apiGroup"), kind = ref.field("kind");
  if (group.text !== GROUP) group.unsupported([GROUP], group.text);
  if (!kinds.includes(kind.text)) kind.unsupported(kinds, kind.text);
  if (!ref.field("name").isSet) ref.field("name").required();
  else roleName(ref.field("name"));
  at.field("subjects").items.forEach((item) => subject(item, isNamespaced));
  if (at.isUpdate && ref.isChanged) ref.invalid("field is immutable");
}

function roleName(at: Place): void {
  for (const fault of segmentFaults(at.text)) at.invalid(fault);
}

function subject(at: Place, isNamespaced: boolean): void {
  const kind = at.field("kind"),
    name = at.field("name"),
    group = at.field("apiGroup"),
    namespace = at.field("namespace");
  if (!name.isSet) name.required();
  switch (kind.text) {
    case "ServiceAccount":
      if (name.isSet) dnsSubdomain(name);
      if (group.isSet) group.unsupported([""]);
      if (!isNamespaced && !namespace.isSet) namespace.required();
      break;
    case "User":
    case "Group":
      if (group.text !== GROUP) group.unsupported([GROUP], group.text);
      break;
    default:
      kind.unsupported(["ServiceAccount", "User", "Group"], kind.text);
  }
}

export function roleBinding(at: Place): void {
  binding(at, ["Role", "ClusterRole"], true);
}

export function clusterRoleBinding(at: Place): void {
  binding(at, ["ClusterRole"], false);
}
