import { isObject } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import { badRequest } from "./api_error.ts";
import type { AccessAttributes, Authorizer, PolicyRule } from "./authorizer.ts";
import { AUTHENTICATED_GROUP, type UserInfo } from "./user_info.ts";

type Fields = Record<string, unknown>;

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function attributesOf(spec: Fields): AccessAttributes {
  if (isObject(spec.nonResourceAttributes)) {
    const { path, verb } = spec.nonResourceAttributes;
    return { kind: "path", verb: textOf(verb) ?? "", path: textOf(path) ?? "" };
  }
  if (!isObject(spec.resourceAttributes)) {
    throw badRequest("exactly one of nonResourceAttributes or resourceAttributes must be specified");
  }
  const { verb, group, resource, subresource, namespace, name } = spec.resourceAttributes;
  return {
    kind: "resource",
    verb: textOf(verb) ?? "",
    group: textOf(group) ?? "",
    plural: textOf(resource) ?? "",
    subresource: textOf(subresource),
    namespace: textOf(namespace),
    name: textOf(name),
  };
}

function accessStatus(authorizer: Authorizer, user: UserInfo, spec: Fields): Fields {
  const decision = authorizer.decide(user, attributesOf(spec));
  return decision.allowed ? { allowed: true, reason: decision.reason || undefined } : { allowed: false };
}

function userOf(spec: Fields): UserInfo {
  const name = textOf(spec.user), groups = listOf(spec.groups);
  if (name === undefined && groups.length === 0) throw badRequest("at least one of user or group must be specified");
  return { name: name ?? "", uid: textOf(spec.uid), groups };
}

function rulesStatus(authorizer: Authorizer, user: UserInfo, namespace: string | undefined): Fields {
  const resourceRules: PolicyRule[] = [], nonResourceRules: PolicyRule[] = [];
  for (const { rule } of authorizer.rulesOf(user, namespace)) {
    const { verbs, nonResourceURLs, ...rest } = rule;
    if (nonResourceURLs) nonResourceRules.push({ verbs, nonResourceURLs });
    else resourceRules.push({ verbs, ...rest });
  }
  return { resourceRules, nonResourceRules, incomplete: false };
}

function userInfoFields(user: UserInfo): Fields {
  return { username: user.name, uid: user.uid || undefined, groups: [...user.groups], extra: user.extra };
}

/**
 * Fills in a review's status; undefined where `plural` is not a review. Reviews are never stored.
 *
 * @throws {ApiError} 400 where the review has no attributes.
 */
export function reviewed(
  plural: string,
  review: DynamicObject,
  context: {
    authorizer: Authorizer;
    user: UserInfo;
    namespace?: string;
    authenticate: (token: string) => UserInfo | undefined;
  },
): DynamicObject | undefined {
  const { authorizer, user } = context;
  const spec = fieldsOf(review.spec);
  switch (plural) {
    case "selfsubjectaccessreviews":
      return { ...review, status: accessStatus(authorizer, user, spec) };
    case "subjectaccessreviews":
      return { ...review, status: accessStatus(authorizer, userOf(spec), spec) };
    case "localsubjectaccessreviews": {
      const attributes = attributesOf(spec);
      if (attributes.kind !== "resource" || attributes.namespace !== context.namespace) {
        throw badRequest("spec.resourceAttributes.namespace must match metadata.namespace");
      }
      return { ...review, status: accessStatus(authorizer, userOf(spec), spec) };
    }
    case "selfsubjectrulesreviews": {
      const namespace = textOf(spec.namespace);
      if (namespace === undefined) throw badRequest("no namespace on request");
      return { ...review, status: rulesStatus(authorizer, user, namespace) };
    }
    case "selfsubjectreviews":
      return { ...review, status: { userInfo: userInfoFields(user) } };
    case "tokenreviews": {
      const known = context.authenticate(textOf(spec.token) ?? "");
      const status = known && known.groups.includes(AUTHENTICATED_GROUP)
        ? { authenticated: true, user: userInfoFields(known), audiences: ["https://kubernetes.default.svc"] }
        : { user: {}, error: "the token is unknown or has expired" };
      return { ...review, status };
    }
    default:
      return undefined;
  }
}
