/**
 * Admits many at the same time, or one alone. A readers-writer lock in order of arrival, so that no writer starves.
 *
 * @example
 * ```ts
 * import { RwLock } from "./rw_lock.ts";
 * const lock = new RwLock();
 * {
 *   using _alone = await lock.enter(true);
 * }
 * using _together = await lock.enter(false);
 * ```
 */
export class RwLock {
  readonly #waiting: { readonly alone: boolean; readonly admit: () => void }[] = [];
  #inside = 0;
  #alone = false;

  /** Resolves on admission; dispose the result to leave. */
  async enter(alone: boolean): Promise<Disposable> {
    await new Promise<void>((admit) => {
      this.#waiting.push({ alone, admit });
      this.#admit();
    });
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        this.#inside--;
        this.#alone = false;
        this.#admit();
      },
    };
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      if (this.#alone || (next.alone && this.#inside > 0)) return;
      this.#waiting.shift();
      this.#inside++;
      this.#alone = next.alone;
      next.admit();
    }
  }
}
