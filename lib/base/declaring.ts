import { UsageError } from "./errors.ts";

type Declare = (...args: never[]) => unknown;

/** Errors that begin at a declaration already: an outer one is not where the mistake is. */
const placed = new WeakSet<Error>();

/** Declares. The stack of a mistake begins where `declare` is called, not in the library: runtimes show that line. */
export function declaring<T>(declare: Declare, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if ((error instanceof UsageError || error instanceof RangeError) && !placed.has(error)) {
      Error.captureStackTrace(error, declare);
      placed.add(error);
    }
    throw error;
  }
}

/** Lets every method of a class be {@linkcode declaring}. */
export function methodsDeclare({ prototype }: { readonly prototype: object }): void {
  for (const [name, { value: method }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (typeof method !== "function" || name === "constructor") continue;
    const declare = function (this: unknown, ...args: unknown[]): unknown {
      return declaring(declare, () => method.apply(this, args));
    };
    Object.defineProperty(prototype, name, { value: declare, writable: true, configurable: true });
  }
}
