import { invariant } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";

/** An object that is wanted in another version of its kind. */
interface ConversionAsk {
  readonly object: DynamicObject;
  readonly apiVersion: string;
}

/**
 * A computation that may need objects in other versions on its way: it yields each request and receives the result, or
 * its error. So it stays a pure function, with or without a webhook.
 */
export type ConversionSteps<T> = Generator<ConversionAsk, T, DynamicObject>;

/** Whether a result is such a computation, and no object: those hold no functions. */
export function isSteps<T>(made: DynamicObject | ConversionSteps<T>): made is ConversionSteps<T> {
  return typeof made.next === "function";
}

/** The result of steps that yield nothing: those of kinds for which no webhook converts. */
export function atOnce<T>(steps: ConversionSteps<T>): T {
  const step = steps.next();
  invariant(step.done, "kinds without a conversion webhook ask for no conversions");
  return step.value;
}

/** Runs steps to their end, with `convert` for each request. */
export async function settled<T>(
  steps: ConversionSteps<T>,
  convert: (ask: ConversionAsk) => Promise<DynamicObject>,
): Promise<T> {
  let step = steps.next();
  while (!step.done) {
    let answer: DynamicObject;
    try {
      answer = await convert(step.value);
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(answer);
  }
  return step.value;
}
