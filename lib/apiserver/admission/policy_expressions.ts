import { CelError, type Expression, MapValue, type Type, type Value, type Variables } from "../cel/mod.ts";
import { conditionsMatch, type Match } from "./match_conditions.ts";
import type { PolicySpec } from "./policy.ts";
import { compileRequestExpression, type RequestScope } from "./request_expression.ts";

/** Cost units of all expressions of one policy for one request, and of each run. */
const BUDGET = 10_000_000, RUN_COST_MAX = 1_000_000;

/** The expressions cost too much together. */
export class BudgetSpent extends Error {
  override readonly message = "validation failed due to running out of cost budget, no further validation rules will " +
    "be run";
}

/** Evaluates the expressions of one policy for one request and one parameter. */
export class PolicyExpressions {
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

  match(): Match {
    return conditionsMatch(this.#spec.matchConditions ?? [], this.#scope, this.#variables);
  }

  /** @throws {BudgetSpent} */
  evaluate(
    source: string,
    types: readonly Type[],
    more: Partial<RequestScope> = {},
  ): { value?: Value; error?: string } {
    const expression = compileRequestExpression(source, { ...this.#scope, ...more }, types);
    const { value, error, cost } = expression.run(this.#variables, RUN_COST_MAX);
    this.#spend(cost);
    return error ? { error: `expression '${source}' resulted in error: ${error.message}` } : { value };
  }

  #spend(cost: number): void {
    this.#budget -= cost;
    if (this.#budget < 0) throw new BudgetSpent();
  }
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
