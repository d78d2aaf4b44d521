import { describeError, type Logger } from "../base/mod.ts";

/**
 * Garbage collection, terminations and namespace defaults run here after a response. One FIFO queue on microtasks,
 * without timers, makes runs repeatable.
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

  /** Skips a task whose `key` already waits. */
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
    // Clients see their write before its consequences.
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
