/**
 * Admits many at the same time, or one exclusive. A readers-writer lock in order of arrival, so that no writer starves.
 *
 * @example
 * ```ts
 * import { RwLock } from "./rw_lock.ts";
 * const lock = new RwLock();
 * {
 *   using _alone = await lock.acquire(true);
 * }
 * using _together = await lock.acquire(false);
 * ```
 */
export class RwLock {
  readonly #waiting: { readonly exclusive: boolean; readonly admit: () => void }[] = [];
  #inside = 0;
  #exclusive = false;

  /** Resolves on admission; dispose the result to leave. */
  async acquire(exclusive: boolean): Promise<Disposable> {
    await new Promise<void>((admit) => {
      this.#waiting.push({ exclusive, admit });
      this.#admit();
    });
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        this.#inside--;
        this.#exclusive = false;
        this.#admit();
      },
    };
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      if (this.#exclusive || (next.exclusive && this.#inside > 0)) return;
      this.#waiting.shift();
      this.#inside++;
      this.#exclusive = next.exclusive;
      next.admit();
    }
  }
}
