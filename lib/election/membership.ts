import { type Clock, describeError, type Logger, type Random, sleep, type TimerHandle } from "../base/mod.ts";
import type { Client } from "../client/mod.ts";
import type { LeaseObject } from "./lease.ts";
import { LeaseLostError } from "./lease_lost_error.ts";
import { LEASE_JITTER, LEASE_TIMING, type LeaseTiming, LOOKS_MAX, within } from "./lease_timing.ts";
import { OwnLease } from "./own_lease.ts";
import { MemberList } from "./member_list.ts";

/** What a process is a member with. */
export interface MembershipOptions extends Partial<LeaseTiming> {
  /** Sends lease requests; must not be fenced, nor try again by itself. */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Where the leases of all members are. */
  readonly namespace: string;
  /** Of what they are members of: a label's value. */
  readonly name: string;
  /** Name of this process, different for each, the same for all its life. */
  readonly identity: string;
  /**
   * Ends what is under way and no longer covered, and resolves when nothing of it can write any more. Bounded by its
   * maker.
   */
  readonly drain: () => Promise<void>;
}

/** The leases of all members of one kind. */
export interface MemberLeases {
  /** Of this member's own. */
  readonly leaseName: string;
  /** The label that all of them have; its value is the name of what they are members of. */
  readonly label: string;
  /** See {@linkcode MemberList}. */
  readonly endsMs?: (lease: LeaseObject) => number | undefined;
}

/**
 * One of several processes that know of each other by a Lease of each: it says that it is there, asks who else is, and
 * does what follows, again and again.
 *
 * Guarantees: as soon as others may take it for dead it is told so (`lapsed`), and takes it up again from nothing.
 */
export abstract class Membership<O extends MembershipOptions = MembershipOptions> implements Disposable {
  protected readonly options: O & LeaseTiming;
  /** What says that this process is there. */
  protected readonly lease: OwnLease;
  /** Who is there, this one too. */
  protected readonly roster: MemberList;
  readonly #listeners = new Set<() => void>();
  readonly #lost = Promise.withResolvers<LeaseLostError>();
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #lapse: TimerHandle | undefined;

  protected constructor(options: O, { leaseName, label, endsMs }: MemberLeases) {
    this.options = { ...LEASE_TIMING, ...options };
    const { client, clock, logger, namespace, name, identity } = options;
    const key = { namespace, name: leaseName }, labels = { [label]: name };
    this.lease = new OwnLease({ client, clock, key, identity, labels, timing: this.options });
    this.roster = new MemberList({ client, clock, logger, namespace, labelSelector: `${label}=${name}`, endsMs });
  }

  /** Says that it is there, asks who else is, and does what follows. */
  protected abstract turn(signal: AbortSignal): Promise<void>;

  /** Others may take it for dead: what is under way is to be ended, and nothing is to be begun. */
  protected abstract lapsed(): void;

  /** Whether it has what {@linkcode acquire} waits for, after a turn. */
  protected abstract get hasJoined(): boolean;

  /** Calls `listener` after what is covered has changed, until the function that it returns is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Resolves, once, when others have taken this process for dead, or it cannot end its work. Never after it has been
   * released.
   */
  get lost(): Promise<LeaseLostError> {
    return this.#lost.promise;
  }

  /**
   * Joins the others, and goes on to say that it is there until it is released.
   *
   * @throws the signal's reason where it aborts first; {@linkcode LeaseLostError}.
   */
  async acquire(signal: AbortSignal): Promise<void> {
    const joined = Promise.withResolvers<void>(), abort = () => joined.reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    this.#running = this.#run(joined.resolve);
    void this.#lost.promise.then(joined.reject);
    await joined.promise.finally(() => signal.removeEventListener("abort", abort));
  }

  /** Says nothing more, and takes nothing back: what it holds runs out by itself. */
  [Symbol.dispose](): void {
    this.#stop.abort();
    if (this.#lapse) this.options.clock.clear(this.#lapse);
  }

  /** Resolves when nothing is said any more. */
  protected async ended(): Promise<void> {
    this[Symbol.dispose]();
    await this.#running;
  }

  protected tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Renews its lease, and says something in it. */
  protected async say(annotations: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    this.#heed(); // a machine that slept wakes here
    await this.lease.say(annotations, signal);
    if (!signal.aborted) this.#heed();
  }

  /** Ends a look at the others that takes so long that the lease could not be renewed. */
  protected look<R>(signal: AbortSignal, work: (bounded: AbortSignal) => Promise<R>): Promise<R> {
    const { clock, retryMs } = this.options;
    return within(clock, LOOKS_MAX * retryMs, signal, work);
  }

  /** Has what is no longer covered ended while the lease goes on being renewed, and then does what follows. */
  protected drain(then: () => void): void {
    const failed = (cause: unknown) => this.#lost.resolve(new LeaseLostError("work could not be ended", { cause }));
    void this.options.drain().then(then, failed);
  }

  /** Whenever the lease may have run out: looks, and looks again when it would. */
  #heed(): void {
    const { clock } = this.options, { leftMs } = this.lease;
    if (this.#lapse) clock.clear(this.#lapse);
    this.#lapse = leftMs > 0 ? clock.schedule(() => this.#heed(), leftMs) : undefined;
    if (leftMs <= 0) this.lapsed();
  }

  async #run(joined: () => void): Promise<void> {
    const { clock, logger, retryMs, random, name, namespace } = this.options, { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.turn(signal);
        if (this.hasJoined) joined();
        await sleep(clock, retryMs * (1 + LEASE_JITTER * random.next()), signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof LeaseLostError) return this.#lost.resolve(error);
        logger.warn("cannot reach the others", { name, namespace, error: describeError(error) });
        await sleep(clock, retryMs, signal).catch(() => {});
      }
    }
  }
}
