/** Randomness as an argument: a seed repeats jitter, generated names and test inputs. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

export class SystemRandom implements Random {
  next(): number {
    return Math.random();
  }
}

/**
 * The same seed gives the same numbers (mulberry32, 32 bits of state; not for secrets).
 *
 * @example
 * ```ts
 * import { SeededRandom } from "@pintle/pintle/testing";
 * if (new SeededRandom(7).next() !== new SeededRandom(7).next()) throw new Error("a seed repeats a run");
 * ```
 */
export class SeededRandom implements Random {
  #state: number;

  /** The same seed gives the same numbers. */
  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** `valueMs` within ±`fraction` of itself, so that many clients do not act at once. */
export function jitter(random: Random, valueMs: number, fraction: number = 0.1): number {
  return valueMs * (1 - fraction + 2 * fraction * random.next());
}

const NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"; // those of kubernetes' own generateName: no vowels, no words

/** As Kubernetes' `generateName` appends them. */
export function randomSuffix(random: Random, length: number = 5): string {
  let suffix = "";
  for (let i = 0; i < length; i++) suffix += NAME_LETTERS[Math.floor(random.next() * NAME_LETTERS.length)];
  return suffix;
}

/** Version 4 (RFC 9562). */
export function randomUuid(random: Random): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random.next() * 16).toString(16));
  hex[12] = "4";
  hex[16] = "89ab"[Math.floor(random.next() * 4)]!;
  const digits = hex.join("");
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    "-",
  );
}
