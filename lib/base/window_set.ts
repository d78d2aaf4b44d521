/**
 * A set of pairs of 32-bit numbers, of whose second one 31 bits count, in eight bytes of flat memory per slot: a set of
 * JavaScript values would take ten times as much.
 *
 * @example
 * ```ts
 * import { WindowSet } from "./window_set.ts";
 * const set = new WindowSet();
 * set.add(7, 2);
 * if (!set.has(7, 2) || set.has(7, 4)) throw new Error("both numbers count");
 * ```
 */
export class WindowSet {
  /** Both numbers of a pair side by side; a second one of 0 is an empty slot. */
  #pairs = new Int32Array(2_048);
  #size = 0;

  /** The number of pairs. */
  get size(): number {
    return this.#size;
  }

  /** Adds a pair. */
  add(low: number, high: number): void {
    const pairs = this.#pairs, place = placeOf(pairs, low, high);
    if (pairs[place + 1] !== 0) return;
    pairs[place] = low;
    pairs[place + 1] = high | 1;
    // At most seven slots in ten are used.
    if (++this.#size * 20 > pairs.length * 7) this.#grow();
  }

  /** Whether it holds a pair. */
  has(low: number, high: number): boolean {
    return this.#size > 0 && this.#pairs[placeOf(this.#pairs, low, high) + 1] !== 0;
  }

  #grow(): void {
    const old = this.#pairs, pairs = new Int32Array(old.length * 4);
    for (let place = 0; place < old.length; place += 2) {
      const low = old[place]!, high = old[place + 1]!;
      if (high === 0) continue;
      const to = placeOf(pairs, low, high);
      pairs[to] = low;
      pairs[to + 1] = high;
    }
    this.#pairs = pairs;
  }
}

/** The slot of a pair, or the empty one for it. */
function placeOf(pairs: Int32Array, low: number, high: number): number {
  const last = pairs.length / 2 - 1, first = low | 0, second = high | 1;
  let hash = Math.imul(first ^ Math.imul(second, 0xc2b2ae35), 0x9e3779b1);
  hash ^= hash >>> 15;
  for (let place = hash & last;; place = (place + 1) & last) {
    const known = pairs[2 * place + 1]!;
    if (known === 0 || known === second && pairs[2 * place] === first) return 2 * place;
  }
}
