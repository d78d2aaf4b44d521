import { labelValueFaults, qualifiedName } from "./names.ts";
import type { Place } from "./place.ts";

/** A NodeSelectorTerm. */
export function nodeSelectorTerm(at: Place): void {
  for (const item of at.field("matchExpressions").items) {
    const operator = item.field("operator"), values = item.field("values");
    switch (operator.text) {
      case "In":
      case "NotIn":
        if (!values.isSet) values.required("must be specified when `operator` is 'In' or 'NotIn'");
        break;
      case "Exists":
      case "DoesNotExist":
        if (values.isSet) values.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        break;
      case "Gt":
      case "Lt":
        if (values.items.length !== 1) {
          values.required("must be specified single value when `operator` is 'Lt' or 'Gt'");
        }
        break;
      default:
        operator.invalid("not a valid selector operator", operator.text);
    }
    qualifiedName(item.field("key"));
    for (const value of values.items) for (const fault of labelValueFaults(value.text)) value.invalid(fault);
  }
}

/** A NodeSelector: what nodes have to be. */
export function nodeSelector(at: Place): void {
  const terms = at.field("nodeSelectorTerms");
  if (!terms.isSet) terms.required("must have at least one node selector term");
  terms.items.forEach(nodeSelectorTerm);
}
