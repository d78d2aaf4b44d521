import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock, Random } from "../base/mod.ts";

/** What simulated code gets instead of the machine. */
export interface SimulatedMachine {
  readonly clock: Clock;
  /** For `Math.random` and `crypto` of simulated code. */
  readonly ambient: Random;
  /** Calls `release` when the simulation ends. */
  onEnd(release: () => void): void;
  /** Records a call that leaves the simulation. */
  warn(call: string): void;
  /** Records what simulated code threw and no other code handles. */
  uncaught(error: unknown): void;
  /** Real work of the machine, begun by `start`: virtual time waits for it. */
  work<T>(start: () => Promise<T>): Promise<T>;
}

const current = new AsyncLocalStorage<SimulatedProcess | undefined>();

/**
 * What one process of a simulation started: its timers, its requests and all that follows from them. A process that
 * died runs no further instruction: its timers never fire, and its requests never end.
 */
export class SimulatedProcess {
  readonly #onDeath = new Set<() => void>();
  #isAlive = true;

  constructor(readonly simulation: SimulatedMachine, readonly name: string) {}

  /** The process whose code runs now; undefined outside of every simulation. */
  static get current(): SimulatedProcess | undefined {
    return current.getStore();
  }

  /** Runs `code`, and all that it starts, on the machine itself. */
  static outside<R>(code: () => R): R {
    return current.run(undefined, code); // `exit` ends with the call
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Runs `code`, and all that it starts, as this process. */
  run<R>(code: () => R): R {
    return current.run(this, code);
  }

  /** Ends it as SIGKILL does. */
  kill(): void {
    this.#isAlive = false;
    for (const release of this.#onDeath) release();
    this.#onDeath.clear();
  }

  /** Calls `release`, which runs outside of the process, when it dies. The result cancels it. */
  onDeath(release: () => void): () => void {
    this.#onDeath.add(release);
    return () => void this.#onDeath.delete(release);
  }

  /** Settles as `work` does, while the process lives; never afterwards. */
  async await<T>(work: Promise<T>): Promise<T> {
    try {
      const value = await work;
      return this.#isAlive ? value : await never();
    } catch (error) {
      if (!this.#isAlive) return await never();
      throw error;
    }
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}
