import { intOrPercent, shareOfAll } from "./int_or_percent.ts";
import { labelSelector } from "./names.ts";
import { fields, type Place, present, type Rule } from "./place.ts";

const EVICTION_POLICIES = ["AlwaysAllow", "IfHealthyBudget"];

/** PodDisruptionBudgets, by policy's ValidatePodDisruptionBudgetSpec. */
export const podDisruptionBudget: Rule = fields({
  spec: (spec: Place) => {
    if (spec.field("minAvailable").isPresent && spec.field("maxUnavailable").isPresent) {
      spec.invalid("minAvailable and maxUnavailable cannot be both set");
    }
  },
  "spec.minAvailable": present(intOrPercent, shareOfAll),
  "spec.maxUnavailable": present(intOrPercent, shareOfAll),
  "spec.selector": labelSelector,
  "spec.unhealthyPodEvictionPolicy": present((at) => {
    if (!EVICTION_POLICIES.includes(at.text)) at.unsupported(EVICTION_POLICIES);
  }),
});
