/** The least and the most that something may cost, or how large a value may be. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** As much as there is: 64 bits, beyond which sums do not grow. */
export const UNBOUNDED = 2 ** 64 - 1;

export const ZERO: Range = { min: 0, max: 0 }, ONE: Range = { min: 1, max: 1 };
export const UNKNOWN: Range = { min: 0, max: UNBOUNDED };

export function exactly(value: number): Range {
  return { min: value, max: value };
}

function bounded(value: number): number {
  return Math.min(value, UNBOUNDED);
}

export function sum(...ranges: readonly Range[]): Range {
  let min = 0, max = 0;
  for (const range of ranges) [min, max] = [bounded(min + range.min), bounded(max + range.max)];
  return { min, max };
}

export function times(left: Range, right: Range): Range {
  return { min: bounded(left.min * right.min), max: bounded(left.max * right.max) };
}

/** Rounded up. */
export function scaled(range: Range, factor: number): Range {
  return { min: bounded(Math.ceil(range.min * factor)), max: bounded(Math.ceil(range.max * factor)) };
}

export function union(left: Range, right: Range): Range {
  return { min: Math.min(left.min, right.min), max: Math.max(left.max, right.max) };
}
