import type { Overload } from "./functions.ts";
import type { Type } from "./type.ts";
import type { Value } from "./value.ts";

/** What the checker adds to a node; `at` is an offset into the source. */
interface Node {
  readonly at: number;
  type?: Type;
}

export interface Literal extends Node {
  readonly kind: "literal";
  readonly value: Value;
}

export interface Ident extends Node {
  readonly kind: "ident";
  readonly name: string;
}

export interface Select extends Node {
  readonly kind: "select";
  readonly operand: Expr;
  readonly field: string;
  /** `has(operand.field)`. */
  readonly test: boolean;
  /** Set where the whole path is a name, such as `net.IP`. */
  qualified?: string;
}

export interface Call extends Node {
  readonly kind: "call";
  name: string;
  /** Absent for a global function, and once the target turns out to be a namespace. */
  target: Expr | undefined;
  readonly args: readonly Expr[];
  overloads?: readonly Overload[];
}

export interface ListLiteral extends Node {
  readonly kind: "list";
  readonly items: readonly { readonly value: Expr; readonly optional: boolean }[];
}

export interface MapEntry {
  readonly at: number;
  readonly key: Expr;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface MapLiteral extends Node {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
}

export interface StructField {
  readonly at: number;
  readonly name: string;
  readonly value: Expr;
  readonly optional: boolean;
}

/** `Name{field: value}`. */
export interface StructLiteral extends Node {
  readonly kind: "struct";
  readonly name: string;
  readonly fields: readonly StructField[];
}

/** What `all`, `map` and the other macros become. */
export interface Comprehension extends Node {
  readonly kind: "comprehension";
  readonly range: Expr;
  readonly variable: string;
  readonly variable2?: string;
  readonly accumulator: string;
  readonly start: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

export type Expr = Literal | Ident | Select | Call | ListLiteral | MapLiteral | StructLiteral | Comprehension;

/** The variable of macros that collect; no source can name it. */
export const ACCUMULATOR = "@result";

/** The name that older releases gave the accumulator; no macro variable may have it. */
export const FORMER_ACCUMULATOR = "__result__";

/** A comprehension over nothing, which only names a value: `optMap` and `sortBy`. */
export function isBinding(expr: Comprehension): boolean {
  return expr.range.kind === "list" && expr.range.items.length === 0 && expr.condition.kind === "literal" &&
    expr.condition.value === false && expr.accumulator !== FORMER_ACCUMULATOR;
}

export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "literal":
    case "ident":
      return [];
    case "select":
      return expr.qualified === undefined ? [expr.operand] : [];
    case "call":
      return expr.target ? [expr.target, ...expr.args] : expr.args;
    case "list":
      return expr.items.map((item) => item.value);
    case "map":
      return expr.entries.flatMap((entry) => [entry.key, entry.value]);
    case "struct":
      return expr.fields.map((field) => field.value);
    case "comprehension":
      return [expr.range, expr.start, expr.condition, expr.step, expr.result];
  }
}
