import { SeededRandom, silentLogger, sleep } from "../../lib/base/mod.ts";
import type { PeeringOptions } from "../../lib/election/peering.ts";
import { Network } from "./network.ts";

export const NAMESPACE = "default", NAME = "widgets";

/** What members of a group have in common. */
interface Member extends Disposable {
  readonly lost: Promise<Error>;
  acquire(signal: AbortSignal): Promise<void>;
}

/** How a member joins: its work in flight takes `drainMs` to end, its clock is `skewMs` ahead. */
export interface JoinOptions {
  readonly drainMs?: number;
  readonly skewMs?: number;
}

/** What a member is made from. */
export type MemberContext = Pick<
  PeeringOptions,
  "client" | "clock" | "random" | "logger" | "namespace" | "name" | "identity" | "drain"
>;

/** Processes of one group on a network of their own. */
export abstract class Members<T extends Member> implements Disposable {
  readonly network = new Network();
  readonly members = new Map<string, T>();
  readonly lost = new Set<string>();
  readonly #dead = new Set<string>();
  readonly #stop = new AbortController();

  /** Fails where the group breaks its promise at this moment. */
  protected abstract check(): void;

  /** Starts a member. */
  protected async start(
    identity: string,
    { drainMs = 0, skewMs = 0 }: JoinOptions,
    make: (context: MemberContext) => T,
  ): Promise<T> {
    const clock = this.network.clockOf(identity), real = this.network.clock;
    clock.shift(skewMs);
    const member = make({
      client: this.network.clientOf(identity),
      clock,
      random: new SeededRandom(identity.length),
      logger: silentLogger,
      namespace: NAMESPACE,
      name: NAME,
      identity,
      drain: () => drainMs === 0 ? Promise.resolve() : sleep(real, drainMs, this.#stop.signal),
    });
    this.members.set(identity, member);
    member.acquire(this.#stop.signal).catch(() => {});
    void member.lost.then(() => this.lost.add(identity));
    await real.advance(1);
    return member;
  }

  /** The process is gone, without a word. */
  kill(identity: string): void {
    this.#dead.add(identity);
    this.members.get(identity)![Symbol.dispose]();
  }

  /** Those that are not killed. */
  get alive(): [string, T][] {
    return [...this.members].filter(([identity]) => !this.#dead.has(identity));
  }

  async advance(ms: number, stepMs = 500): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
      await this.network.clock.advance(stepMs);
      this.check();
    }
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    for (const member of this.members.values()) member[Symbol.dispose]();
    this.network[Symbol.dispose]();
  }
}
