import { isObject } from "../base/mod.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/**
 * A field of a manifest whose lists are maps where their items have an identity, so that the path of a difference names
 * the item: versions of a CRD, webhooks, and the verbs of each resource in RBAC rules. The order of these is no
 * difference.
 */
export function withKeyedLists(field: unknown): unknown {
  if (Array.isArray(field) && field.length > 0 && field.every(isRule)) return verbsOf(field);
  if (Array.isArray(field) && field.every((each) => isObject(each) && "clientConfig" in each)) return byName(field);
  if (!isObject(field) || !Array.isArray(field.versions) || !field.versions.every(isObject)) return field;
  return { ...field, versions: byName(field.versions) };
}

function byName(items: readonly { readonly name?: unknown }[]): Record<string, unknown> {
  return Object.fromEntries(items.map((each) => [`${each.name}`, each]));
}

function isRule(item: unknown): item is Rule {
  return isObject(item) && [item.apiGroups, item.resources, item.verbs].every(Array.isArray);
}

/** `{ "deployments.apps.get": true }`: resource, group and verb, with a name that a rule is for in brackets. */
function verbsOf(rules: readonly Rule[]): Record<string, true> {
  const found: Record<string, true> = {};
  for (const { apiGroups, resources, resourceNames = [""], verbs } of rules) {
    for (const [group, resource, name] of product(apiGroups, resources, resourceNames)) {
      const resourceName = `${resource}${group && `.${group}`}${name && `[${name}]`}`;
      for (const verb of verbs) found[`${resourceName}.${verb}`] = true;
    }
  }
  return found;
}

function product(...[groups, resources, names]: (readonly string[])[]): (readonly [string, string, string])[] {
  return groups!.flatMap((group) => resources!.flatMap((each) => names!.map((name) => [group, each, name] as const)));
}
