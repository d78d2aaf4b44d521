import { describeError, type Logger } from "../base/mod.ts";

/**
 * What the control plane does after a response: garbage collection, namespace and CRD termination, the defaults of
 * namespaces. One queue, first in first out, one task at a time on microtasks, so that a run repeats exactly and needs
 * no timers.
 */
export class BackgroundQueue {
  readonly #tasks: (() => void)[] = [];
  readonly #keys = new Set<string>();
  readonly #logger: Logger;
  #draining: Promise<void> | undefined;
  #closed = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Runs `task` after those that wait; a task whose `key` already waits is not added twice. */
  add(key: string, task: () => void): void {
    if (this.#closed || this.#keys.has(key)) return;
    this.#keys.add(key);
    this.#tasks.push(() => {
      this.#keys.delete(key);
      task();
    });
    this.#draining ??= this.#drain();
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#draining) await this.#draining;
  }

  /** Drops what waits. */
  close(): void {
    this.#closed = true;
    this.#tasks.length = 0;
  }

  async #drain(): Promise<void> {
    // The writer's own response goes first: clients see what they did before what follows from it.
    for (let turn = 0; turn < 8; turn++) await Promise.resolve();
    for (let task = this.#tasks.shift(); task; task = this.#tasks.shift()) {
      try {
        task();
      } catch (error) {
        this.#logger.error("a background task of the embedded API server failed", { error: describeError(error) });
      }
      await Promise.resolve();
    }
    this.#draining = undefined;
  }
}
