import { formatDuration } from "../../base/duration.ts";
import { type LeaseObject, LEASES } from "../../election/lease.ts";
import { describePeer, type Peer, PEERING_LABEL, peerOf, standing } from "../../election/peers.ts";
import { type Check, type Finding, ok, warning } from "./diagnosis.ts";
import { clockSkewMs } from "./server_checks.ts";

/** A clock that is compared by whole seconds, and an answer that takes its time, make a lease look older than it is. */
const FRESH_MS_MORE = 3_000;

/** Who peers in the operator's namespace, and for whom they pause. Says nothing where nobody peers. */
export const peeringCheck: Check = {
  name: "peering",
  async look(examination) {
    const { client, account: { namespace }, clock, signal, program } = examination;
    const { items } = await client.list<LeaseObject>(LEASES, { namespace, labelSelector: PEERING_LABEL, signal });
    const nowMs = clock.now() + (items.length > 0 ? await clockSkewMs(examination) ?? 0 : 0);
    const peerings = Map.groupBy(items, ({ metadata }) => metadata?.labels?.[PEERING_LABEL] ?? "");
    return [...peerings].flatMap(([name, leases]) => {
      const alive = leases.filter((lease) => !isOver(lease, nowMs)).map(peerOf);
      return leases.map((lease) => judge(name, lease, alive, nowMs, program));
    });
  },
};

function judge(name: string, lease: LeaseObject, alive: readonly Peer[], nowMs: number, program: string): Finding {
  const peer = peerOf(lease), who = `${name}: ${describePeer(peer)}`;
  if (isOver(lease, nowMs)) {
    const agoMs = nowMs - Date.parse(lease.spec?.renewTime ?? lease.metadata?.creationTimestamp ?? "");
    return warning(
      `${who} is gone, and last said so ${formatDuration(agoMs)} ago`,
      "the next operator that peers removes it",
    );
  }
  if (peer.state === "freeze" || peer.state === "hold") {
    return warning(
      `${who} freezes operators up to its priority`,
      `${program} resume --id ${JSON.stringify(peer.identity)}`,
    );
  }
  const stands = standing(peer, alive);
  if (stands.kind === "clash") {
    return warning(
      `${who} pauses, and so does ${describePeer(stands.with)} of the same priority`,
      "give one of them another priority, or stop it",
    );
  }
  if (stands.kind === "paused") return ok(`${who} is ${peer.state} for ${describePeer(stands.by)}`);
  return ok(
    `${who} works${stands.kind === "next" ? ` as soon as ${describePeer(stands.waitsFor[0]!)} has paused` : ""}`,
  );
}

/** By the times in the lease: a look that takes no time cannot wait whether it changes. */
function isOver({ spec, metadata }: LeaseObject, nowMs: number): boolean {
  const sinceMs = Date.parse(spec?.renewTime ?? metadata?.creationTimestamp ?? "");
  return nowMs > sinceMs + (spec?.leaseDurationSeconds ?? 0) * 1_000 + FRESH_MS_MORE;
}
