/** Values, each created once by its own function. */
export class Memo {
  readonly #made = new Map<() => unknown, unknown>();

  /** The function is the key. */
  of<M>(create: () => M): M {
    if (!this.#made.has(create)) this.#made.set(create, create());
    return this.#made.get(create) as M;
  }
}
