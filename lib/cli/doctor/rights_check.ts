import { formatKey } from "../../apimachinery/mod.ts";
import { serviceAccountUser } from "../../harness/mod.ts";
import { missingPermissions, ServiceAccount, unservedKinds } from "../../operator/mod.ts";
import { type Check, ok, problem, warning } from "./check.ts";
import { installCommand } from "./installation_check.ts";

/** Whether the operator's ServiceAccount (not the caller) may do all that the operator declares. */
export const rightsCheck: Check = {
  name: "rights",
  async run(context) {
    const { operator, client, account, command, signal } = context, { namespace, name } = account;
    const missing = await missingPermissions(operator, client, {
      command,
      account: serviceAccountUser(namespace, name),
      peeringNamespace: namespace,
      webhookNamespace: namespace,
      signal,
    });
    // The installation check reports a missing account.
    if (missing.length > 0 && !await client.find(ServiceAccount, account, { signal })) return [];
    const subject = `ServiceAccount ${formatKey(account)}`;
    if (missing.length === 0) return [ok(`${subject} may do all that the operator declares`)];
    return missing.map((each) => problem(`${subject} is ${each.problem}`, installCommand(context)));
  },
};

/**
 * Whether the cluster serves the foreign kinds that the operator watches; the installation check covers its own kinds.
 */
export const kindsCheck: Check = {
  name: "kinds",
  async run({ operator, client, command, signal }) {
    const foreign = (await unservedKinds(operator, client, { command, signal })).filter(({ own }) => !own);
    return foreign.map((each) => problem(each.problem, each.fix));
  },
};

/** Whether the caller could run the operator outside of the cluster. */
export const ownRightsCheck: Check = {
  name: "you",
  async run({ operator, client, command, signal }) {
    const missing = await missingPermissions(operator, client, { command, signal });
    const [unserved] = await unservedKinds(operator, client, { command, signal });
    if (unserved) return [warning(`\`${command} run\` does not work here: ${unserved.problem}`, unserved.fix)];
    if (missing.length === 0) {
      return [ok(`you may do all that the operator declares, so \`${command} run\` works here`)];
    }
    const message = `\`${command} run\` does not work with your credentials, which are ${missing[0]!.problem}`;
    const more = missing.length > 1 ? ` (and ${missing.length - 1} more)` : "";
    return [
      warning(`${message}${more}`, "choose others with --context or --kubeconfig, if you want to run it yourself"),
    ];
  },
};
