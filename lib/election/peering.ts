import { type Clock, describeError, type Logger, type Random, sleep } from "../base/mod.ts";
import type { Client } from "../client/mod.ts";
import { LeaseLostError } from "./lease_lost_error.ts";
import { LEASE_JITTER, LEASE_TIMING, type LeaseTiming, LOOKS_MAX, within } from "./lease_timing.ts";
import { OwnLease } from "./own_lease.ts";
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
import { Roster } from "./roster.ts";

/** How an operator peers. */
export interface PeeringOptions extends Partial<LeaseTiming> {
  /** Sends lease requests; must not be fenced, nor try again by itself. */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Where the leases of the peering are. */
  readonly namespace: string;
  /** Of the peering: a label's value. */
  readonly name: string;
  /** Name of this process, different for each, the same for all its life. */
  readonly identity: string;
  readonly priority: number;
  /** See {@linkcode Peer.replicasOf}. */
  readonly replicasOf?: string;
  /** Ends what is under way, after the gate has closed, and resolves when nothing of it can write any more. Bounded by its maker. */
  readonly drain: () => Promise<void>;
}

/** How far a peer is: it waits for others to pause, works, ends what is under way, or has paused. */
export type PeeringState = "waiting" | "working" | "pausing" | "paused";

/**
 * One operator among its peers: of those of one name, the one with the highest priority works; the others pause, with their stores
 * filled, and go on when it is gone. Two of equal priority pause both.
 *
 * Guarantees: of rivals at most one {@linkcode mayWrite} at any time, as long as clocks run equally fast. Whoever begins has said so
 * before it asked the server who else is there, and waits until all others have ended what they had under way or are dead; so of
 * two that begin together one sees the other.
 *
 * A gate of a `NamespaceScope`: closed, it covers nothing.
 */
export class Peering implements Disposable {
  readonly #options: PeeringOptions & LeaseTiming;
  readonly #lease: OwnLease;
  readonly #roster: Roster;
  readonly #listeners = new Set<() => void>();
  readonly #lost = Promise.withResolvers<LeaseLostError>();
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #state: PeeringState = "waiting";
  /** What our lease says: others rely on `paused`. */
  #said: "active" | "paused" | undefined;
  #told: string | undefined;

  constructor(options: PeeringOptions) {
    this.#options = { ...LEASE_TIMING, ...options };
    const { client, clock, logger, namespace, name, identity } = options;
    this.#lease = new OwnLease({
      client,
      clock,
      key: { namespace, name: peerLeaseName(name, identity) },
      identity,
      labels: { [PEERING_LABEL]: name },
      timing: this.#options,
    });
    const labelSelector = `${PEERING_LABEL}=${name}`;
    this.#roster = new Roster({ client, clock, logger, namespace, labelSelector, endsMs: freezeEndsMs });
  }

  /** How far it is. */
  get state(): PeeringState {
    return this.#state;
  }

  /** Whether work may begin: all of it, or none. */
  covers(): boolean {
    return this.#state === "working";
  }

  /** See {@linkcode covers}. */
  coversCluster(): boolean {
    return this.covers();
  }

  /** Whether this process may write now: while it works, and while it ends what is under way. */
  get mayWrite(): boolean {
    return (this.#state === "working" || this.#state === "pausing") && this.#lease.isValid;
  }

  /** Calls `listener` after {@linkcode covers} has changed, until the function that it returns is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves, once, when others have taken this process for dead. Never after {@linkcode release}. */
  get lost(): Promise<LeaseLostError> {
    return this.#lost.promise;
  }

  /**
   * Joins the peers and waits until this one may work; it goes on to say that it is there, and to pause and continue, until
   * {@linkcode release}.
   *
   * @throws the signal's reason where it aborts first; {@linkcode LeaseLostError}.
   */
  async acquire(signal: AbortSignal): Promise<void> {
    const { name, identity, priority, logger } = this.#options;
    logger.info("peering", { peering: name, identity, priority });
    const first = Promise.withResolvers<void>();
    const end = this.onChange(() => this.covers() && first.resolve());
    const abort = () => first.reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    this.#running = this.#run();
    void this.#lost.promise.then(first.reject);
    try {
      await first.promise;
    } finally {
      end();
      signal.removeEventListener("abort", abort);
    }
  }

  /** Leaves the peers; those that paused for this one go on at once. Call it when the last write is done. */
  async release(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#state = "paused";
    await this.#lease.withdraw().catch((error) =>
      // It runs out by itself; the others only wait longer.
      this.#options.logger.warn("the peering's lease could not be given up", { error: describeError(error) })
    );
  }

  /** Says nothing more, and takes nothing back: the lease runs out by itself. */
  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const { clock, logger, retryMs, random } = this.#options, { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#turn(signal);
        await sleep(clock, retryMs * (1 + LEASE_JITTER * random.next()), signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof LeaseLostError) return this.#lost.resolve(error);
        logger.warn("cannot reach the peers", { peering: this.#options.name, error: describeError(error) });
        await sleep(clock, retryMs, signal).catch(() => {});
      }
    }
  }

  /** Says that it is there, asks who else is, and does what follows. */
  async #turn(signal: AbortSignal): Promise<void> {
    await this.#say(this.#state === "paused" ? "paused" : "active", signal);
    const stands = standing(this.#me, await this.#others(signal));
    this.#tell(stands);
    if (stands.kind === "paused" || stands.kind === "clash") return await this.#pause(signal);
    if (this.#state !== "paused" && this.#state !== "waiting") return; // whoever came since pauses for us
    // Nobody relies on us having paused before we have asked again: whoever begins meanwhile sees that we are about to.
    if (this.#said === "paused") {
      this.#state = "waiting";
      return await this.#turn(signal);
    }
    if (stands.kind === "free") this.#become("working");
  }

  get #me(): Peer {
    const { identity, priority, replicasOf } = this.#options;
    return { identity, priority, replicasOf, state: "active" };
  }

  async #others(signal: AbortSignal): Promise<Peer[]> {
    const { clock, retryMs } = this.#options;
    const leases = await within(clock, LOOKS_MAX * retryMs, signal, (bounded) => this.#roster.look(bounded));
    return leases.filter(({ metadata }) => metadata?.name !== this.#lease.name).map(peerOf);
  }

  async #say(state: "active" | "paused", signal: AbortSignal): Promise<void> {
    await this.#lease.say(peerAnnotations({ ...this.#me, state }), signal);
    this.#said = state;
  }

  /** Takes up nothing more, ends what is under way while the lease goes on being renewed, and says so when it has ended. */
  async #pause(signal: AbortSignal): Promise<void> {
    if (this.#state === "waiting") {
      this.#state = "paused";
      return await this.#say("paused", signal);
    }
    if (this.#state !== "working") return;
    this.#become("pausing");
    void this.#options.drain().then(() => this.#state = "paused", (error) => {
      this.#options.logger.error("what was under way could not be ended", { error: describeError(error) });
      this.#lost.resolve(new LeaseLostError("this peer cannot pause", { cause: error }));
    });
  }

  #become(state: PeeringState): void {
    const covered = this.covers();
    this.#state = state;
    if (this.covers() !== covered) { for (const listener of [...this.#listeners]) listener(); }
  }

  /** Says once what has changed. */
  #tell(stands: Standing): void {
    const { logger, name: peering } = this.#options;
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
