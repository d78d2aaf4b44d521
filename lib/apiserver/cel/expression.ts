import { childrenOf, type Expr } from "./ast.ts";
import { check } from "./checker.ts";
import { estimateCost, type SizeOfPath } from "./cost_estimate.ts";
import type { Environment } from "./environment.ts";
import { Issues } from "./issues.ts";
import { checkLiterals } from "./literal_checks.ts";
import { parse } from "./parser.ts";
import { planProgram, type Program } from "./program.ts";
import type { Type } from "./type.ts";
import { CelError } from "./value.ts";

/** A checked expression. */
export interface Expression {
  readonly type: Type;
  /** The variables that it reads. */
  readonly variables: ReadonlySet<string>;
  readonly run: Program;
  /** In CEL's cost units, at most. */
  costMax(sizeOfPath: SizeOfPath): number;
}

/**
 * Why a source is no expression: it does not compile, has another type than it should have, or a constant part of it
 * fails.
 */
export class CompileError extends Error {
  readonly stage: "compilation" | "type" | "instantiation";

  constructor(stage: CompileError["stage"], detail: string) {
    super(detail);
    this.stage = stage;
  }
}

/**
 * Compiles an expression of the language that Kubernetes 1.37 extends. `refuse` says why a type will not do.
 *
 * @throws {CompileError} with every problem, in the words of cel-go.
 */
export function compileExpression(
  source: string,
  environment: Environment,
  refuse: (type: Type) => string | undefined = () => undefined,
): Expression {
  const issues = new Issues(source);
  const expr = parse(source, issues);
  if (expr) check(expr, environment, issues);
  if (expr && !issues.any) checkLiterals(expr, issues);
  if (!expr || issues.any) throw new CompileError("compilation", issues.toString());
  const unfit = refuse(expr.type!);
  if (unfit !== undefined) throw new CompileError("type", unfit);
  const variables = new Set<string>();
  collectVariables(expr, variables);
  return {
    type: expr.type!,
    variables,
    run: planned(expr, environment),
    costMax: (sizeOfPath) => estimateCost(expr, sizeOfPath).max,
  };
}

function planned(expr: Expr, environment: Environment): Program {
  try {
    return planProgram(expr, environment);
  } catch (error) {
    if (error instanceof CelError) throw new CompileError("instantiation", error.message);
    throw error;
  }
}

function collectVariables(expr: Expr, found: Set<string>): void {
  if (expr.kind === "ident") found.add(expr.name.replace(/^\./, ""));
  for (const child of childrenOf(expr)) collectVariables(child, found);
}
