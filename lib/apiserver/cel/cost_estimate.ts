import { ACCUMULATOR, type Call, type Comprehension, type Expr, isBinding } from "./ast.ts";
import { LIST_COST, MAP_COST, STRUCT_COST } from "./call_cost.ts";
import { estimateCall, type SizedNode } from "./call_estimate.ts";
import { exactly, ONE, type Range, scaled, sum, times, union, UNKNOWN, ZERO } from "./cost_range.ts";
import { optionalValue, type Type } from "./type.ts";
import { textSize, type Value } from "./value.ts";

/** How large a value of the schema can be; `path` starts at a variable, and has `@items`, `@keys` and `@values`. */
export type SizeOfPath = (path: readonly string[]) => Range | undefined;

/** The worst case of a checked expression, in CEL's cost units, as cel-go estimates it. */
export function estimateCost(expr: Expr, sizeOfPath: SizeOfPath): Range {
  return new Estimator(sizeOfPath).cost(expr);
}

/** The sizes of a container's keys and values. */
interface Entries {
  readonly kind: "list" | "map";
  readonly key: Range;
  readonly value: Range;
}

interface Operands {
  readonly target: SizedNode | undefined;
  readonly args: readonly SizedNode[];
  /** Of the arguments. */
  readonly costs: readonly Range[];
}

interface Local {
  readonly path: readonly string[] | undefined;
  readonly size: Range | undefined;
  readonly entries: Entries | undefined;
}

class Estimator {
  readonly #sizeOfPath: SizeOfPath;
  readonly #paths = new Map<Expr, readonly string[] | undefined>();
  readonly #sizes = new Map<Expr, Range>();
  readonly #entries = new Map<Expr, Entries>();
  readonly #locals = new Map<string, Local[]>();

  constructor(sizeOfPath: SizeOfPath) {
    this.#sizeOfPath = sizeOfPath;
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case "literal":
        return ZERO;
      case "ident": {
        const local = this.#local(expr.name);
        this.#paths.set(expr, local ? local.path : [expr.name]);
        return ONE;
      }
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list": {
        const costs = expr.items.map((item) => this.cost(item.value));
        const value = unionOf(expr.items.map((item) => this.#sizeOrUnknown(item.value)));
        this.#entries.set(expr, { kind: "list", key: ONE, value });
        return sum(...costs, exactly(LIST_COST));
      }
      case "map": {
        const costs = expr.entries.flatMap((entry) => [this.cost(entry.key), this.cost(entry.value)]);
        const key = unionOf(expr.entries.map((entry) => this.#sizeOrUnknown(entry.key)));
        const value = unionOf(expr.entries.map((entry) => this.#sizeOrUnknown(entry.value)));
        this.#entries.set(expr, { kind: "map", key, value });
        return sum(...costs, exactly(MAP_COST));
      }
      case "struct":
        return sum(...expr.fields.map((field) => this.cost(field.value)), exactly(STRUCT_COST));
      case "comprehension":
        return isBinding(expr) ? this.#binding(expr) : this.#loop(expr);
    }
  }

  #select(expr: Expr & { kind: "select" }): Range {
    if (expr.qualified !== undefined) {
      this.#paths.set(expr, [expr.qualified]);
      return ONE;
    }
    const operand = this.cost(expr.operand);
    if (expr.test) return operand;
    this.#paths.set(expr, [...this.#path(expr.operand) ?? [], expr.field]);
    return ["map", "struct", "param"].includes(expr.operand.type!.kind) ? sum(operand, ONE) : operand;
  }

  #call(expr: Call): Range {
    if (expr.name === "dyn" && !expr.target) {
      const arg = expr.args[0]!, cost = this.cost(arg);
      this.#copySizes(expr, arg);
      return sum(ONE, cost);
    }
    const costs = expr.args.map((arg) => this.cost(arg)), args = expr.args.map((arg) => this.#node(arg));
    const overloads = expr.overloads ?? [];
    if (overloads.length === 0) return ZERO;
    const targetCost = expr.target ? this.cost(expr.target) : ZERO;
    const target = expr.target && this.#node(expr.target);
    let cost: Range | undefined, size: Range | undefined;
    for (const { id } of overloads) {
      const estimate = this.#overload(expr, id, { target, args, costs });
      cost = cost ? union(cost, estimate.cost) : estimate.cost;
      if (estimate.size) size = size ? union(size, estimate.size) : estimate.size;
      if (id === "index_list" || id === "index_map") {
        size = this.#entriesOf(expr.args[0]!)?.value;
        this.#paths.set(expr, [...this.#path(expr.args[0]!) ?? [], id === "index_list" ? "@items" : "@values"]);
      }
      size ??= this.#size(expr);
    }
    if (size) this.#sizes.set(expr, size);
    return sum(targetCost, cost!);
  }

  /** The cost of one overload with its operands, and how large its result is. */
  #overload(expr: Call, id: string, { target, args, costs }: Operands): { cost: Range; size?: Range } {
    const known = estimateCall(expr.name, id, { target, args, elementSize: (node) => this.#elementSize(node) });
    if (known) return { cost: sum(known.cost, ...costs), ...(known.size && { size: known.size }) };
    switch (id) {
      case "logical_or":
      case "logical_and":
        return { cost: { min: costs[0]!.min, max: sum(costs[0]!, costs[1]!).max } };
      case "conditional": {
        const entries = unionOfEntries(this.#entriesOf(expr.args[1]!), this.#entriesOf(expr.args[2]!));
        if (entries) this.#entries.set(expr, entries);
        const size = union(args[1]!.size ?? UNKNOWN, args[2]!.size ?? UNKNOWN);
        return { cost: sum(costs[0]!, union(costs[1]!, costs[2]!)), size };
      }
      case "add_string":
      case "add_bytes":
      case "add_list": {
        const size = sum(args[0]!.size ?? UNKNOWN, args[1]!.size ?? UNKNOWN);
        const entries = unionOfEntries(this.#entriesOf(expr.args[0]!), this.#entriesOf(expr.args[1]!));
        if (entries) this.#entries.set(expr, entries);
        return { cost: sum(id === "add_list" ? ONE : scaled(size, 0.1), ...costs), size };
      }
    }
    return { cost: sum(ONE, ...costs) };
  }

  /** Of the items of a list, by the schema alone. */
  #elementSize(list: SizedNode): Range {
    return (list.path && this.#sizeOfPath([...list.path, "@items"])) ?? UNKNOWN;
  }

  #binding(expr: Comprehension): Range {
    const before = sum(this.cost(expr.range), this.cost(expr.start));
    const start = expr.start;
    this.#push(expr.accumulator, { path: this.#path(start), size: this.#size(start), entries: this.#entriesOf(start) });
    const result = this.cost(expr.result);
    this.#copySizes(expr, expr.result);
    this.#pop(expr.accumulator);
    return sum(before, result);
  }

  #loop(expr: Comprehension): Range {
    const { range, start } = expr;
    const before = sum(this.cost(range), this.cost(start));
    this.#push(expr.accumulator, { path: this.#path(start), size: this.#size(start), entries: this.#entriesOf(start) });
    const entries = this.#entriesOf(range), kind = entries?.kind ?? range.type!.kind, path = this.#path(range) ?? [];
    const key = { path: [...path, kind === "list" ? "@indices" : "@keys"], size: entries?.key, entries: undefined };
    const value = { path: [...path, kind === "list" ? "@items" : "@values"], size: entries?.value, entries: undefined };
    if (expr.variable2 === undefined) this.#push(expr.variable, kind === "list" ? value : key);
    else {
      this.#push(expr.variable, key);
      this.#push(expr.variable2, value);
    }
    const each = sum(this.cost(expr.condition), this.cost(expr.step));
    this.#pop(expr.variable);
    if (expr.variable2 !== undefined) this.#pop(expr.variable2);
    const result = this.cost(expr.result);
    this.#pop(expr.accumulator);
    const count = this.#sizeOrUnknown(range);
    if (start.kind === "literal") this.#sizes.set(expr, this.#size(start)!);
    else if (start.kind === "list" || start.kind === "map") {
      this.#sizes.set(expr, count);
      const stepEntries = this.#entriesOf(expr.step);
      if (stepEntries) this.#entries.set(expr, stepEntries);
    }
    return sum(before, result, times(count, each));
  }

  #push(name: string, local: Local): void {
    const known = this.#locals.get(name) ?? [];
    known.push(local);
    this.#locals.set(name, known);
  }

  #pop(name: string): void {
    this.#locals.get(name)!.pop();
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1);
  }

  #path(expr: Expr): readonly string[] | undefined {
    const local = expr.kind === "ident" ? this.#local(expr.name) : undefined;
    return local ? local.path : this.#paths.get(expr);
  }

  #node(expr: Expr): SizedNode {
    const path = this.#path(expr), size = this.#size(expr);
    return {
      type: expr.type!,
      ...(path && path[0] !== ACCUMULATOR && { path }),
      ...(size && { size }),
      ...(expr.kind === "literal" && { literal: expr.value }),
    };
  }

  #copySizes(to: Expr, from: Expr): void {
    const size = this.#size(from), entries = this.#entriesOf(from);
    if (size) this.#sizes.set(to, size);
    if (entries) this.#entries.set(to, entries);
  }

  #sizeOrUnknown(expr: Expr): Range {
    return this.#size(expr) ?? UNKNOWN;
  }

  #size(expr: Expr): Range | undefined {
    const known = this.#sizes.get(expr) ?? literalSize(expr);
    if (known) return known;
    const path = this.#path(expr), declared = path && path.length > 0 ? this.#sizeOfPath(path) : undefined;
    if (declared) {
      this.#sizes.set(expr, declared);
      return declared;
    }
    if (isScalar(expr.type!)) return ONE;
    return expr.kind === "ident" ? this.#local(expr.name)?.size : undefined;
  }

  #entriesOf(expr: Expr): Entries | undefined {
    return this.#entries.get(expr) ?? (expr.kind === "ident" ? this.#local(expr.name)?.entries : undefined);
  }
}

function unionOf(sizes: readonly Range[]): Range {
  return sizes.length === 0 ? ZERO : sizes.reduce(union);
}

function unionOfEntries(left: Entries | undefined, right: Entries | undefined): Entries | undefined {
  if (!left || !right) return undefined;
  return { kind: left.kind, key: union(left.key, right.key), value: union(left.value, right.value) };
}

function literalSize(expr: Expr): Range | undefined {
  if (expr.kind === "list") return exactly(expr.items.length);
  if (expr.kind === "map") return exactly(expr.entries.length);
  return expr.kind === "literal" ? exactly(valueSize(expr.value)) : undefined;
}

function valueSize(value: Value): number {
  return typeof value === "string" ? textSize(value) : value instanceof Uint8Array ? value.length : 1;
}

function isScalar(type: Type): boolean {
  const inner = optionalValue(type);
  return inner ? isScalar(inner) : ["bool", "double", "duration", "int", "timestamp", "uint"].includes(type.kind);
}
