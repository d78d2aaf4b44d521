import { isObject } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import { badRequest, invalid, invalidValue } from "./api_error.ts";
import type { AccessAttributes, Authorizer, PolicyRule } from "./authorizer.ts";
import { ISSUER, type TokenIssuer } from "./token_issuer.ts";
import type { UserInfo } from "./user_info.ts";

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

/** kube-apiserver leaves the kind out. */
function invalidReview(field: string, value: unknown, why: string): never {
  throw invalid({ group: "authorization.k8s.io", kind: "" }, "", [invalidValue(field, value, why)]);
}

function attributesOf(spec: Fields): AccessAttributes {
  const { resourceAttributes, nonResourceAttributes } = spec;
  if (isObject(nonResourceAttributes) === isObject(resourceAttributes)) {
    const value = isObject(resourceAttributes) ? spec : undefined;
    invalidReview("spec", value, "exactly one of nonResourceAttributes or resourceAttributes must be specified");
  }
  if (isObject(nonResourceAttributes)) {
    const { path, verb } = nonResourceAttributes;
    return { kind: "path", verb: textOf(verb) ?? "", path: textOf(path) ?? "" };
  }
  const attributes = fieldsOf(resourceAttributes);
  for (const selector of ["fieldSelector", "labelSelector"]) checkSelector(selector, fieldsOf(attributes[selector]));
  const { verb, group, resource, subresource, namespace, name } = attributes;
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

function checkSelector(name: string, { rawSelector, requirements }: Fields): void {
  if (!rawSelector || listOf(requirements).length === 0) return;
  const field = `spec.resourceAttributes.${name}.rawSelector`;
  invalidReview(field, rawSelector, "may not specified at the same time as requirements");
}

function accessStatus(authorizer: Authorizer, user: UserInfo, attributes: AccessAttributes): Fields {
  const decision = authorizer.decide(user, attributes);
  return decision.allowed ? { allowed: true, reason: decision.reason || undefined } : { allowed: false };
}

function userOf(spec: Fields): UserInfo {
  const name = textOf(spec.user), groups = listOf(spec.groups);
  if (name === undefined && groups.length === 0) {
    invalidReview("spec.user", "", "at least one of user or group must be specified");
  }
  return { name: name ?? "", uid: textOf(spec.uid), groups };
}

function localAttributes(spec: Fields, namespace: string | undefined): AccessAttributes {
  const attributes = attributesOf(spec);
  if (attributes.kind === "path") {
    invalidReview("spec.nonResourceAttributes", spec.nonResourceAttributes, "disallowed on this kind of request");
  }
  if (attributes.namespace !== namespace) {
    invalidReview("spec.resourceAttributes.namespace", attributes.namespace ?? "", "must match metadata.namespace");
  }
  return attributes;
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
  const extra = user.extra && Object.keys(user.extra).length > 0 ? user.extra : undefined;
  return { username: user.name, uid: user.uid || undefined, groups: [...user.groups], extra };
}

/** Whose token it is, if it is for one of the audiences; this server's own where none are asked for. */
function tokenStatus(tokens: TokenIssuer, spec: Fields): Fields {
  const token = textOf(spec.token);
  if (token === undefined) throw badRequest("token is required for TokenReview in authentication");
  const known = tokens.review(token);
  if (!known) return { user: {}, error: "invalid bearer token" };
  const asked = listOf(spec.audiences), targets = asked.length > 0 ? asked : [ISSUER];
  const shared = known.audiences.filter((audience) => targets.includes(audience));
  if (shared.length > 0) {
    return {
      authenticated: true,
      user: userInfoFields(known.user),
      audiences: targets.filter((one) => shared.includes(one)),
    };
  }
  const list = (audiences: readonly string[]) => `[${audiences.map((one) => JSON.stringify(one)).join(" ")}]`;
  const why = `token audiences ${list(known.audiences)} is invalid for the target audiences ${list(targets)}`;
  return { user: {}, error: `[invalid bearer token, ${why}]` };
}

/**
 * The status of a review; undefined where `plural` is not a review. Reviews are never stored.
 *
 * @throws {ApiError} 400 or 422 where the review is not complete.
 */
export function reviewStatus(
  plural: string,
  review: DynamicObject,
  context: { authorizer: Authorizer; user: UserInfo; namespace?: string; tokens: TokenIssuer },
): Fields | undefined {
  const { authorizer, user, namespace, tokens } = context;
  const spec = fieldsOf(review.spec);
  switch (plural) {
    case "selfsubjectaccessreviews":
      return accessStatus(authorizer, user, attributesOf(spec));
    case "subjectaccessreviews":
      return accessStatus(authorizer, userOf(spec), attributesOf(spec));
    case "localsubjectaccessreviews":
      return accessStatus(authorizer, userOf(spec), localAttributes(spec, namespace));
    case "selfsubjectrulesreviews": {
      const asked = textOf(spec.namespace);
      if (asked === undefined) throw badRequest("no namespace on request");
      return rulesStatus(authorizer, user, asked);
    }
    case "selfsubjectreviews":
      return { userInfo: userInfoFields(user) };
    case "tokenreviews":
      return tokenStatus(tokens, spec);
    default:
      return undefined;
  }
}

/** Reviews of access are no objects: they have no metadata but managers and a namespace. @throws {ApiError} 422. */
export function checkReviewMetadata({ metadata = {} }: DynamicObject): void {
  const { managedFields: _managers, namespace: _namespace, ...rest } = metadata;
  if (Object.keys(rest).length > 0) invalidReview("metadata", metadata, "must be empty");
}
