import { formatJson } from "../base/mod.ts";
import { badRequest } from "./api_error.ts";
import { type AccessAttributes, accessDenied, type Authorizer } from "./authorizer.ts";
import { AUTHENTICATED_GROUP, serviceAccountUser, type UserInfo } from "./user_info.ts";

const UNAUTHENTICATED_GROUP = "system:unauthenticated";
const EXTRA_PREFIX = "impersonate-extra-";
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/**
 * The user itself, or the Impersonate headers' user if RBAC allows it (k8s.io/apiserver impersonation filter). One
 * header has all groups, comma-separated.
 *
 * @throws {ApiError} 403 where RBAC forbids it, 400 for groups without a user.
 */
export function impersonated(
  authorizer: Authorizer,
  user: UserInfo,
  headers: Readonly<Record<string, string>>,
): UserInfo {
  const name = headers["impersonate-user"];
  const groups = (headers["impersonate-group"] ?? "").split(",").map((group) => group.trim()).filter(Boolean);
  const uid = headers["impersonate-uid"];
  const extra = Object.entries(headers).filter(([header]) => header.startsWith(EXTRA_PREFIX))
    .map(([header, value]) =>
      [decodeURIComponent(header.slice(EXTRA_PREFIX.length)), value.split(",").map((one) => one.trim())] as const
    );
  if (!name) {
    if (groups.length === 0 && uid === undefined && extra.length === 0) return user;
    throw badRequest(`requested ${goUser(groups, uid, extra)} without impersonating a user name`);
  }
  const check = (plural: string, of: string, options: { namespace?: string; subresource?: string; group?: string }) => {
    const attributes: AccessAttributes = {
      kind: "resource",
      verb: "impersonate",
      group: options.group ?? "",
      plural,
      subresource: options.subresource,
      namespace: options.namespace,
      name: of,
    };
    if (!authorizer.decide(user, attributes).allowed) throw accessDenied(user, attributes);
  };
  const account = SERVICE_ACCOUNT.exec(name);
  if (account) check("serviceaccounts", account[2]!, { namespace: account[1]! });
  else check("users", name, {});
  for (const group of groups) check("groups", group, {});
  const group = "authentication.k8s.io";
  if (uid !== undefined) check("uids", uid, { group });
  for (const [key, values] of extra) {
    for (const value of values) check("userextras", value, { group, subresource: key });
  }
  const known = groups.length > 0 ? groups : account ? serviceAccountUser(account[1]!, account[2]!).groups : [];
  const all = new Set([...known, name === "system:anonymous" ? UNAUTHENTICATED_GROUP : AUTHENTICATED_GROUP]);
  return { name, uid, groups: [...all], extra: Object.fromEntries(extra) };
}

/** How Go prints the user. */
function goUser(
  groups: readonly string[],
  uid: string | undefined,
  extra: readonly (readonly [string, string[]])[],
): string {
  const list = (values: readonly string[]) => `[]string{${values.map((one) => formatJson(one)).join(", ")}}`;
  const groupText = groups.length > 0 ? list(groups) : "[]string(nil)";
  const entries = extra.map(([key, values]) => `${formatJson(key)}:${list(values)}`).join(", ");
  const extraText = extra.length > 0 ? `map[string][]string{${entries}}` : "map[string][]string(nil)";
  return `&user.DefaultInfo{Name:"", UID:${formatJson(uid ?? "")}, Groups:${groupText}, Extra:${extraText}}`;
}
