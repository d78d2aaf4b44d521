import { jsonEqual } from "../base/mod.ts";
import { invalidValue } from "./api_error.ts";
import type { Strategy } from "./strategy.ts";

/** A binding's role is immutable. */
export const rbacStrategy: Strategy = {
  validate(object, old) {
    if (!old || jsonEqual(object.roleRef, old.roleRef)) return [];
    return [invalidValue("roleRef", object.roleRef, "cannot change roleRef")];
  },
};
