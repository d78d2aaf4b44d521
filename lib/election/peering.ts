import { describeError } from "../base/mod.ts";
import { Membership, type MembershipOptions } from "./membership.ts";
import {
  describePeer,
  freezeEndsMs,
  type Peer,
  peerAnnotations,
  type PeerDecision,
  peerDecision,
  PEERING_LABEL,
  peerLeaseName,
  peerOf,
} from "./peers.ts";

export interface PeeringOptions extends MembershipOptions {
  /** The peer with the highest one works. */
  readonly priority: number;
  readonly replicasOf?: string;
}

/** `waiting` for others to pause, `pausing` until its running work ends. */
type PeeringState = "waiting" | "working" | "pausing" | "paused";

/**
 * One operator among peers of one name: the highest priority works. The others pause with full stores and continue when
 * it is gone. Two of equal priority both pause.
 *
 * Guarantees: at most one of these operators {@linkcode mayWrite} at any time, if clocks run equally fast. A new peer
 * writes its own Lease before it reads the others', and waits until all have paused or are dead. Of two that begin
 * together one sees the other.
 *
 * Gates a `NamespaceScope`: closed, it covers nothing.
 */
export class Peering extends Membership<PeeringOptions> {
  #state: PeeringState = "waiting";
  /** The state in our Lease: others rely on `paused`. */
  #published: "active" | "paused" | undefined;
  #reported: string | undefined;

  constructor(options: PeeringOptions) {
    const leaseName = peerLeaseName(options.name, options.identity);
    super(options, { leaseName, label: PEERING_LABEL, expiresMs: freezeEndsMs });
  }

  get state(): PeeringState {
    return this.#state;
  }

  covers(): boolean {
    return this.#state === "working" && this.lease.isValid;
  }

  coversCluster(): boolean {
    return this.covers();
  }

  /** While it works or ends running work. */
  get mayWrite(): boolean {
    return (this.#state === "working" || this.#state === "pausing") && this.lease.isValid;
  }

  /**
   * Waits until this peer may work. Renews its Lease, pauses and continues until {@linkcode release}.
   *
   * @throws the signal's reason if it aborts first; {@linkcode LeaseLostError}.
   */
  override async acquire(signal: AbortSignal): Promise<void> {
    const { name: peering, identity, priority, logger } = this.options;
    logger.info("peering", { peering, identity, priority });
    await super.acquire(signal);
  }

  /** Peers paused for this one continue at once. Call it after the last write. */
  async release(): Promise<void> {
    await this.ended();
    this.#state = "paused";
    await this.lease.delete().catch((error) =>
      // It expires by itself; the others only wait longer.
      this.options.logger.warn("the lease of the peering could not be released", { error: describeError(error) })
    );
  }

  protected override get hasJoined(): boolean {
    return this.covers();
  }

  protected override onExpired(): void {
    if (this.#state !== "working") return;
    const { logger, name: peering } = this.options;
    logger.warn("pausing: the lease could not be renewed, and other peers may begin", { peering });
    this.#reported = undefined;
    this.#end("waiting");
  }

  protected override async renewOnce(signal: AbortSignal): Promise<void> {
    await this.#publish(this.#state === "paused" ? "paused" : "active", signal);
    const decision = peerDecision(this.#me, await this.#others(signal));
    this.#report(decision);
    if (decision.kind === "pause" || decision.kind === "conflict") return await this.#pause(signal);
    if (this.#state !== "paused" && this.#state !== "waiting") return; // peers that came since pause for us
    // Others may rely on `paused` until our Lease is active again and theirs were read after that.
    if (this.#published === "paused") {
      this.#state = "waiting";
      return await this.renewOnce(signal);
    }
    if (decision.kind === "work") this.#become("working");
  }

  get #me(): Peer {
    const { identity, priority, replicasOf } = this.options;
    return { identity, priority, replicasOf, state: "active" };
  }

  async #others(signal: AbortSignal): Promise<Peer[]> {
    const leases = await this.poll(signal, (bounded) => this.members.list(bounded));
    return leases.filter(({ metadata }) => metadata?.name !== this.lease.name).map(peerOf);
  }

  async #publish(state: "active" | "paused", signal: AbortSignal): Promise<void> {
    await this.renew(peerAnnotations({ ...this.#me, state }), signal);
    this.#published = state;
  }

  /** Begins no work, ends the running one while the Lease is renewed, then publishes the pause. */
  async #pause(signal: AbortSignal): Promise<void> {
    if (this.#state === "waiting") {
      this.#state = "paused";
      return await this.#publish("paused", signal);
    }
    if (this.#state === "working") this.#end("paused");
  }

  #end(then: "paused" | "waiting"): void {
    this.#become("pausing");
    this.drain(() => this.#state = then);
  }

  #become(state: PeeringState): void {
    const isChange = (this.#state === "working") !== (state === "working");
    this.#state = state;
    if (isChange) this.notify();
  }

  /** Logs each decision once. */
  #report(decision: PeerDecision): void {
    const { logger, name: peering } = this.options;
    const peer = decision.kind === "work" ? "" : describePeer(
      decision.kind === "pause" ? decision.by : decision.kind === "conflict" ? decision.with : decision.for[0]!,
    );
    const news = `${decision.kind} ${peer}`;
    if (news === this.#reported) return;
    this.#reported = news;
    if (decision.kind === "work") logger.info("working: no other peer has a higher priority", { peering });
    if (decision.kind === "pause") logger.warn("paused for another peer", { peering, peer });
    if (decision.kind === "wait" && !this.covers()) {
      logger.info("waiting until a peer of lower priority has paused", { peering, peer });
    }
    if (decision.kind === "conflict") {
      const fix = "give one of them another --priority, or stop it";
      logger.error("another peer has the same priority: both pause", { peering, peer, fix });
    }
  }
}
