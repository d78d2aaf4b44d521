import { ACCUMULATOR, type Call, type Comprehension, type Expr, FORMER_ACCUMULATOR } from "./ast.ts";
import type { Value } from "./value.ts";

/** A macro with wrong arguments. */
export class MacroError extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** Builds nodes at the place of a macro. */
class Builder {
  readonly #at: number;

  constructor(at: number) {
    this.#at = at;
  }

  literal(value: Value): Expr {
    return { kind: "literal", at: this.#at, value };
  }

  ident(name: string): Expr {
    return { kind: "ident", at: this.#at, name };
  }

  get accumulator(): Expr {
    return this.ident(ACCUMULATOR);
  }

  call(name: string, ...args: Expr[]): Expr {
    return { kind: "call", at: this.#at, name, target: undefined, args };
  }

  member(target: Expr, name: string, ...args: Expr[]): Expr {
    return { kind: "call", at: this.#at, name, target, args };
  }

  list(...values: Expr[]): Expr {
    return { kind: "list", at: this.#at, items: values.map((value) => ({ value, optional: false })) };
  }

  map(): Expr {
    return { kind: "map", at: this.#at, entries: [] };
  }

  fold(parts: Omit<Comprehension, "kind" | "at" | "accumulator">): Expr {
    return { kind: "comprehension", at: this.#at, accumulator: ACCUMULATOR, ...parts };
  }

  /** Names a value within `result`. */
  bind(name: string, value: Expr, result: Expr): Expr {
    return {
      kind: "comprehension",
      at: this.#at,
      range: this.list(),
      variable: "#unused",
      accumulator: name,
      start: value,
      condition: this.literal(false),
      step: this.ident(name),
      result,
    };
  }
}

type Loop = Pick<Comprehension, "range" | "variable" | "variable2">;

/** Undefined if the call is no macro. */
export function expandMacro(call: Call): Expr | undefined {
  const { name, target, args } = call, make = new Builder(call.at);
  if (!target) return name === "has" && args.length === 1 ? presenceTest(call.at, args[0]!) : undefined;
  switch (`${name}/${args.length}`) {
    case "all/2":
    case "exists/2":
    case "exists_one/2":
      return quantified(make, name, oneVariable(target, args[0]!, "argument must be a simple name"), args[1]!);
    case "all/3":
    case "exists/3":
    case "exists_one/3":
    case "existsOne/3":
      return quantified(make, name, twoVariables(target, args), args[2]!);
    case "map/2":
      return collected(make, oneVariable(target, args[0]!), undefined, args[1]!);
    case "map/3":
      return collected(make, oneVariable(target, args[0]!), args[1], args[2]!);
    case "filter/2":
      return collected(make, oneVariable(target, args[0]!), args[1], args[0]!);
    case "transformList/3":
      return collected(make, twoVariables(target, args), undefined, args[2]!);
    case "transformList/4":
      return collected(make, twoVariables(target, args), args[2], args[3]!);
    case "transformMap/3":
    case "transformMap/4":
    case "transformMapEntry/3":
    case "transformMapEntry/4":
      return mapped(make, name, twoVariables(target, args), args);
    case "optMap/2":
    case "optFlatMap/2":
      return optionalMap(make, name, target, args);
    case "sortBy/2":
      return sorted(make, target, args);
  }
  return undefined;
}

function presenceTest(at: number, arg: Expr): Expr {
  if (arg.kind !== "select") throw new MacroError(arg.at, "invalid argument to has() macro");
  return { ...arg, at, test: true };
}

function variableOf(arg: Expr, why: string): string {
  if (arg.kind !== "ident") throw new MacroError(arg.at, why);
  if (arg.name === ACCUMULATOR || arg.name === FORMER_ACCUMULATOR) {
    throw new MacroError(arg.at, "iteration variable overwrites accumulator variable");
  }
  return arg.name;
}

function oneVariable(range: Expr, arg: Expr, why = "argument is not an identifier"): Loop {
  return { range, variable: variableOf(arg, why) };
}

function twoVariables(range: Expr, args: readonly Expr[]): Loop {
  const why = "argument must be a simple name";
  const variable = variableOf(args[0]!, why), variable2 = variableOf(args[1]!, why);
  if (variable === variable2) throw new MacroError(args[1]!.at, `duplicate variable name: ${variable}`);
  return { range, variable, variable2 };
}

function quantified(make: Builder, name: string, loop: Loop, predicate: Expr): Expr {
  const result = make.accumulator;
  if (name === "all") {
    return make.fold({
      ...loop,
      start: make.literal(true),
      condition: make.call("@not_strictly_false", make.accumulator),
      step: make.call("_&&_", make.accumulator, predicate),
      result,
    });
  }
  if (name === "exists") {
    return make.fold({
      ...loop,
      start: make.literal(false),
      condition: make.call("@not_strictly_false", make.call("!_", make.accumulator)),
      step: make.call("_||_", make.accumulator, predicate),
      result,
    });
  }
  const more = make.call("_+_", make.accumulator, make.literal(1n));
  return make.fold({
    ...loop,
    start: make.literal(0n),
    condition: make.literal(true),
    step: make.call("_?_:_", predicate, more, make.accumulator),
    result: make.call("_==_", make.accumulator, make.literal(1n)),
  });
}

function filtered(make: Builder, filter: Expr | undefined, step: Expr): Expr {
  return filter ? make.call("_?_:_", filter, step, make.accumulator) : step;
}

function collected(make: Builder, loop: Loop, filter: Expr | undefined, transform: Expr): Expr {
  return make.fold({
    ...loop,
    start: make.list(),
    condition: make.literal(true),
    step: filtered(make, filter, make.call("_+_", make.accumulator, make.list(transform))),
    result: make.accumulator,
  });
}

function mapped(make: Builder, name: string, loop: Loop, args: readonly Expr[]): Expr {
  const filter = args.length === 4 ? args[2] : undefined, transform = args.at(-1)!;
  const entry = name === "transformMap" ? [make.ident(loop.variable), transform] : [transform];
  return make.fold({
    ...loop,
    start: make.map(),
    condition: make.literal(true),
    step: filtered(make, filter, make.call("cel.@mapInsert", make.accumulator, ...entry)),
    result: make.accumulator,
  });
}

function optionalMap(make: Builder, name: string, target: Expr, args: readonly Expr[]): Expr {
  const [variable, transform] = args as [Expr, Expr];
  if (variable.kind !== "ident") {
    throw new MacroError(variable.at, `${name}() variable name must be a simple identifier`);
  }
  const inner = make.bind(variable.name, make.member(structuredCopy(target), "value"), transform);
  return make.call(
    "_?_:_",
    make.member(target, "hasValue"),
    name === "optMap" ? make.call("optional.of", inner) : inner,
    make.call("optional.none"),
  );
}

const SORTABLE = ["list", "select", "ident", "comprehension", "call"];

function sorted(make: Builder, target: Expr, args: readonly Expr[]): Expr {
  if (!SORTABLE.includes(target.kind)) {
    const what = "sortBy can only be applied to a list, identifier, comprehension, call or select expression";
    throw new MacroError(target.at, what);
  }
  const input = "@__sortBy_input__";
  const keys = collected(make, oneVariable(make.ident(input), args[0]!), undefined, args[1]!);
  return make.bind(input, target, make.member(make.ident(input), "@sortByAssociatedKeys", keys));
}

/** The checker marks nodes, so each has one place. */
function structuredCopy(expr: Expr): Expr {
  switch (expr.kind) {
    case "literal":
    case "ident":
      return { ...expr };
    case "select":
      return { ...expr, operand: structuredCopy(expr.operand) };
    case "call":
      return {
        ...expr,
        target: expr.target && structuredCopy(expr.target),
        args: expr.args.map(structuredCopy),
      };
    case "list":
      return { ...expr, items: expr.items.map((item) => ({ ...item, value: structuredCopy(item.value) })) };
    case "map":
      return {
        ...expr,
        entries: expr.entries.map((entry) => ({
          ...entry,
          key: structuredCopy(entry.key),
          value: structuredCopy(entry.value),
        })),
      };
    case "struct":
      return { ...expr, fields: expr.fields.map((field) => ({ ...field, value: structuredCopy(field.value) })) };
    case "comprehension":
      return {
        ...expr,
        range: structuredCopy(expr.range),
        start: structuredCopy(expr.start),
        condition: structuredCopy(expr.condition),
        step: structuredCopy(expr.step),
        result: structuredCopy(expr.result),
      };
  }
}
