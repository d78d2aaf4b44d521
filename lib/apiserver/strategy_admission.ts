import type { Strategy } from "./strategy.ts";

/** Mutating admission policies and their bindings: stored with a warning, not enforced. */
export const admissionStrategy: Strategy = {
  warnings: [
    "the embedded API server stores this and does not run it: no request is admitted, changed or refused by it",
  ],
};
