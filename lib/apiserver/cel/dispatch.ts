import type { Call } from "./ast.ts";
import type { Overload } from "./functions.ts";
import type { Type } from "./type.ts";
import { CelError, ListValue, MapValue, typeName, type Value } from "./value.ts";

/** Runs the overload of a call that fits its arguments; `types` are those the checker found. */
export function implementation(expr: Call, types: readonly Type[]): (args: Value[]) => Value {
  const overloads = expr.overloads!, only = overloads[0]!;
  if (overloads.length === 1 && (only.open || types.every(isConcrete))) return (args) => only.run(...args);
  if (only.open) return (args) => only.run(...args);
  return (args) => {
    const fitting = overloads.find((overload) => fits(overload, args));
    if (fitting) return fitting.run(...args);
    throw new CelError(`no such overload: ${expr.name}(${args.map(typeName).join(", ")})`);
  };
}

function isConcrete(type: Type): boolean {
  return type.kind !== "dyn" && type.kind !== "error" && type.kind !== "param" && type.params.every(isConcrete);
}

function fits(overload: Overload, args: readonly Value[]): boolean {
  return overload.parameters.every((type, index) => isOfType(args[index]!, type));
}

const RUNTIME: Partial<Record<Type["kind"], string>> = {
  duration: "google.protobuf.Duration",
  timestamp: "google.protobuf.Timestamp",
  null: "null_type",
};

/** Lists and maps are judged by their first entry. */
function isOfType(value: Value, type: Type): boolean {
  if (type.kind === "dyn" || type.kind === "param") return true;
  if (type.kind === "struct" || type.kind === "opaque") return typeName(value) === type.name;
  if (typeName(value) !== (RUNTIME[type.kind] ?? type.kind)) return false;
  if (value instanceof ListValue) return value.size === 0 || isOfType(value.at(0), type.params[0]!);
  if (!(value instanceof MapValue)) return true;
  for (const key of value.keys()) {
    return isOfType(key, type.params[0]!) && isOfType(value.find(key)!, type.params[1]!);
  }
  return true;
}
