/**
 * A JSON value that counts how often one of its members, or of the values in it, is read: work is measured without a
 * clock.
 */
export function countedReads<T extends object>(value: T): { readonly value: T; readonly reads: () => number } {
  let reads = 0;
  const counting = <V>(of: V): V => {
    if (typeof of !== "object" || of === null) return of;
    return new Proxy(of, {
      get(target, key, receiver) {
        reads++;
        return counting(Reflect.get(target, key, receiver));
      },
    });
  };
  return { value: counting(value), reads: () => reads };
}

/** How much more `work` reads of a value of eight times the size; 8 where it is linear, 64 where it is quadratic. */
export function growthOfReads<T extends object>(
  valueOf: (size: number) => T,
  work: (value: T, size: number) => void,
): number {
  const readsOf = (size: number) => {
    const { value, reads } = countedReads(valueOf(size));
    work(value, size);
    return reads();
  };
  return readsOf(2_000) / readsOf(250);
}
