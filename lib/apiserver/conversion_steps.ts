import { invariant } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";

interface ConversionAsk {
  readonly object: DynamicObject;
  readonly apiVersion: string;
}

/** A pure computation that yields each conversion it needs, and receives the result or the error. */
export type ConversionSteps<T> = Generator<ConversionAsk, T, DynamicObject>;

/** Objects hold no functions. */
export function isSteps<T>(made: DynamicObject | ConversionSteps<T>): made is ConversionSteps<T> {
  return typeof made.next === "function";
}

/** Runs steps that yield nothing, as of kinds without a conversion webhook. */
export function runWithoutConversion<T>(steps: ConversionSteps<T>): T {
  const step = steps.next();
  invariant(step.done, "kinds without a conversion webhook ask for no conversions");
  return step.value;
}

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
