/**
 * Pairs of 32-bit numbers (31 bits of the second), eight bytes per slot: a set of JavaScript values would take ten
 * times as much.
 */
export class WindowSet {
  /** Side by side; a second number of 0 is an empty slot. */
  #pairs = new Int32Array(2_048);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(low: number, high: number): void {
    const pairs = this.#pairs, place = placeOf(pairs, low, high);
    if (pairs[place + 1] !== 0) return;
    pairs[place] = low;
    pairs[place + 1] = high | 1;
    // At most seven slots in ten are used.
    if (++this.#size * 20 > pairs.length * 7) this.#grow();
  }

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

/** Or the empty slot for a pair. */
function placeOf(pairs: Int32Array, low: number, high: number): number {
  const last = pairs.length / 2 - 1, first = low | 0, second = high | 1;
  let hash = Math.imul(first ^ Math.imul(second, 0xc2b2ae35), 0x9e3779b1);
  hash ^= hash >>> 15;
  for (let place = hash & last;; place = (place + 1) & last) {
    const known = pairs[2 * place + 1]!;
    if (known === 0 || known === second && pairs[2 * place] === first) return 2 * place;
  }
}
