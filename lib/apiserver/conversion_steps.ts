import { invariant } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";

interface ConversionAsk {
  readonly object: DynamicObject;
  readonly apiVersion: string;
}

/**
 * A computation that may need objects in other versions: it yields each request and receives the result or its error.
 * So it stays pure, with or without a webhook.
 */
export type ConversionSteps<T> = Generator<ConversionAsk, T, DynamicObject>;

/** Whether a result is such a computation; objects hold no functions. */
export function isSteps<T>(made: DynamicObject | ConversionSteps<T>): made is ConversionSteps<T> {
  return typeof made.next === "function";
}

/** The result of steps that yield nothing: of kinds without a conversion webhook. */
export function atOnce<T>(steps: ConversionSteps<T>): T {
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
