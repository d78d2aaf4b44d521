import { BOOL, type Variables } from "../cel/mod.ts";
import { compileRequestExpression, type RequestScope } from "./request_expression.ts";

/** admissionregistration.k8s.io/v1 MatchCondition. */
export interface MatchCondition {
  readonly name: string;
  readonly expression: string;
}

/** Cost units of all conditions of one request, and of each. */
const TOTAL_COST_MAX = 2_500_000, RUN_COST_MAX = 1_000_000;

/** Whether all conditions hold; errors count only where no condition is false. */
export type Match = { readonly matches: boolean } | { readonly error: string };

/** The conditions are checked when they are stored, so a compile error here is an error of this request. */
export function conditionsMatch(
  conditions: readonly MatchCondition[],
  scope: RequestScope,
  variables: Variables,
): Match {
  const errors: string[] = [];
  let budget = TOTAL_COST_MAX;
  for (const { expression } of conditions) {
    const { value, error, cost } = compileRequestExpression(expression, scope, [BOOL]).run(variables, RUN_COST_MAX);
    budget -= cost;
    if (budget < 0) {
      return { error: "validation failed due to running out of cost budget, no further validation rules will be run" };
    }
    if (error) errors.push(`expression '${expression}' resulted in error: ${error.message}`);
    else if (value === false) return { matches: false };
  }
  if (errors.length === 0) return { matches: true };
  return { error: errors.length === 1 ? errors[0]! : `[${errors.join(", ")}]` };
}
