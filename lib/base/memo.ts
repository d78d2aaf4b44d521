/**
 * Values that are created once, each by its own function, and kept as long as the memo.
 *
 * @example
 * ```ts
 * import { Memo } from "./memo.ts";
 * const table = new Memo(), counter = () => ({ count: 0 });
 * table.of(counter).count++;
 * if (table.of(counter).count !== 1) throw new Error("the same one again");
 * ```
 */
export class Memo {
  readonly #made = new Map<() => unknown, unknown>();

  /** The value of `create` at the first call. The function is the key. */
  of<M>(create: () => M): M {
    if (!this.#made.has(create)) this.#made.set(create, create());
    return this.#made.get(create) as M;
  }
}
