import { isObject } from "../base/mod.ts";
import { type DynamicObject, formatGroupResource, formatKey } from "../apimachinery/mod.ts";
import { ApiError } from "./api_error.ts";
import type { Storage } from "./storage.ts";
import { MASTERS_GROUP, type UserInfo } from "./user_info.ts";

export type AccessAttributes =
  | {
    readonly kind: "resource";
    readonly verb: string;
    readonly group: string;
    readonly plural: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  }
  | { readonly kind: "path"; readonly verb: string; readonly path: string };

export interface PolicyRule {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

export type Decision = { readonly allowed: true; readonly reason: string } | { readonly allowed: false };

const RBAC_GROUP = "rbac.authorization.k8s.io";
const SERVICE_ACCOUNT_PREFIX = "system:serviceaccount:";

/**
 * RBAC (rbac.authorization.k8s.io/v1) over the stored objects, read for each decision. `system:masters` passes every
 * check. Aggregated roles are not computed.
 */
export class Authorizer {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  decide(user: UserInfo, attributes: AccessAttributes): Decision {
    if (user.groups.includes(MASTERS_GROUP)) return { allowed: true, reason: "" };
    const namespace = attributes.kind === "resource" ? attributes.namespace : undefined;
    for (const { rule, source } of this.rulesOf(user, namespace)) {
      if (ruleAllows(rule, attributes)) return { allowed: true, reason: `RBAC: allowed by ${source}` };
    }
    return { allowed: false };
  }

  *rulesOf(user: UserInfo, namespace: string | undefined): Generator<{ rule: PolicyRule; source: string }> {
    for (const [key, { object }] of this.#storage.scan(`clusterrolebindings.${RBAC_GROUP}`)) {
      yield* this.#granted(user, object, key, "ClusterRoleBinding");
    }
    if (!namespace) return;
    for (const [key, { object }] of this.#storage.scan(`rolebindings.${RBAC_GROUP}`, { namespace })) {
      yield* this.#granted(user, object, key, "RoleBinding");
    }
  }

  *#granted(
    user: UserInfo,
    binding: DynamicObject,
    key: string,
    kind: string,
  ): Generator<{ rule: PolicyRule; source: string }> {
    const subjects = Array.isArray(binding.subjects) ? binding.subjects.filter(isObject) : [];
    const subject = subjects.find((candidate) => isSubject(user, candidate, binding.metadata?.namespace));
    const role = isObject(binding.roleRef) ? binding.roleRef : {};
    if (!subject) return;
    const name = String(role.name), isCluster = role.kind === "ClusterRole";
    const roleKey = formatKey({ namespace: isCluster ? undefined : binding.metadata?.namespace, name });
    const found = this.#storage.get(`${isCluster ? "clusterroles" : "roles"}.${RBAC_GROUP}`, roleKey)?.object;
    const rules = Array.isArray(found?.rules) ? found.rules as PolicyRule[] : [];
    const subjectText = subject.kind === "ServiceAccount"
      ? `ServiceAccount "${subject.name}/${subject.namespace ?? binding.metadata?.namespace}"`
      : `${subject.kind} "${subject.name}"`;
    for (const rule of rules) yield { rule, source: `${kind} "${key}" of ${role.kind} "${name}" to ${subjectText}` };
  }
}

function isSubject(user: UserInfo, subject: Record<string, unknown>, namespace: string | undefined): boolean {
  switch (subject.kind) {
    case "User":
      return subject.name === user.name;
    case "Group":
      return user.groups.includes(String(subject.name));
    case "ServiceAccount":
      return user.name === `${SERVICE_ACCOUNT_PREFIX}${subject.namespace ?? namespace}:${subject.name}`;
    default:
      return false;
  }
}

function includes(list: readonly string[] | undefined, value: string): boolean {
  return list !== undefined && (list.includes("*") || list.includes(value));
}

export function ruleAllows(rule: PolicyRule, attributes: AccessAttributes): boolean {
  if (!includes(rule.verbs, attributes.verb)) return false;
  if (attributes.kind === "path") {
    return (rule.nonResourceURLs ?? []).some((pattern) =>
      pattern === "*" || pattern === attributes.path ||
      (pattern.endsWith("*") && attributes.path.startsWith(pattern.slice(0, -1)))
    );
  }
  const { group, plural, subresource, name } = attributes;
  const resources = rule.resources ?? [];
  const covered = subresource === undefined
    ? includes(resources, plural)
    : includes(resources, `${plural}/${subresource}`) || resources.includes(`*/${subresource}`);
  if (!includes(rule.apiGroups, group) || !covered) return false;
  const names = rule.resourceNames ?? [];
  return names.length === 0 || (name !== undefined && names.includes(name));
}

/** 403 in kube-apiserver's words: tools parse them. */
export function accessDenied(user: UserInfo, attributes: AccessAttributes): ApiError {
  if (attributes.kind === "path") {
    const message = `forbidden: User "${user.name}" cannot ${attributes.verb} path "${attributes.path}"`;
    return new ApiError(403, "Forbidden", message, {});
  }
  const { verb, group, plural, subresource, namespace, name } = attributes;
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
  const scope = namespace ? `in the namespace "${namespace}"` : "at the cluster scope";
  const subject = formatGroupResource(attributes) + (name === undefined ? "" : ` "${name}"`);
  const why = `User "${user.name}" cannot ${verb} resource "${resource}" in API group "${group}" ${scope}`;
  const details = { name, group: group || undefined, kind: plural };
  return new ApiError(403, "Forbidden", `${subject} is forbidden: ${why}`, details);
}
