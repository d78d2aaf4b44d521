import { describeError } from "../base/mod.ts";
import { Membership, type MembershipOptions } from "./membership.ts";
import {
  describePeer,
  freezeEndsMs,
  type Peer,
  peerAnnotations,
  PEERING_LABEL,
  peerLeaseName,
  peerOf,
  type Standing,
  standing,
} from "./peers.ts";

/** How an operator peers. */
export interface PeeringOptions extends MembershipOptions {
  /** The highest works. */
  readonly priority: number;
  /** See {@linkcode Peer.replicasOf}. */
  readonly replicasOf?: string;
}

/** How far a peer is: it waits for others to pause, works, ends what is under way, or has paused. */
export type PeeringState = "waiting" | "working" | "pausing" | "paused";

/**
 * One operator among its peers: of those of one name, the one with the highest priority works; the others pause, with
 * their stores filled, and go on when it is gone. Two of equal priority pause both.
 *
 * Guarantees: of rivals at most one {@linkcode mayWrite} at any time, as long as clocks run equally fast. Whoever
 * begins has said so before it asked the server who else is there, and waits until all others have ended what they had
 * under way or are dead; so of two that begin together one sees the other.
 *
 * A gate of a `NamespaceScope`: closed, it covers nothing.
 */
export class Peering extends Membership<PeeringOptions> {
  #state: PeeringState = "waiting";
  /** What our lease says: others rely on `paused`. */
  #said: "active" | "paused" | undefined;
  #told: string | undefined;

  constructor(options: PeeringOptions) {
    const leaseName = peerLeaseName(options.name, options.identity);
    super(options, { leaseName, label: PEERING_LABEL, endsMs: freezeEndsMs });
  }

  /** How far it is. */
  get state(): PeeringState {
    return this.#state;
  }

  /** Whether work may begin: all of it, or none. */
  covers(): boolean {
    return this.#state === "working" && this.lease.isValid;
  }

  /** See {@linkcode covers}. */
  coversCluster(): boolean {
    return this.covers();
  }

  /** Whether this process may write now: while it works, and while it ends what is under way. */
  get mayWrite(): boolean {
    return (this.#state === "working" || this.#state === "pausing") && this.lease.isValid;
  }

  /**
   * Joins the peers and waits until this one may work; it goes on to say that it is there, and to pause and continue,
   * until {@linkcode release}.
   *
   * @throws the signal's reason where it aborts first; {@linkcode LeaseLostError}.
   */
  override async acquire(signal: AbortSignal): Promise<void> {
    const { name: peering, identity, priority, logger } = this.options;
    logger.info("peering", { peering, identity, priority });
    await super.acquire(signal);
  }

  /** Leaves the peers; those that paused for this one go on at once. Call it when the last write is done. */
  async release(): Promise<void> {
    await this.ended();
    this.#state = "paused";
    await this.lease.withdraw().catch((error) =>
      // It runs out by itself; the others only wait longer.
      this.options.logger.warn("the peering's lease could not be given up", { error: describeError(error) })
    );
  }

  protected override get hasJoined(): boolean {
    return this.covers();
  }

  protected override lapsed(): void {
    if (this.#state !== "working") return;
    const { logger, name: peering } = this.options;
    logger.warn("pausing: the others may take this peer for dead, which cannot say that it is there", { peering });
    this.#told = undefined;
    this.#end("waiting");
  }

  /** Says that it is there, asks who else is, and does what follows. */
  protected override async turn(signal: AbortSignal): Promise<void> {
    await this.#say(this.#state === "paused" ? "paused" : "active", signal);
    const stands = standing(this.#me, await this.#others(signal));
    this.#report(stands);
    if (stands.kind === "paused" || stands.kind === "clash") return await this.#pause(signal);
    if (this.#state !== "paused" && this.#state !== "waiting") return; // whoever came since pauses for us
    // Nobody relies on us having paused before we have asked again: whoever begins meanwhile sees that we are about to.
    if (this.#said === "paused") {
      this.#state = "waiting";
      return await this.turn(signal);
    }
    if (stands.kind === "free") this.#become("working");
  }

  get #me(): Peer {
    const { identity, priority, replicasOf } = this.options;
    return { identity, priority, replicasOf, state: "active" };
  }

  async #others(signal: AbortSignal): Promise<Peer[]> {
    const leases = await this.look(signal, (bounded) => this.roster.look(bounded));
    return leases.filter(({ metadata }) => metadata?.name !== this.lease.name).map(peerOf);
  }

  async #say(state: "active" | "paused", signal: AbortSignal): Promise<void> {
    await this.say(peerAnnotations({ ...this.#me, state }), signal);
    this.#said = state;
  }

  /**
   * Takes up nothing more, ends what is under way while the lease goes on being renewed, and says so when it has ended.
   */
  async #pause(signal: AbortSignal): Promise<void> {
    if (this.#state === "waiting") {
      this.#state = "paused";
      return await this.#say("paused", signal);
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
    if (isChange) this.tell();
  }

  /** Says once what has changed. */
  #report(stands: Standing): void {
    const { logger, name: peering } = this.options;
    const who = stands.kind === "free" ? "" : describePeer(
      stands.kind === "paused" ? stands.by : stands.kind === "clash" ? stands.with : stands.waitsFor[0]!,
    );
    const news = `${stands.kind} ${who}`;
    if (news === this.#told) return;
    this.#told = news;
    if (stands.kind === "free") logger.info("working: no other peer stands above", { peering });
    if (stands.kind === "paused") logger.warn("paused for another peer", { peering, peer: who });
    if (stands.kind === "next" && !this.covers()) {
      logger.info("taking over as soon as it has paused", { peering, peer: who });
    }
    if (stands.kind === "clash") {
      const fix = "give one of them another --priority, or stop it";
      logger.error("another peer has the same priority: both pause", { peering, peer: who, fix });
    }
  }
}
