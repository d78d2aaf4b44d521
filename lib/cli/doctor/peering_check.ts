import { formatDuration } from "../../base/mod.ts";
import { formatKey, keyOf } from "../../apimachinery/mod.ts";
import {
  describePeer,
  type LeaseObject,
  LEASES,
  type Peer,
  peerDecision,
  PEERING_LABEL,
  peerOf,
} from "../../election/mod.ts";
import { installNamespace } from "../../operator/mod.ts";
import { deploymentsOf, isExpired } from "../inventory.ts";
import { peers, placeOf } from "../peering_place.ts";
import { deployedSettings } from "./deployed_settings.ts";
import { type Check, type CheckContext, type Finding, ok, warning } from "./check.ts";
import { clockSkewMs } from "./server_checks.ts";

/**
 * The peers, and for which peer each pauses: in the settings' peering, the deployed pods' peerings, and others of the
 * operator's namespace. No finding without peers.
 */
export const peeringCheck: Check = {
  name: "peering",
  async run(context) {
    const { client, clock, signal } = context, leases = new Map<string, LeaseObject>();
    for (const { namespace, labelSelector } of await placesOf(context)) {
      const { items } = await client.list<LeaseObject>(LEASES, { namespace, labelSelector, signal });
      for (const lease of items) leases.set(formatKey(keyOf(lease)), lease);
    }
    const nowMs = clock.now() + (leases.size > 0 ? await clockSkewMs(context) ?? 0 : 0);
    const peerings = Map.groupBy(
      leases.values(),
      ({ metadata }) => `${metadata?.namespace}/${metadata?.labels?.[PEERING_LABEL]}`,
    );
    return [...peerings].flatMap(([name, leases]) => {
      const alive = leases.filter((lease) => !isExpired(lease, nowMs)).map(peerOf);
      return leases.map((lease) => peerFinding(name, lease, { ...context, alive, nowMs }));
    });
  },
};

async function placesOf(
  { client, account, peering, table, signal }: CheckContext,
): Promise<{ readonly namespace: string; readonly labelSelector: string }[]> {
  const deployed = (await deploymentsOf(client, account, signal))
    .flatMap((deployment) => deployedSettings(deployment, table))
    .flatMap(({ settings }) =>
      settings && peers({ settings }) ? [placeOf(settings.peering || account.name, account.namespace)] : []
    );
  const named = [peering, ...deployed].map(({ namespace, name }) => ({
    namespace,
    labelSelector: `${PEERING_LABEL}=${name}`,
  }));
  return [{ namespace: account.namespace, labelSelector: PEERING_LABEL }, ...named];
}

function peerFinding(
  title: string,
  lease: LeaseObject,
  { alive, nowMs, program, command, account }: CheckContext & {
    readonly alive: readonly Peer[];
    readonly nowMs: number;
  },
): Finding {
  const peer = peerOf(lease), [namespace, name] = title.split("/");
  const peerName = `${namespace === account.namespace ? name : title}: ${describePeer(peer)}`;
  if (isExpired(lease, nowMs)) {
    const agoMs = nowMs - Date.parse(lease.spec?.renewTime ?? lease.metadata?.creationTimestamp ?? "");
    return warning(
      `${peerName} is dead, and last renewed its Lease ${formatDuration(agoMs)} ago`,
      "the next operator that joins the peering removes it",
    );
  }
  if (peer.state === "freeze" || peer.state === "hold") {
    const isDefault = namespace === installNamespace(program) && name === account.name;
    return warning(
      `${peerName} freezes operators up to its priority`,
      `${command} resume ${isDefault ? "" : `--peering ${title} `}--id ${JSON.stringify(peer.identity)}`,
    );
  }
  const decision = peerDecision(peer, alive);
  if (decision.kind === "conflict") {
    return warning(
      `${peerName} pauses, and so does ${describePeer(decision.with)} of the same priority`,
      "give one of them another priority, or stop it",
    );
  }
  if (decision.kind === "pause") return ok(`${peerName} is ${peer.state} for ${describePeer(decision.by)}`);
  return ok(
    `${peerName} works${decision.kind === "wait" ? ` as soon as ${describePeer(decision.for[0]!)} has paused` : ""}`,
  );
}
