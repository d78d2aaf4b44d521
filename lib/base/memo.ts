/** Functions of one text in one memo, from which on they count as an inline function that is made at each call. */
const EQUAL_MAX = 20;
const SOURCE_LENGTH_MAX = 200;
/** What a log says then. */
export const INLINE_MEMO =
  "the inline function of a memo is a new key at each call: declare it once, outside of the handler";

/** Values, each created once by its own function. */
export class Memo {
  readonly #made = new Map<() => unknown, unknown>();
  readonly #equals = new Map<string, number>();
  readonly #onInline: ((source: string) => void) | undefined;

  /** `onInline` learns the beginning of a function that is a new key at each call, once. */
  constructor(onInline?: (source: string) => void) {
    this.#onInline = onInline;
  }

  /** The function is the key. */
  of<M>(create: () => M): M {
    if (!this.#made.has(create)) {
      this.#made.set(create, create());
      this.#count(create);
    }
    return this.#made.get(create) as M;
  }

  #count(create: () => unknown): void {
    if (!this.#onInline) return;
    const source = create.toString(), count = (this.#equals.get(source) ?? 0) + 1;
    this.#equals.set(source, count);
    if (count === EQUAL_MAX) this.#onInline(source.slice(0, SOURCE_LENGTH_MAX));
  }
}
