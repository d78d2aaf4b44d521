/**
 * `work` on every item, at most `concurrency` at a time, results in order. After the first error no item begins; it is
 * thrown once running ones ended.
 *
 * @throws {RangeError} where `concurrency` is below 1; else the first error of `work`.
 * @example
 * ```ts
 * import { mapConcurrent } from "@pintle/pintle/client";
 * const doubled = await mapConcurrent([1, 2, 3], 2, (n) => Promise.resolve(n * 2));
 * if (doubled.join() !== "2,4,6") throw new Error("in order");
 * ```
 */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  if (!(concurrency >= 1)) throw new RangeError(`concurrency ${concurrency} is below 1`);
  const results = new Array<R>(items.length);
  const errors: unknown[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length && errors.length === 0) {
      const index = next++;
      try {
        results[index] = await work(items[index]!, index);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane));
  if (errors.length > 0) throw errors[0];
  return results;
}
