import {
  BOOL,
  CelError,
  type Expression,
  MapValue,
  NULL,
  STRING,
  type Type,
  type Value,
  type Variables,
} from "../cel/mod.ts";
import { conditionsMatch } from "./match_conditions.ts";
import type { PolicySpec, Validation } from "./policy.ts";
import { compileRequestExpression, type RequestScope } from "./request_expression.ts";

/** Cost units of all expressions of one policy for one request, and of each run. */
const BUDGET = 10_000_000, RUN_COST_MAX = 1_000_000;

const MESSAGE_BYTES_MAX = 5 * 1024;

/** Why a policy refuses a request. */
export interface Denial {
  readonly message: string;
  readonly reason?: string;
}

/** The expressions cost too much together. */
class BudgetSpent extends Error {
  override readonly message = "validation failed due to running out of cost budget, no further validation rules will " +
    "be run";
}

/**
 * Runs a ValidatingAdmissionPolicy (KEP-3488) for one request and one parameter. Errors deny under
 * `failurePolicy: Fail`, and count as admitted under `Ignore`.
 */
export function evaluatePolicy(spec: PolicySpec, variables: Variables): Denial[] {
  const evaluation = new PolicyEvaluation(spec, variables);
  const denials = evaluation.run();
  return spec.failurePolicy === "Ignore" ? denials.filter(({ isError }) => !isError) : denials;
}

interface FoundDenial extends Denial {
  readonly isError: boolean;
}

class PolicyEvaluation {
  readonly #spec: PolicySpec;
  readonly #variables: Variables;
  readonly #scope: RequestScope;
  #budget = BUDGET;

  constructor(spec: PolicySpec, variables: Variables) {
    this.#spec = spec;
    const params = spec.paramKind !== undefined;
    const expressions = declared(spec, params);
    const types = new Map([...expressions].map(([name, { type }]) => [name, type]));
    this.#scope = { params, authorizer: true, ...(expressions.size > 0 && { variables: types }) };
    const composed: Record<string, Value | undefined> = { ...variables };
    composed.variables = new ComposedVariables(expressions, composed, (cost) => this.#spend(cost));
    this.#variables = composed;
  }

  run(): FoundDenial[] {
    const { matchConditions = [], validations = [], auditAnnotations = [] } = this.#spec;
    try {
      const match = conditionsMatch(matchConditions, this.#scope, this.#variables);
      if ("error" in match) return [failed(match.error)];
      if (!match.matches) return [];
      const denials = validations.flatMap((validation) => this.#validate(validation));
      for (const { valueExpression } of auditAnnotations) {
        const error = this.#evaluate(valueExpression.trim(), this.#scope, [STRING, NULL]).error;
        if (error !== undefined) denials.push(failed(error));
      }
      return denials;
    } catch (error) {
      if (error instanceof BudgetSpent) return [failed(error.message)];
      throw error;
    }
  }

  #spend(cost: number): void {
    this.#budget -= cost;
    if (this.#budget < 0) throw new BudgetSpent();
  }

  #evaluate(source: string, scope: RequestScope, types: readonly Type[]): { value?: Value; error?: string } {
    const { value, error, cost } = compileRequestExpression(source, scope, types).run(this.#variables, RUN_COST_MAX);
    this.#spend(cost);
    return error ? { error: `expression '${source}' resulted in error: ${error.message}` } : { value };
  }

  #validate(validation: Validation): FoundDenial[] {
    const { value, error } = this.#evaluate(validation.expression, this.#scope, [BOOL]);
    if (error !== undefined) return [failed(error)];
    if (value === true) return [];
    const message = this.#messageOf(validation) || validation.message?.trim() ||
      `failed expression: ${validation.expression.trim()}`;
    return [{ message, reason: validation.reason ?? "Invalid", isError: false }];
  }

  /** `messageExpression`'s text, unless it is unusable. */
  #messageOf({ messageExpression }: Validation): string | undefined {
    if (!messageExpression) return undefined;
    const { value } = this.#evaluate(messageExpression, { ...this.#scope, authorizer: false }, [STRING]);
    const text = typeof value === "string" ? value.trim() : "";
    return text.includes("\n") || new TextEncoder().encode(text).length > MESSAGE_BYTES_MAX ? undefined : text;
  }
}

function failed(message: string): FoundDenial {
  return { message, isError: true };
}

/** Each variable sees those before it. */
function declared({ variables = [] }: PolicySpec, params: boolean): ReadonlyMap<string, Expression> {
  const expressions = new Map<string, Expression>(), types = new Map<string, Type>();
  for (const { name, expression } of variables) {
    const compiled = compileRequestExpression(expression, { params, authorizer: true, variables: new Map(types) }, []);
    expressions.set(name, compiled);
    types.set(name, compiled.type);
  }
  return expressions;
}

/** `variables`: each is evaluated where it is first read. */
class ComposedVariables extends MapValue {
  readonly #expressions: ReadonlyMap<string, Expression>;
  readonly #variables: Variables;
  readonly #spend: (cost: number) => void;
  readonly #known = new Map<string, Value>();

  constructor(expressions: ReadonlyMap<string, Expression>, variables: Variables, spend: (cost: number) => void) {
    super();
    this.#expressions = expressions;
    this.#variables = variables;
    this.#spend = spend;
  }

  get size(): number {
    return this.#expressions.size;
  }

  keys(): Iterable<Value> {
    return this.#expressions.keys();
  }

  find(key: Value): Value | undefined {
    const name = String(key), known = this.#known.get(name), expression = this.#expressions.get(name);
    if (known !== undefined || !expression) return known;
    const { value, error, cost } = expression.run(this.#variables, RUN_COST_MAX);
    this.#spend(cost);
    if (error) throw new CelError(`composited variable ${JSON.stringify(name)} fails to evaluate: ${error.message}`);
    this.#known.set(name, value!);
    return value;
  }
}
