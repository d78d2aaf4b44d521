import { fields, oneOf, type Place, present, type Rule, within } from "./place.ts";

const USER_ID_MAX = 2_147_483_647;
const SECCOMP_TYPES = ["Localhost", "RuntimeDefault", "Unconfined"];

/** Profiles that may be a file of the node. */
function profile(types: readonly string[], what: string): Rule {
  return (at) => {
    const type = at.field("type"), file = at.field("localhostProfile");
    if (!type.isSet) type.required();
    else if (!types.includes(type.text)) type.unsupported(types);
    else if (type.text === "Localhost" && !file.isSet) file.required(`must be set when ${what} type is Localhost`);
    else if (type.text !== "Localhost" && file.isPresent) {
      file.invalid(`can only be set when ${what} type is Localhost`);
    }
  };
}

export const seccompProfile: Rule = profile(SECCOMP_TYPES, "seccomp");
export const apparmorProfile: Rule = profile(SECCOMP_TYPES, "AppArmor");

/** A pod's security context, by core's validatePodSpecSecurityContext. */
export const podSecurityContext: Rule = fields({
  runAsUser: present(within(0, USER_ID_MAX)),
  runAsGroup: present(within(0, USER_ID_MAX)),
  fsGroup: present(within(0, USER_ID_MAX)),
  supplementalGroups: (at: Place) => at.items.forEach(within(0, USER_ID_MAX)),
  supplementalGroupsPolicy: present(oneOf("Merge", "Strict")),
  fsGroupChangePolicy: present(oneOf("Always", "OnRootMismatch")),
  sysctls,
  seccompProfile: present(seccompProfile),
  appArmorProfile: present(apparmorProfile),
});

const SYSCTL = "([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?", SYSCTL_MAX = 253;

function sysctls(at: Place): void {
  const names = new Set<string>();
  for (const sysctl of at.items) {
    const name = sysctl.field("name");
    if (!name.isSet) name.required();
    else if (name.text.length > SYSCTL_MAX || !new RegExp(`^${SYSCTL}$`).test(name.text)) {
      name.invalid(`must have at most ${SYSCTL_MAX} characters and match regex ^${SYSCTL}$`);
    } else if (names.has(name.text)) name.duplicate();
    names.add(name.text);
  }
}
