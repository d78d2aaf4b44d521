import { childrenOf, type Expr } from "./ast.ts";
import type { Issues } from "./issues.ts";
import { compilePattern } from "./re2.ts";
import { clauseFault, formatParts } from "./text_format.ts";
import { checkedTimestamp, parseDuration, parseTimestamp } from "./time.ts";
import { formatType, optionalValue, type Type } from "./type.ts";
import { CelError, type Value } from "./value.ts";

/** What is wrong with constants of a checked expression: formats, regular expressions, and lists of mixed types. */
export function checkLiterals(root: Expr, issues: Issues): void {
  walk(root, false, (expr, withinFormat) => {
    if (expr.kind === "call") {
      checkArgument(expr.name, expr.args[0], issues);
      if (expr.name === "format" && expr.target) checkFormat(expr, issues);
    } else if (!withinFormat) checkMixture(expr, issues);
  });
}

/** `withinFormat`: the arguments of `format` may be of any type. */
function walk(expr: Expr, withinFormat: boolean, visit: (expr: Expr, withinFormat: boolean) => void): void {
  visit(expr, withinFormat);
  const within = withinFormat || expr.kind === "call" && expr.name === "format";
  for (const child of childrenOf(expr)) walk(child, within, visit);
}

const LITERALS: Record<string, (value: Value) => boolean> = {
  duration: (value) => typeof value !== "string" || parseDuration(value) !== undefined,
  timestamp: (value) =>
    parses(() =>
      typeof value === "string"
        ? parseTimestamp(value)
        : typeof value !== "bigint" || checkedTimestamp(value * 1_000_000_000n)
    ),
  matches: (value) => typeof value !== "string" || parses(() => compilePattern(value)),
};

function parses(parse: () => unknown): boolean {
  try {
    return parse() !== undefined;
  } catch (error) {
    if (error instanceof CelError) return false;
    throw error;
  }
}

function checkArgument(name: string, arg: Expr | undefined, issues: Issues): void {
  if (arg?.kind !== "literal" || !Object.hasOwn(LITERALS, name)) return;
  if (!LITERALS[name]!(arg.value)) issues.report(arg.at, `invalid ${name} argument`);
}

function checkMixture(expr: Expr, issues: Issues): void {
  const mismatch = (at: number, expected: Type, found: Type) =>
    issues.report(at, `expected type '${formatType(expected)}' but found '${formatType(found)}'`);
  if (expr.kind === "list") {
    const types = expr.items.map((item) => elementType(item.value, item.optional));
    const other = types.findIndex((type) => !isEquivalent(types[0]!, type));
    if (other > 0) mismatch(expr.items[other]!.value.at, types[0]!, types[other]!);
  } else if (expr.kind === "map" && expr.entries.length > 0) {
    const [first] = expr.entries, key = first!.key.type!, value = elementType(first!.value, first!.optional);
    for (const entry of expr.entries) {
      const found = elementType(entry.value, entry.optional);
      if (!isEquivalent(key, entry.key.type!)) mismatch(entry.key.at, key, entry.key.type!);
      if (!isEquivalent(value, found)) mismatch(entry.value.at, value, found);
    }
  }
}

function elementType(expr: Expr, optional: boolean): Type {
  return (optional ? optionalValue(expr.type!) : undefined) ?? expr.type!;
}

/** The same, but for the names of type variables. */
function isEquivalent(left: Type, right: Type): boolean {
  if (left.kind !== right.kind || left.params.length !== right.params.length) return false;
  if (left.kind !== "param" && left.name !== right.name) return false;
  return left.params.every((param, index) => isEquivalent(param, right.params[index]!));
}

const RUNTIME: Partial<Record<Type["kind"], string>> = {
  duration: "google.protobuf.Duration",
  timestamp: "google.protobuf.Timestamp",
  null: "null_type",
};

function checkFormat(expr: Expr & { kind: "call" }, issues: Issues): void {
  const format = expr.target!, list = expr.args[0];
  if (format.kind !== "literal" || typeof format.value !== "string" || list?.kind !== "list") return;
  const args = list.items.map((item) => item.value);
  let count = 0;
  try {
    for (const part of formatParts(format.value, () => count++)) {
      if (!("clause" in part)) continue;
      if (count > args.length) throw new CelError(`index ${count - 1} out of range`);
      const bad = unsuitable(part.clause, args[count - 1]!);
      if (!bad) continue;
      const why = clauseFault(part.clause, runtimeName(bad.type!))!;
      issues.report(bad.at, `error during formatting: ${why}`);
      return;
    }
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    issues.report(expr.at, error.message);
    return;
  }
  if (args.length > count) {
    const what = `too many arguments supplied to string.format (expected ${count}, got ${args.length})`;
    issues.report(expr.at, what);
  }
}

function runtimeName(type: Type): string {
  return RUNTIME[type.kind] ?? (type.kind === "struct" || type.kind === "opaque" ? type.name : type.kind);
}

/** The operand, or the part of a literal, whose type the clause does not take. */
function unsuitable(clause: string, arg: Expr): Expr | undefined {
  const type = arg.type!;
  if (type.kind !== "dyn" && clauseFault(clause, runtimeName(type)) !== undefined) return arg;
  if (clause !== "s" || arg.kind !== "list" && arg.kind !== "map") return undefined;
  for (const child of childrenOf(arg)) {
    const bad = unsuitable(clause, child);
    if (bad) return bad;
  }
  return undefined;
}
