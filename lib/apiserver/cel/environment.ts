import { CIDR_TYPE, declare, type Functions, IP_TYPE, type Overload } from "./functions.ts";
import { declareAuthorizer } from "./authorizer_functions.ts";
import { declareFormats } from "./format_functions.ts";
import { declareLists } from "./list_functions.ts";
import { declareNetwork } from "./network_functions.ts";
import { declareQuantities } from "./quantity_functions.ts";
import { declareSemver } from "./semver_functions.ts";
import { declareStandard } from "./standard_functions.ts";
import { declareStrings } from "./string_functions.ts";
import { DYN, listOf, mapOf, optionalOf, SIMPLE_TYPES, STRING, structType, type Type, typeOfType } from "./type.ts";

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

let forPatches: Functions | undefined;

function patchFunctions(): Functions {
  if (forPatches) return forPatches;
  const table = new Map<string, Overload[]>();
  const escape = (key: string) => key.replaceAll("~", "~0").replaceAll("/", "~1");
  declare(table, [["string_jsonpatch_escapeKey_string", "jsonpatch.escapeKey(string): string", escape]]);
  return forPatches = table;
}

/** An object may have any field: no schema is known where a policy is checked. */
const ANY_FIELD = { get: () => DYN };

export const JSON_PATCH = structType(
  "JSONPatch",
  new Map<string, Type>([["op", STRING], ["path", STRING], ["from", STRING], ["value", DYN]]),
);
export const OBJECT = structType("Object", ANY_FIELD);

function patchType(name: string): Type | undefined {
  if (name === JSON_PATCH.name) return JSON_PATCH;
  return name === "Object" || name.startsWith("Object.") ? structType(name, ANY_FIELD) : undefined;
}

/** The names that an expression may use. */
export class Environment {
  readonly #variables: ReadonlyMap<string, Type>;
  readonly #patches: boolean;

  /** `patches`: expressions may make objects and JSON patches (KEP-3962), as `Object{field: value}`. */
  constructor(variables: Iterable<readonly [string, Type]>, patches = false) {
    this.#variables = new Map(variables);
    this.#patches = patches;
  }

  /** A variable, or the name of a type. */
  variable(name: string): Type | undefined {
    return this.#variables.get(name) ?? TYPE_NAMES.get(name);
  }

  isTypeName(name: string): boolean {
    return !this.#variables.has(name) && TYPE_NAMES.has(name);
  }

  overloads(name: string): readonly Overload[] | undefined {
    return kubernetesFunctions().get(name) ?? (this.#patches ? patchFunctions().get(name) : undefined);
  }

  struct(name: string): Type | undefined {
    return this.#patches ? patchType(name) : undefined;
  }
}
