import { labelSelector } from "./names.ts";
import { fields, type Place, present, type Rule } from "./place.ts";

const PERCENT_MAX = 100;
const EVICTION_POLICIES = ["AlwaysAllow", "IfHealthyBudget"];

/** apimachinery's `ValidatePositiveIntOrPercent` and `IsNotMoreThan100Percent`. */
export function countOrPercent(at: Place): void {
  if (typeof at.value !== "string") {
    if (at.number < 0) at.invalid("must be greater than or equal to 0", at.number);
    return;
  }
  if (!/^[0-9]+%$/.test(at.value)) {
    at.invalid(
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for " +
        "validation is '[0-9]+%')",
    );
  } else if (Number.parseInt(at.value) > PERCENT_MAX) at.invalid("must not be greater than 100%");
}

/** PodDisruptionBudgets, by policy's ValidatePodDisruptionBudgetSpec. */
export const podDisruptionBudget: Rule = fields({
  spec: (spec: Place) => {
    if (spec.field("minAvailable").isPresent && spec.field("maxUnavailable").isPresent) {
      spec.invalid("minAvailable and maxUnavailable cannot be both set");
    }
  },
  "spec.minAvailable": present(countOrPercent),
  "spec.maxUnavailable": present(countOrPercent),
  "spec.selector": labelSelector,
  "spec.unhealthyPodEvictionPolicy": present((at) => {
    if (!EVICTION_POLICIES.includes(at.text)) at.unsupported(EVICTION_POLICIES);
  }),
});
