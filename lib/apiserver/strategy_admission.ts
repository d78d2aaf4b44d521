import type { Strategy } from "./strategy.ts";

/**
 * Admission policies and bindings (admissionregistration.k8s.io/v1). The warning says that this server does not enforce
 * them.
 */
export const admissionStrategy: Strategy = {
  warnings: [
    "the embedded API server stores this and does not run it: no request is admitted, changed or refused by it",
  ],
};
