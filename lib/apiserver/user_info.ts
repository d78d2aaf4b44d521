/** Who makes a request (authentication.k8s.io/v1 UserInfo). */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** The group that passes every authorization check. */
export const MASTERS_GROUP = "system:masters";
/** The group of everybody who showed a credential. */
export const AUTHENTICATED_GROUP = "system:authenticated";

/** The administrator: the default user of the in-process door and the bearer of the kubeconfig's certificate. */
export const ADMIN: UserInfo = { name: "admin", groups: [MASTERS_GROUP, AUTHENTICATED_GROUP] };

/** The user that a ServiceAccount's token stands for. */
export function serviceAccountUser(namespace: string, name: string, uid?: string): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, AUTHENTICATED_GROUP],
  };
}
