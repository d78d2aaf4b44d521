import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  NULL,
  opaqueType,
  optionalOf,
  paramType,
  STRING,
  structType,
  TIMESTAMP,
  type Type,
  typeOfType,
  UINT,
} from "./type.ts";
import type { Value } from "./value.ts";

export interface Overload {
  readonly id: string;
  /** Called on a target. */
  readonly member: boolean;
  /** The target first. */
  readonly parameters: readonly Type[];
  readonly result: Type;
  readonly run: Run;
  /** It has type variables. */
  readonly generic: boolean;
  /** `run` itself refuses arguments of other types. */
  readonly open: boolean;
}

/** Arguments have the parameters' types. */
// deno-lint-ignore no-explicit-any -- each overload names the types that its signature promises
export type Run = (...args: any[]) => Value;

/** Overloads by name of their function. */
export type Functions = ReadonlyMap<string, readonly Overload[]>;

/** `[id, signature, implementation]`; a signature is `name(int): bool`, or `list(T).name(int): T` with a target. */
export type Declaration = readonly [id: string, signature: string, run: Run];

const NAMED: Record<string, Type> = {
  bool: BOOL,
  bytes: BYTES,
  double: DOUBLE,
  duration: DURATION,
  dyn: DYN,
  int: INT,
  null: NULL,
  string: STRING,
  timestamp: TIMESTAMP,
  uint: UINT,
};

export const IP_TYPE = opaqueType("net.IP"), CIDR_TYPE = opaqueType("net.CIDR");

/** `Name` alone stands for `kubernetes.Name`. */
const STRUCTS: Record<string, Type> = Object.fromEntries([
  ...["URL", "Quantity", "NamedFormat", "Semver"].map((name) => [name, structType(`kubernetes.${name}`)]),
  ...["Authorizer", "PathCheck", "GroupCheck", "ResourceCheck", "Decision"].map((name) => [
    name,
    structType(`kubernetes.authorization.${name}`),
  ]),
  ["IP", IP_TYPE],
  ["CIDR", CIDR_TYPE],
]);

/** Adds declarations to a table; the order of overloads is the order in which they are tried. */
export function declare(table: Map<string, Overload[]>, declarations: readonly Declaration[], open = false): void {
  for (const [id, signature, run] of declarations) {
    const { name, ...rest } = parseSignature(signature);
    const overloads = table.get(name) ?? [];
    overloads.push({ id, run, open, generic: [rest.result, ...rest.parameters].some(hasVariable), ...rest });
    table.set(name, overloads);
  }
}

function hasVariable(type: Type): boolean {
  return type.kind === "param" || type.params.some(hasVariable);
}

function parseSignature(text: string): Pick<Overload, "member" | "parameters" | "result"> & { name: string } {
  const { name, target, args, result } = splitSignature(text);
  const parameters = args.map(parseType);
  return {
    name,
    member: target !== undefined,
    parameters: target === undefined ? parameters : [parseType(target), ...parameters],
    result: parseType(result),
  };
}

/** `#` separates the target, because namespaced functions have dots in their names. */
function splitSignature(text: string): { name: string; target?: string; args: string[]; result: string } {
  const [before, result] = text.split("): ") as [string, string];
  const hash = before.indexOf("#"), rest = before.slice(hash + 1);
  const open = rest.indexOf("(");
  const args = splitTypes(rest.slice(open + 1));
  const name = rest.slice(0, open);
  return hash < 0 ? { name, args, result } : { name, target: before.slice(0, hash), args, result };
}

function splitTypes(text: string): string[] {
  const parts: string[] = [];
  let depth = 0, start = 0;
  for (let index = 0; index <= text.length; index++) {
    const letter = text[index];
    if (letter === "(") depth++;
    else if (letter === ")") depth--;
    else if ((letter === "," || letter === undefined) && depth === 0) {
      if (index > start) parts.push(text.slice(start, index).trim());
      start = index + 1;
    }
  }
  return parts;
}

function parseType(text: string): Type {
  const open = text.indexOf("(");
  if (open < 0) return NAMED[text] ?? STRUCTS[text] ?? (text === "type" ? typeOfType() : paramType(text));
  const params = splitTypes(text.slice(open + 1, -1)).map(parseType);
  switch (text.slice(0, open)) {
    case "list":
      return listOf(params[0]!);
    case "map":
      return mapOf(params[0]!, params[1]!);
    case "optional":
      return optionalOf(params[0]!);
    default:
      return typeOfType(params[0]);
  }
}
