import { describeError, type Logger } from "../base/mod.ts";

/**
 * Work after a response: garbage collection, namespace and CRD termination, namespace defaults. One FIFO queue runs one
 * task at a time on microtasks, so that a run repeats exactly without timers.
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

  /** Adds a task, unless one with the same `key` waits. */
  add(key: string, task: () => void): void {
    if (this.#closed || this.#keys.has(key)) return;
    this.#keys.add(key);
    this.#tasks.push(() => {
      this.#keys.delete(key);
      task();
    });
    this.#draining ??= this.#drain();
  }

  async idle(): Promise<void> {
    while (this.#draining) await this.#draining;
  }

  close(): void {
    this.#closed = true;
    this.#tasks.length = 0;
  }

  async #drain(): Promise<void> {
    // The response goes first: clients see their own write before its consequences.
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
