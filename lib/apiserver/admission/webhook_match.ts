import { type DynamicObject, formatKey, matchesLabels, requirementsOf } from "../../apimachinery/mod.ts";
import { type ResourceRegistry, storageResource } from "../resource_registry.ts";
import type { ResourceType } from "../resource_type.ts";
import type { Storage } from "../storage.ts";
import type { Webhook, WebhookRule } from "./webhook.ts";

export interface WrittenObject {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly type: ResourceType;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly object?: DynamicObject;
  readonly old?: DynamicObject;
}

/** No webhook is called for these: a broken configuration must be repairable. */
const EXEMPT_GROUP = "admissionregistration.k8s.io";

/**
 * The version that a webhook receives; undefined where no rule matches. `matchPolicy: Equivalent` also matches rules
 * for other versions.
 */
export function webhookType(
  webhook: Pick<Webhook, "rules" | "matchPolicy">,
  write: WrittenObject,
  registry: ResourceRegistry,
): ResourceType | undefined {
  const { type } = write;
  if (type.group === EXEMPT_GROUP) return undefined;
  const rules = webhook.rules ?? [];
  if (rules.some((rule) => ruleMatches(rule, type, write))) return type;
  if (webhook.matchPolicy !== "Equivalent") return undefined;
  const stored = storageResource(type);
  const others = registry.all().filter((other) => other !== type && storageResource(other) === stored);
  return others.find((other) => rules.some((rule) => ruleMatches(rule, other, write)));
}

function ruleMatches(
  rule: WebhookRule,
  type: ResourceType,
  { operation, subresource, namespace, name = "" }: WrittenObject,
): boolean {
  const within = (list: readonly string[], value: string) => list.includes("*") || list.includes(value);
  // A Namespace is not inside itself.
  const namespaced = namespace !== undefined && type.namespaced;
  return within(rule.operations, operation) && within(rule.apiGroups, type.group) &&
    within(rule.apiVersions, type.version) &&
    (rule.scope === "*" || (rule.scope === "Namespaced") === namespaced) &&
    rule.resources.some((resource) => resourceMatches(resource, type.plural, subresource)) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(name));
}

function resourceMatches(wanted: string, plural: string, subresource: string | undefined): boolean {
  const [resource, sub] = wanted.split("/");
  if (resource !== "*" && resource !== plural) return false;
  return sub === "*" || sub === subresource;
}

/** Whether the namespace's labels match, and the object's new or old labels. */
export function selectorsMatch(
  webhook: Partial<Pick<Webhook, "namespaceSelector" | "objectSelector">>,
  write: WrittenObject,
  storage: Storage,
): boolean {
  const inNamespace = requirementsOf(webhook.namespaceSelector ?? {});
  if (inNamespace.length > 0) {
    const labels = namespaceLabels(write, storage);
    if (labels !== "none" && !matchesLabels(inNamespace, labels)) return false;
  }
  const ofObject = requirementsOf(webhook.objectSelector ?? {});
  return ofObject.length === 0 ||
    [write.object, write.old].some((object) =>
      object !== undefined && matchesLabels(ofObject, object.metadata?.labels)
    );
}

/** A Namespace has its own labels; other cluster-scoped objects have none. */
function namespaceLabels(write: WrittenObject, storage: Storage): Record<string, string> | undefined | "none" {
  const { type, namespace, object, old } = write;
  if (type.group === "" && type.plural === "namespaces") return (object ?? old)?.metadata?.labels;
  if (!type.namespaced || namespace === undefined) return "none";
  return storage.get("namespaces", formatKey({ name: namespace }))?.object.metadata?.labels;
}
