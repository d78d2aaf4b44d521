import { type LeaseObject, LEASES, ownersOf, SHARDS, SHARDS_LABEL, shardsLeaseName } from "../../election/mod.ts";
import { type Check, ok, warning } from "./check.ts";

/** How replicas share the work. No finding if they do not. */
export const shardsCheck: Check = {
  name: "shards",
  async run({ client, account: { namespace, name }, signal }) {
    const labelSelector = `${SHARDS_LABEL}=${name}`;
    const { items } = await client.list<LeaseObject>(LEASES, { namespace, labelSelector, signal });
    if (items.length === 0) return [];
    const table = await client.find<LeaseObject>(LEASES, { namespace, name: shardsLeaseName(name) }, { signal });
    const owners = table ? ownersOf(table) ?? [] : [], members = items.map(({ spec }) => spec?.holderIdentity ?? "");
    const found = members.map((member) =>
      ok(`${member} works on ${owners.filter((owner) => owner === member).length} of ${SHARDS} shards`)
    );
    const orphans = SHARDS - owners.filter((owner) => members.includes(owner)).length;
    if (orphans === 0) return found;
    const fix = "run this again in half a minute; if they stay, read the logs of the replicas";
    return [...found, warning(`no replica works on ${orphans} of ${SHARDS} shards`, fix)];
  },
};
