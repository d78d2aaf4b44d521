import { BOOL, NULL, STRING, type Variables } from "../cel/mod.ts";
import type { PolicySpec, Validation } from "./policy.ts";
import { BudgetSpent, PolicyExpressions } from "./policy_expressions.ts";

const MESSAGE_BYTES_MAX = 5 * 1024;

/** Why a policy refuses a request. */
export interface Denial {
  readonly message: string;
  readonly reason?: string;
}

interface FoundDenial extends Denial {
  readonly isError: boolean;
}

/**
 * Runs a ValidatingAdmissionPolicy (KEP-3488) for one request and one parameter. Errors deny under
 * `failurePolicy: Fail`, and count as admitted under `Ignore`.
 */
export function evaluatePolicy(spec: PolicySpec, variables: Variables): Denial[] {
  const denials = found(spec, new PolicyExpressions(spec, variables));
  return spec.failurePolicy === "Ignore" ? denials.filter(({ isError }) => !isError) : denials;
}

function found({ validations = [], auditAnnotations = [] }: PolicySpec, expressions: PolicyExpressions): FoundDenial[] {
  try {
    const match = expressions.match();
    if ("error" in match) return [failed(match.error)];
    if (!match.matches) return [];
    const denials = validations.flatMap((validation) => validate(validation, expressions));
    for (const { valueExpression } of auditAnnotations) {
      const { error } = expressions.evaluate(valueExpression.trim(), [STRING, NULL]);
      if (error !== undefined) denials.push(failed(error));
    }
    return denials;
  } catch (error) {
    if (error instanceof BudgetSpent) return [failed(error.message)];
    throw error;
  }
}

function failed(message: string): FoundDenial {
  return { message, isError: true };
}

function validate(validation: Validation, expressions: PolicyExpressions): FoundDenial[] {
  const { value, error } = expressions.evaluate(validation.expression, [BOOL]);
  if (error !== undefined) return [failed(error)];
  if (value === true) return [];
  const message = messageOf(validation, expressions) || validation.message?.trim() ||
    `failed expression: ${validation.expression.trim()}`;
  return [{ message, reason: validation.reason ?? "Invalid", isError: false }];
}

/** `messageExpression`'s text, unless it is unusable. */
function messageOf({ messageExpression }: Validation, expressions: PolicyExpressions): string | undefined {
  if (!messageExpression) return undefined;
  const { value } = expressions.evaluate(messageExpression, [STRING], { authorizer: false });
  const text = typeof value === "string" ? value.trim() : "";
  return text.includes("\n") || new TextEncoder().encode(text).length > MESSAGE_BYTES_MAX ? undefined : text;
}
