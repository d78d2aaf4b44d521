import type { Call, Comprehension, Expr, ListLiteral, MapLiteral, Select, StructLiteral } from "./ast.ts";
import type { Environment } from "./environment.ts";
import type { Overload } from "./functions.ts";
import type { Issues } from "./issues.ts";
import {
  BOOL,
  BYTES,
  DOUBLE,
  DYN,
  ERROR,
  formatType,
  INT,
  isDynamic,
  listOf,
  mapOf,
  moreGeneral,
  NULL,
  optionalOf,
  optionalValue,
  paramType,
  sameType,
  STRING,
  Substitution,
  type Type,
  UINT,
} from "./type.ts";
import { Uint, type Value } from "./value.ts";

/** Finds each node's type and each call's overloads, as cel-go does; reports what does not fit. */
export function check(expr: Expr, environment: Environment, issues: Issues): void {
  const checker = new Checker(environment, issues);
  checker.check(expr);
  checker.finish();
}

class Checker {
  readonly #environment: Environment;
  readonly #issues: Issues;
  readonly #substitution = new Substitution();
  readonly #nodes: Expr[] = [];
  #scopes: ReadonlyMap<string, Type>[] = [];
  #variables = 0;

  constructor(environment: Environment, issues: Issues) {
    this.#environment = environment;
    this.#issues = issues;
  }

  finish(): void {
    for (const node of this.#nodes) node.type = this.#substitution.apply(node.type!, true);
  }

  check(expr: Expr): Type {
    const type = this.#typeOf(expr);
    expr.type = type;
    this.#nodes.push(expr);
    return type;
  }

  #typeOf(expr: Expr): Type {
    switch (expr.kind) {
      case "literal":
        return literalType(expr.value);
      case "ident":
        return this.#variable(expr.name) ?? this.#undeclared(expr.at, expr.name);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct":
        return this.#struct(expr);
      case "comprehension":
        return this.#comprehension(expr);
    }
  }

  #newVariable(): Type {
    return paramType(`_var${this.#variables++}`);
  }

  #variable(name: string): Type | undefined {
    const plain = name.replace(/^\./, "");
    if (plain === name) {
      const scope = this.#scopes.findLast((each) => each.has(name));
      if (scope) return scope.get(name);
    }
    return this.#environment.variable(plain);
  }

  #undeclared(at: number, name: string): Type {
    this.#issues.report(at, `undeclared reference to '${name}' (in container '')`);
    return ERROR;
  }

  #mismatch(at: number, expected: Type, found: Type): void {
    this.#issues.report(at, `expected type '${formatType(expected)}' but found '${formatType(found)}'`);
  }

  #select(expr: Select): Type {
    const name = expr.test ? undefined : qualifiedName(expr);
    const variable = name === undefined ? undefined : this.#qualified(name);
    if (variable) {
      expr.qualified = name!;
      return variable;
    }
    const type = this.#field(expr.at, expr.operand, expr.field, false);
    return expr.test ? BOOL : this.#substitution.apply(type, false);
  }

  #qualified(name: string): Type | undefined {
    const first = name.split(".", 1)[0]!;
    return this.#scopes.some((scope) => scope.has(first)) ? undefined : this.#environment.variable(name);
  }

  #field(at: number, operand: Expr, field: string, optional: boolean): Type {
    const operandType = this.#substitution.apply(this.check(operand), false);
    const target = optionalValue(operandType) ?? operandType;
    let result: Type = ERROR;
    if (target.kind === "map") result = target.params[1]!;
    else if (target.kind === "struct") result = this.#structField(at, target, field);
    else {
      if (target.kind === "param") this.#substitution.assignable([DYN], [target]);
      else if (!isDynamic(target)) {
        this.#issues.report(at, `type '${formatType(target)}' does not support field selection`);
      }
      result = DYN;
    }
    return optional || target !== operandType ? optionalOf(result) : result;
  }

  #structField(at: number, struct: Type, field: string): Type {
    const found = struct.fields?.get(field);
    if (found) return found;
    this.#issues.report(
      at,
      struct.fields ? `undefined field '${field}'` : `unexpected failed resolution of '${struct.name}'`,
    );
    return ERROR;
  }

  #call(expr: Call): Type {
    if (expr.name === "_?._") return this.#optionalSelect(expr);
    for (const arg of expr.args) this.check(arg);
    if (!expr.target) {
      const overloads = this.#environment.overloads(expr.name.replace(/^\./, ""));
      if (!overloads) return this.#undeclared(expr.at, expr.name);
      return this.#resolve(expr, overloads);
    }
    const prefix = qualifiedName(expr.target);
    const namespaced = prefix === undefined ? undefined : this.#environment.overloads(`${prefix}.${expr.name}`);
    if (namespaced) {
      expr.name = `${prefix}.${expr.name}`;
      expr.target = undefined;
      return this.#resolve(expr, namespaced);
    }
    this.check(expr.target);
    const overloads = this.#environment.overloads(expr.name);
    return overloads ? this.#resolve(expr, overloads) : this.#undeclared(expr.at, expr.name);
  }

  #optionalSelect(expr: Call): Type {
    const [operand, field] = expr.args as [Expr, Expr & { kind: "literal" }];
    const type = this.#field(expr.at, operand, field.value as string, true);
    this.check(field);
    expr.overloads = this.#environment.overloads("_?._")!;
    return this.#substitution.apply(type, false);
  }

  #resolve(expr: Call, overloads: readonly Overload[]): Type {
    if (expr.name === "_&&_" || expr.name === "_||_") return this.#resolveLogic(expr, overloads);
    const found: Overload[] = [];
    const args = [...expr.target ? [expr.target] : [], ...expr.args].map((arg) => arg.type!);
    let result: Type | undefined;
    for (const overload of overloads) {
      if (overload.member !== (expr.target !== undefined) || overload.parameters.length !== args.length) continue;
      const fresh = this.#instance(overload);
      if (!this.#substitution.assignable(args, fresh.parameters)) continue;
      found.push(overload);
      const type = this.#substitution.apply(fresh.result, false);
      if (!result) result = type;
      else if (result.kind !== "dyn" && !sameType(type, result)) result = DYN;
    }
    if (result) {
      expr.overloads = found;
      return result;
    }
    const shown = args.map((type) => formatType(this.#substitution.apply(type, true)));
    const target = expr.target ? `${shown.shift()}.` : "";
    this.#issues.report(
      expr.at,
      `found no matching overload for '${expr.name}' applied to '${target}(${shown.join(", ")})'`,
    );
    return ERROR;
  }

  #resolveLogic(expr: Call, overloads: readonly Overload[]): Type {
    expr.overloads = overloads;
    let failed = false;
    for (const arg of expr.args) {
      if (this.#substitution.assignable([arg.type!], [BOOL])) continue;
      this.#mismatch(arg.at, BOOL, arg.type!);
      failed = true;
    }
    return failed ? ERROR : BOOL;
  }

  /** The overload with variables of its own. */
  #instance(overload: Overload): Pick<Overload, "parameters" | "result"> {
    if (!overload.generic) return overload;
    const own = new Map<string, Type>();
    const rename = (type: Type): Type => {
      if (type.kind === "param") {
        const known = own.get(type.name) ?? this.#newVariable();
        own.set(type.name, known);
        return known;
      }
      return type.params.length === 0 ? type : { ...type, params: type.params.map(rename) };
    };
    return { parameters: overload.parameters.map(rename), result: rename(overload.result) };
  }

  /** Mixed literals are dyn; {@linkcode checkLiterals} refuses most of them. */
  #join(before: Type | undefined, type: Type): Type {
    if (!before) return type;
    return this.#substitution.assignable([before], [type]) ? moreGeneral(before, type) : DYN;
  }

  #unwrapped(expr: Expr, optional: boolean): Type {
    const type = expr.type!;
    if (!optional) return type;
    const value = optionalValue(type);
    if (!value && type.kind !== "dyn") this.#mismatch(expr.at, optionalOf(type), type);
    return value ?? type;
  }

  #list(expr: ListLiteral): Type {
    let item: Type | undefined;
    for (const { value, optional } of expr.items) {
      this.check(value);
      item = this.#join(item, this.#unwrapped(value, optional));
    }
    return listOf(item ?? this.#newVariable());
  }

  #map(expr: MapLiteral): Type {
    let key: Type | undefined, value: Type | undefined;
    for (const entry of expr.entries) {
      key = this.#join(key, this.check(entry.key));
      this.check(entry.value);
      value = this.#join(value, this.#unwrapped(entry.value, entry.optional));
    }
    return mapOf(key ?? this.#newVariable(), value ?? this.#newVariable());
  }

  #struct(expr: StructLiteral): Type {
    const struct = this.#environment.struct(expr.name.replace(/^\./, ""));
    if (!struct) {
      this.#undeclared(expr.at, expr.name);
      for (const field of expr.fields) this.check(field.value);
      return ERROR;
    }
    for (const field of expr.fields) {
      this.check(field.value);
      const type = struct.fields?.get(field.name), value = this.#unwrapped(field.value, field.optional);
      if (type && this.#substitution.assignable([type], [value])) continue;
      const what = `expected type of field '${field.name}' is '${type ? formatType(type) : ""}'`;
      this.#issues.report(field.at, `${what} but provided type is '${formatType(value)}'`);
    }
    return struct;
  }

  #comprehension(expr: Comprehension): Type {
    this.check(expr.range);
    const accumulator = this.check(expr.start);
    const range = this.#substitution.apply(expr.range.type!, false);
    this.#scopes.push(new Map([[expr.accumulator, accumulator]]));
    this.#scopes.push(this.#loopVariables(expr, range));
    this.#assert(expr.condition, BOOL);
    this.#assert(expr.step, accumulator);
    this.#scopes.pop();
    const result = this.check(expr.result);
    this.#scopes.pop();
    return this.#substitution.apply(result, false);
  }

  #assert(expr: Expr, expected: Type): void {
    const type = this.check(expr);
    if (!this.#substitution.assignable([expected], [type])) this.#mismatch(expr.at, expected, type);
  }

  #loopVariables(expr: Comprehension, range: Type): Map<string, Type> {
    let first: Type = ERROR, second: Type = ERROR;
    if (range.kind === "list") [first, second] = expr.variable2 ? [INT, range.params[0]!] : [range.params[0]!, ERROR];
    else if (range.kind === "map") [first, second] = range.params as [Type, Type];
    else if (range.kind === "dyn" || range.kind === "error" || range.kind === "param") {
      this.#substitution.assignable([DYN], [range]);
      [first, second] = [DYN, DYN];
    } else {
      const what = `expression of type '${formatType(range)}' cannot be range of a comprehension`;
      this.#issues.report(expr.range.at, `${what} (must be list, map, or dynamic)`);
    }
    const variables = new Map([[expr.variable, first]]);
    if (expr.variable2 !== undefined) variables.set(expr.variable2, second);
    return variables;
  }
}

/** `a.b.c`, if nothing but names. */
function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === "ident") return expr.name;
  if (expr.kind !== "select" || expr.test) return undefined;
  const operand = qualifiedName(expr.operand);
  return operand === undefined ? undefined : `${operand}.${expr.field}`;
}

function literalType(value: Value): Type {
  switch (typeof value) {
    case "boolean":
      return BOOL;
    case "bigint":
      return INT;
    case "number":
      return DOUBLE;
    case "string":
      return STRING;
  }
  return value === null ? NULL : value instanceof Uint ? UINT : BYTES;
}
