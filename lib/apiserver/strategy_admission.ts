import type { Strategy } from "./strategy.ts";

/** Admission policies and bindings: stored with a warning, not enforced. */
export const admissionStrategy: Strategy = {
  warnings: [
    "the embedded API server stores this and does not run it: no request is admitted, changed or refused by it",
  ],
};
