import type { Functions, Overload } from "./functions.ts";
import { CIDR_TYPE, IP_TYPE } from "./functions.ts";
import { declareAuthorizer } from "./authorizer_functions.ts";
import { declareFormats } from "./format_functions.ts";
import { declareLists } from "./list_functions.ts";
import { declareNetwork } from "./network_functions.ts";
import { declareQuantities } from "./quantity_functions.ts";
import { declareSemver } from "./semver_functions.ts";
import { declareStandard } from "./standard_functions.ts";
import { declareStrings } from "./string_functions.ts";
import { DYN, listOf, mapOf, optionalOf, SIMPLE_TYPES, type Type, typeOfType } from "./type.ts";

/** The runtime names of types, which expressions may compare with `type(x)`. */
const RUNTIME_NAMES: Record<string, string> = {
  duration: "google.protobuf.Duration",
  timestamp: "google.protobuf.Timestamp",
  null: "null_type",
};

const TYPE_NAMES: ReadonlyMap<string, Type> = new Map([
  ...SIMPLE_TYPES.filter((type) => type.kind !== "dyn").map((type): [string, Type] => [
    RUNTIME_NAMES[type.kind] ?? type.kind,
    typeOfType(type),
  ]),
  ["list", typeOfType(listOf(DYN))],
  ["map", typeOfType(mapOf(DYN, DYN))],
  ["type", typeOfType(typeOfType())],
  ["optional_type", typeOfType(optionalOf(DYN))],
  [IP_TYPE.name, typeOfType(IP_TYPE)],
  [CIDR_TYPE.name, typeOfType(CIDR_TYPE)],
]);

let functions: Functions | undefined;

/** The functions of Kubernetes 1.37, declared at the first use. */
function kubernetesFunctions(): Functions {
  if (functions) return functions;
  const table = new Map<string, Overload[]>();
  declareStandard(table);
  declareStrings(table);
  declareLists(table);
  declareNetwork(table);
  declareQuantities(table);
  declareSemver(table);
  declareFormats(table);
  declareAuthorizer(table);
  return functions = table;
}

/** The names that an expression may use. */
export class Environment {
  readonly #variables: ReadonlyMap<string, Type>;
  readonly #structs: ReadonlyMap<string, Type>;

  /** `structs`: the types that expressions may create, as `Name{field: value}`. */
  constructor(variables: Iterable<readonly [string, Type]>, structs: Iterable<readonly [string, Type]> = []) {
    this.#variables = new Map(variables);
    this.#structs = new Map(structs);
  }

  /** A variable, or the name of a type. */
  variable(name: string): Type | undefined {
    return this.#variables.get(name) ?? TYPE_NAMES.get(name);
  }

  isTypeName(name: string): boolean {
    return !this.#variables.has(name) && TYPE_NAMES.has(name);
  }

  overloads(name: string): readonly Overload[] | undefined {
    return kubernetesFunctions().get(name);
  }

  struct(name: string): Type | undefined {
    return this.#structs.get(name);
  }
}
