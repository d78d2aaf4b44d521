import { nonNegative, type Place } from "./place.ts";

const PERCENT = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', " +
  "regex used for validation is '[0-9]+%')";
const PERCENT_MAX = 100;

/** A count or a share, such as of pods that may be missing. */
export function intOrPercent(at: Place): void {
  if (typeof at.value === "string") {
    if (!/^[0-9]+%$/.test(at.value)) at.invalid(PERCENT);
  } else nonNegative(at);
}

/** A share of all is the most. */
export function shareOfAll(at: Place): void {
  if (typeof at.value === "string" && Number.parseInt(at.value) > PERCENT_MAX) {
    at.invalid("must not be greater than 100%");
  }
}
