import {
  type Call,
  type Comprehension,
  type Expr,
  isBinding,
  type ListLiteral,
  type MapLiteral,
  type StructField,
} from "./ast.ts";
import { costOf, LIST_COST, MAP_COST, STRUCT_COST } from "./call_cost.ts";
import { implementation } from "./dispatch.ts";
import type { Environment } from "./environment.ts";
import { compilePattern } from "./re2.ts";
import {
  ArrayList,
  CelError,
  display,
  EntryMap,
  ListValue,
  MapValue,
  noSuchOverload,
  Optional,
  StructValue,
  typeName,
  TypeValue,
  Uint,
  type Value,
} from "./value.ts";

/** The expression costs more than its limit; nothing in it absorbs this. */
export class CostLimitError extends Error {}

/** Values of variables; what is absent fails when it is read. */
export type Variables = Readonly<Record<string, Value | undefined>>;

/** One run of a program. */
class Run {
  readonly variables: Variables;
  readonly limit: number;
  readonly slots: Slot[] = [];
  cost = 0;

  constructor(variables: Variables, limit: number) {
    this.variables = variables;
    this.limit = limit;
  }

  charge(cost: number): void {
    this.cost += cost;
    if (this.cost > this.limit) throw new CostLimitError("operation cancelled: actual cost limit exceeded");
  }
}

/** A macro's variable; `start` is evaluated at the first use. */
interface Slot {
  value: Value | CelError | undefined;
  readonly start?: Step;
}

type Step = (run: Run) => Value;

export interface Outcome {
  readonly cost: number;
  readonly value?: Value;
  /** A {@linkcode CelError} or a {@linkcode CostLimitError}. */
  readonly error?: Error;
}

export type Program = (variables: Variables, costMax: number) => Outcome;

/**
 * Turns a checked expression into closures.
 *
 * @throws {CelError} where a constant part of it fails.
 */
export function planProgram(expr: Expr, environment: Environment): Program {
  const step = new Planner(environment).plan(expr).step;
  return (variables, costMax) => {
    const run = new Run(variables, costMax);
    try {
      return { value: step(run), cost: run.cost };
    } catch (error) {
      if (error instanceof CelError || error instanceof CostLimitError) return { error, cost: run.cost };
      throw error;
    }
  };
}

/** `constant`: known now. `attribute`: a path that starts at a variable or value. `bare` does not charge its start. */
interface Plan {
  readonly step: Step;
  readonly constant?: Value;
  readonly attribute?: boolean;
  readonly bare?: Step;
}

function constant(value: Value): Plan {
  return { step: () => value, constant: value };
}

const PATTERNS = new Set(["matches", "find", "findAll"]);
const CONVERSIONS = new Set("bool bytes double duration dyn int string timestamp type uint".split(" "));

class Planner {
  readonly #environment: Environment;
  /** Of macros, innermost last. */
  readonly #names: string[] = [];

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  plan(expr: Expr): Plan {
    switch (expr.kind) {
      case "literal":
        return constant(expr.value);
      case "ident":
        return this.#variable(expr.name);
      case "select":
        if (expr.qualified !== undefined) return this.#variable(expr.qualified);
        return expr.test ? this.#test(expr.operand, expr.field) : this.#path(expr.operand, constant(expr.field), false);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct": {
        const name = expr.name.replace(/^\./, ""), fields = expr.fields.map((field) => this.#structField(field));
        return {
          step: (run) => {
            const entries = fields.flatMap((field) => field(run) ?? []);
            run.charge(STRUCT_COST);
            return new StructValue(name, entries);
          },
        };
      }
      case "comprehension":
        return { step: isBinding(expr) ? this.#binding(expr) : this.#loop(expr) };
    }
  }

  /** Undefined for an optional field without value. */
  #structField({ name, value, optional }: StructField): (run: Run) => [readonly [Value, Value]] | undefined {
    const step = this.plan(value).step;
    if (!optional) return (run) => [[name, step(run)]];
    return (run) => {
      const given = step(run);
      if (given instanceof Optional) return given.value === undefined ? undefined : [[name, given.value]];
      const what = `cannot initialize optional entry '${name}' from non-optional value`;
      throw new CelError(`${what} ${display(given)}`);
    };
  }

  #variable(name: string): Plan {
    const slot = this.#names.lastIndexOf(name);
    if (slot >= 0) return attribute((run) => slotValue(run, run.slots[slot]!));
    const plain = name.replace(/^\./, "");
    if (this.#environment.isTypeName(plain)) return constant(new TypeValue(plain));
    return attribute((run) => {
      const value = run.variables[plain];
      if (value === undefined) throw new CelError(`no such attribute(s): ${plain}`);
      return value;
    });
  }

  /** A field or an index. A key that is a path of its own costs nothing more. */
  #path(operand: Expr, key: Plan, optional: boolean): Plan {
    const start = this.plan(operand), from = start.attribute ? start.step : charged(start.step);
    const keyCost = key.attribute ? 0 : 1, keyStep = key.step;
    const walk = (before: Step): Step => (run) => {
      const target = before(run), index = keyStep(run);
      const inner = target instanceof Optional ? target.value : target;
      if (!optional && inner === target) {
        run.charge(keyCost);
        return qualified(target, index);
      }
      if (inner === undefined) return Optional.none;
      const found = lookup(inner, index);
      if (found === undefined) return Optional.none;
      run.charge(keyCost);
      return Optional.of(found);
    };
    return { step: walk(from), attribute: true, bare: walk(start.bare ?? start.step) };
  }

  #test(operand: Expr, field: string): Plan {
    const start = this.plan(operand), from = start.attribute ? start.step : charged(start.step);
    return {
      step: (run) => {
        const target = from(run), inner = target instanceof Optional ? target.value : target;
        return inner !== undefined && lookup(inner, field) !== undefined;
      },
      attribute: true,
    };
  }

  #list(expr: ListLiteral): Plan {
    const items = expr.items.map((item) => ({ ...this.plan(item.value), optional: item.optional }));
    if (items.every((item) => item.constant !== undefined && !item.optional)) {
      return constant(new ArrayList(items.map((item) => item.constant!)));
    }
    return {
      step: (run) => {
        const values: Value[] = [];
        for (const item of items) {
          const value = item.step(run);
          if (!item.optional) values.push(value);
          else if (!(value instanceof Optional)) {
            const what = "cannot initialize optional list element from non-optional value";
            throw new CelError(`${what} ${display(value)}`);
          } else if (value.value !== undefined) values.push(value.value);
        }
        run.charge(LIST_COST);
        return new ArrayList(values);
      },
    };
  }

  #map(expr: MapLiteral): Plan {
    const entries = expr.entries.map((entry) => ({
      key: this.plan(entry.key),
      value: this.plan(entry.value),
      optional: entry.optional,
    }));
    if (
      entries.every(({ key, value, optional }) =>
        key.constant !== undefined && value.constant !== undefined && !optional
      )
    ) {
      return constant(new EntryMap(entries.map(({ key, value }) => [key.constant!, value.constant!])));
    }
    return {
      step: (run) => {
        const found: [Value, Value][] = [];
        for (const entry of entries) {
          const key = entry.key.step(run), value = entry.value.step(run);
          if (!entry.optional) found.push([key, value]);
          else if (!(value instanceof Optional)) {
            const what = `cannot initialize optional entry '${display(key)}' from non-optional value`;
            throw new CelError(`${what} ${display(value)}`);
          } else if (value.value !== undefined) found.push([key, value.value]);
        }
        run.charge(MAP_COST);
        return new EntryMap(found);
      },
    };
  }

  #call(expr: Call): Plan {
    const args = expr.args;
    switch (expr.name) {
      case "_&&_":
        return { step: logic(this.plan(args[0]!).step, this.plan(args[1]!).step, false) };
      case "_||_":
        return { step: logic(this.plan(args[0]!).step, this.plan(args[1]!).step, true) };
      case "_?_:_":
        return this.#conditional(args);
      case "_[_]":
        return this.#path(args[0]!, this.plan(args[1]!), false);
      case "_[?_]":
      case "_?._":
        return this.#path(args[0]!, this.plan(args[1]!), true);
      case "@not_strictly_false": {
        const value = this.plan(args[0]!).step;
        return { step: (run) => notStrictlyFalse(run, value) };
      }
    }
    const id = expr.overloads!.length === 1 ? expr.overloads![0]!.id : undefined;
    if (expr.target && (expr.name === "or" || expr.name === "orValue")) {
      return this.#or(expr.target, args[0]!, expr.name);
    }
    return this.#function(expr, id);
  }

  #conditional(args: readonly Expr[]): Plan {
    const [condition, yes, no] = args.map((arg) => this.plan(arg)) as [Plan, Plan, Plan];
    const test = condition.step, whenTrue = yes.bare ?? yes.step, whenFalse = no.bare ?? no.step;
    const step: Step = (run) => {
      const value = test(run);
      if (typeof value !== "boolean") throw noSuchOverload();
      return value ? whenTrue(run) : whenFalse(run);
    };
    return { step, attribute: true };
  }

  #or(target: Expr, other: Expr, name: string): Plan {
    const left = this.plan(target).step, right = this.plan(other).step;
    return {
      step: (run) => {
        const value = left(run);
        if (!(value instanceof Optional)) throw noSuchOverload();
        if (value.value === undefined) return right(run);
        return name === "or" ? value : value.value;
      },
    };
  }

  #function(expr: Call, id: string | undefined): Plan {
    const args = [...expr.target ? [expr.target] : [], ...expr.args];
    const plans = args.map((arg) => this.plan(arg));
    const call = implementation(expr, args.map((arg) => arg.type!));
    if (expr.name === "@in" && id === "in_list" && isPlainSet(plans[1]!)) {
      const item = plans[0]!.step, list = plans[1]!.constant!;
      return { step: (run) => call([item(run), list]) };
    }
    if (CONVERSIONS.has(expr.name) && plans.length === 1 && plans[0]!.constant !== undefined) {
      return constant(call([plans[0]!.constant]));
    }
    if (PATTERNS.has(expr.name) && typeof plans[1]?.constant === "string") {
      compilePattern(plans[1].constant); // which throws for a bad one
      const cost = costOf(expr.name, id), steps = plans.map((plan) => plan.step);
      return { step: (run) => finished(run, cost, steps.map((step) => step(run)), onTextOnly(call)) };
    }
    const cost = costOf(expr.name, id), steps = plans.map((plan) => plan.step);
    const [first, second] = steps;
    if (steps.length === 2) {
      return { step: (run) => finished(run, cost, [first!(run), second!(run)], call) };
    }
    return { step: (run) => finished(run, cost, steps.map((step) => step(run)), call) };
  }

  /** `optMap` and `sortBy`: the value is evaluated where it is first read. */
  #binding(expr: Comprehension): Step {
    const start = this.plan(expr.start).step, slot = this.#names.length;
    this.#names.push(expr.accumulator);
    const result = this.plan(expr.result).step;
    this.#names.pop();
    return (run) => {
      run.slots[slot] = { value: undefined, start };
      return result(run);
    };
  }

  #loop(expr: Comprehension): Step {
    const range = this.plan(expr.range).step, start = this.plan(expr.start).step;
    const first = this.#names.length, two = expr.variable2 !== undefined;
    this.#names.push(expr.accumulator);
    this.#names.push(expr.variable);
    if (two) this.#names.push(expr.variable2!);
    const condition = this.plan(expr.condition), step = this.plan(expr.step).step;
    this.#names.length = first + 1;
    const result = this.plan(expr.result).step;
    this.#names.length = first;
    const always = condition.constant === true, test = condition.step;
    return (run) => {
      const over = range(run), slots = run.slots;
      slots[first] = { value: start(run) };
      for (const [key, value] of entriesOf(over, two)) {
        slots[first + 1] = { value: key };
        if (two) slots[first + 2] = { value: value! };
        if (!always && test(run) !== true) break;
        // `result` may hold an error, which `&&` and `||` of later rounds absorb.
        slots[first] = { value: attempt(run, step) };
      }
      return result(run);
    };
  }
}

function attempt(run: Run, step: Step): Value | CelError {
  try {
    return step(run);
  } catch (error) {
    if (error instanceof CelError) return error;
    throw error;
  }
}

function attribute(read: Step): Plan {
  return { step: charged(read), attribute: true, bare: read };
}

function charged(read: Step): Step {
  return (run) => {
    const value = read(run);
    run.charge(1);
    return value;
  };
}

function slotValue(run: Run, slot: Slot): Value {
  if (slot.value === undefined) slot.value = attempt(run, slot.start!);
  if (slot.value instanceof CelError) throw slot.value;
  return slot.value;
}

function notStrictlyFalse(run: Run, value: Step): boolean {
  const found = attempt(run, value);
  run.charge(1);
  return found !== false;
}

const GO_TYPES: Record<string, string> = {
  bool: "types.Bool",
  double: "types.Double",
  int: "types.Int",
  string: "types.String",
  uint: "types.Uint",
};

function* entriesOf(over: Value, two: boolean): Iterable<readonly [Value, Value?]> {
  if (over instanceof ListValue) {
    for (let index = 0; index < over.size; index++) yield two ? [BigInt(index), over.at(index)] : [over.at(index)];
  } else if (over instanceof MapValue) {
    for (const key of over.keys()) yield two ? [key, over.find(key)!] : [key];
  } else throw new CelError(`got '${GO_TYPES[typeName(over)] ?? typeName(over)}', expected iterable type`);
}

/** The first decisive operand wins, even over an error in the other. */
function logic(left: Step, right: Step, decisive: boolean): Step {
  return (run) => {
    let first: Value | CelError;
    try {
      first = left(run);
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      first = error;
    }
    if (first === decisive) return decisive;
    const second = first instanceof CelError ? attempt(run, right) : right(run);
    if (second === decisive) return decisive;
    if (first instanceof CelError) throw first;
    if (typeof first !== "boolean" || typeof second !== "boolean") throw noSuchOverload();
    return !decisive;
  };
}

/** With a constant pattern the overload is fixed, so that another type of text has no other error. */
function onTextOnly(call: (args: Value[]) => Value): (args: Value[]) => Value {
  return (args) => {
    if (typeof args[0] !== "string") throw noSuchOverload();
    return call(args);
  };
}

function finished(
  run: Run,
  cost: ReturnType<typeof costOf>,
  args: Value[],
  call: (args: Value[]) => Value,
): Value {
  const result = call(args);
  run.charge(cost(args, result));
  return result;
}

/** Kubernetes looks constants up in a set, which costs nothing. */
function isPlainSet(plan: Plan): boolean {
  return plan.constant instanceof ListValue &&
    [...plan.constant].every((item) =>
      ["string", "bigint", "number", "boolean"].includes(typeof item) || item instanceof Uint
    );
}

/** A field, key or item; undefined if absent. */
function lookup(target: Value, key: Value): Value | undefined {
  if (target instanceof MapValue) return target.find(key);
  if (!(target instanceof ListValue)) return undefined;
  const index = indexOf(key);
  return index >= 0n && index < target.size ? target.at(Number(index)) : undefined;
}

function qualified(target: Value, key: Value): Value {
  const value = lookup(target, key);
  if (value !== undefined) return value;
  throw new CelError(`${target instanceof ListValue ? "index out of bounds" : "no such key"}: ${display(key)}`);
}

function indexOf(key: Value): bigint {
  if (typeof key === "bigint") return key;
  if (key instanceof Uint) return key.value;
  if (typeof key === "number") {
    if (Number.isInteger(key)) return BigInt(key);
    throw new CelError(`unsupported index value ${display(key)} in list`);
  }
  throw new CelError(`unsupported index type '${typeName(key)}' in list`);
}
