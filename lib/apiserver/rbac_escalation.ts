import { isObject, jsonEqual } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import { forbidden, notFound } from "./api_error.ts";
import { type AccessAttributes, Authorizer, type PolicyRule } from "./authorizer.ts";
import type { ServerContext } from "./server_context.ts";
import { MASTERS_GROUP, type UserInfo } from "./user_info.ts";
import type { WriteTarget } from "./write_target.ts";

const GROUP = "rbac.authorization.k8s.io";
const ROLES = new Set(["roles", "clusterroles"]), BINDINGS = new Set(["rolebindings", "clusterrolebindings"]);

/** One permission: what a rule with one value in each list grants. */
interface Permission {
  readonly verb: string;
  readonly group?: string;
  readonly resource?: string;
  readonly name?: string;
  readonly url?: string;
}

/**
 * Nobody grants what they do not have: writes of roles and bindings are refused unless the user holds every permission
 * of the role, or may `escalate` the role or `bind` it.
 *
 * @throws {ApiError} 403 with the permissions that are missing, 404 for a binding to an absent role.
 */
export function checkEscalation(
  server: ServerContext,
  { type, user, namespace }: WriteTarget,
  object: DynamicObject,
  old?: DynamicObject,
): void {
  if (type.group !== GROUP || !user || user.groups.includes(MASTERS_GROUP)) return;
  const authorizer = new Authorizer(server.storage), name = object.metadata?.name ?? "";
  const may = (verb: string, plural: string, of: string) => {
    const attributes: AccessAttributes = { kind: "resource", verb, group: GROUP, plural, namespace, name: of };
    return authorizer.decide(user, attributes).allowed;
  };
  if (ROLES.has(type.plural)) {
    if (old && jsonEqual(old.rules, object.rules)) return;
    if (!may("escalate", type.plural, name)) check(rulesOf(object));
  } else if (BINDINGS.has(type.plural)) {
    if (old && jsonEqual(old.subjects, object.subjects)) return;
    const reference = isObject(object.roleRef) ? object.roleRef : {};
    const plural = reference.kind === "ClusterRole" ? "clusterroles" : "roles", of = String(reference.name);
    if (may("bind", plural, of)) return;
    const key = plural === "roles" ? `${namespace}/${of}` : of;
    const role = server.storage.get(`${plural}.${GROUP}`, key)?.object;
    if (!role) throw notFound(type, of);
    check(rulesOf(role));
  }

  function check(rules: readonly PolicyRule[]): void {
    const held = [...authorizer.rulesOf(user!, namespace)].map(({ rule }) => rule);
    const missing = rules.flatMap(permissionsOf).filter((one) => !held.some((rule) => grants(rule, one)));
    if (missing.length === 0) return;
    const why = `user "${user!.name}" (${
      groupsText(user!)
    }) is attempting to grant RBAC permissions not currently held:`;
    throw forbidden(type, name, [why, ...rulesText(missing)].join("\n"));
  }
}

function groupsText({ groups }: UserInfo): string {
  return `groups=[${groups.map((one) => JSON.stringify(one)).join(" ")}]`;
}

function rulesOf(role: DynamicObject): PolicyRule[] {
  return Array.isArray(role.rules) ? role.rules.filter(isObject) as PolicyRule[] : [];
}

function permissionsOf(rule: PolicyRule): Permission[] {
  const names = rule.resourceNames?.length ? rule.resourceNames : [undefined];
  return (rule.verbs ?? []).flatMap((verb) => [
    ...(rule.nonResourceURLs ?? []).map((url) => ({ verb, url })),
    ...(rule.apiGroups ?? []).flatMap((group) =>
      (rule.resources ?? []).flatMap((resource) => names.map((name) => ({ verb, group, resource, name })))
    ),
  ]);
}

function has(list: readonly string[] | undefined, value: string): boolean {
  return list !== undefined && (list.includes("*") || list.includes(value));
}

function grants(rule: PolicyRule, { verb, group = "", resource = "", name, url }: Permission): boolean {
  if (!has(rule.verbs, verb)) return false;
  if (url !== undefined) {
    return (rule.nonResourceURLs ?? []).some((one) =>
      one === url || (one.endsWith("*") && url.startsWith(one.slice(0, -1)))
    );
  }
  const subresource = resource.split("/")[1];
  const isCovered = has(rule.resources, resource) ||
    (subresource !== undefined && rule.resources?.includes(`*/${subresource}`) === true);
  const names = rule.resourceNames ?? [];
  return has(rule.apiGroups, group) && isCovered &&
    (names.length === 0 || (name !== undefined && names.includes(name)));
}

/** A line per resource, with the verbs that are missing. */
function rulesText(missing: readonly Permission[]): string[] {
  const verbs = new Map<string, Set<string>>();
  const list = (field: string, value: string | undefined) =>
    value === undefined ? [] : [`${field}:[${JSON.stringify(value)}]`];
  for (const { verb, group, resource, name, url } of missing) {
    const key = [
      ...list("APIGroups", group),
      ...list("Resources", resource),
      ...list("ResourceNames", name),
      ...list("NonResourceURLs", url),
    ].join(", ");
    verbs.set(key, (verbs.get(key) ?? new Set()).add(verb));
  }
  return [...verbs].map(([key, some]) =>
    `{${key}, Verbs:[${[...some].sort().map((verb) => JSON.stringify(verb)).join(" ")}]}`
  ).sort();
}
