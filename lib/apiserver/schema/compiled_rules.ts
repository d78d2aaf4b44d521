import { formatJson } from "../../base/mod.ts";
import { CompileError, compileExpression, Environment, type Expression, optionalOf } from "../cel/mod.ts";
import type { Schema, ValidationRule } from "../resource_type.ts";
import { declarationOf, REQUEST_BYTES_MAX, sizesOf, typeOfDeclaration } from "./cel_types.ts";
import { rulePath } from "./rule_path.ts";

/** A rule of a schema (KEP-2876), or why it does not compile. */
export interface CompiledRule {
  readonly rule: ValidationRule;
  /** Absent where `error` says why. */
  readonly expression?: Expression;
  readonly error?: string;
  readonly message?: Expression;
  readonly messageError?: string;
  /** It uses `oldSelf`. */
  readonly transition: boolean;
  /** Where a failure belongs below the value, normalized. */
  readonly fieldPath?: string;
  /** The worst cost of one run. */
  readonly costMax: number;
  readonly messageCostMax: number;
}

export interface CompiledSchema {
  readonly rules: readonly CompiledRule[];
  /** How many values of this schema fit into one request. */
  readonly cardinalityMax: number;
}

const bySchema = new WeakMap<Schema, Map<boolean, CompiledSchema | undefined>>();
/** Servers that start again and again have equal schemas. */
const byContent = new Map<string, CompiledSchema | undefined>();
const COMPILED_MAX = 1_000;

/** Undefined for a schema whose values rules cannot see. `root`: the schema of a whole object. */
export function compiledRules(schema: Schema, root: boolean): CompiledSchema | undefined {
  const known = bySchema.get(schema);
  if (known?.has(root)) return known.get(root);
  const key = `${root} ${formatJson(schema)}`;
  if (!byContent.has(key)) {
    if (byContent.size >= COMPILED_MAX) byContent.clear();
    byContent.set(key, compileSchema(schema, root));
  }
  const result = byContent.get(key);
  bySchema.set(schema, (known ?? new Map()).set(root, result));
  return result;
}

function compileSchema(schema: Schema, root: boolean): CompiledSchema | undefined {
  const declaration = declarationOf(schema, root);
  if (!declaration) return undefined;
  const self = typeOfDeclaration(declaration, "selfType"), sizes = sizesOf(declaration);
  const plain = new Environment([["self", self], ["oldSelf", self]]);
  const optional = new Environment([["self", self], ["oldSelf", optionalOf(self)]]);
  const rules = (schema["x-kubernetes-validations"] ?? []).map((rule): CompiledRule => {
    const environment = rule.optionalOldSelf ? optional : plain;
    const nothing = { rule, transition: false, costMax: 0, messageCostMax: 0 };
    const compiled = attempt(rule.rule, environment, "bool", "");
    if (typeof compiled === "string") return { ...nothing, error: compiled };
    const transition = compiled.variables.has("oldSelf"), costMax = compiled.costMax(sizes);
    const path = rule.fieldPath ? rulePath(rule.fieldPath, schema) : undefined;
    const done = {
      ...nothing,
      expression: compiled,
      transition,
      costMax,
      ...(path !== undefined && { fieldPath: path }),
    };
    if (!rule.messageExpression) return done;
    const message = attempt(rule.messageExpression, environment, "string", "messageExpression ");
    if (typeof message === "string") return { ...done, messageError: message };
    return { ...done, message, messageCostMax: message.costMax(sizes) };
  });
  return { rules, cardinalityMax: Math.floor(REQUEST_BYTES_MAX / (declaration.bytesMin + 1)) };
}

/** The expression, or why it is none, in kube-apiserver's words. */
function attempt(
  source: string,
  environment: Environment,
  type: "bool" | "string",
  prefix: "" | "messageExpression ",
): Expression | string {
  try {
    const unfit = type === "bool"
      ? "cel expression must evaluate to a bool"
      : "messageExpression must evaluate to a string";
    return compileExpression(source, environment, (found) => found.kind === type ? undefined : unfit);
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    if (error.stage === "type") return error.message;
    const program = prefix === "" ? "program " : prefix;
    return error.stage === "compilation"
      ? `${prefix}compilation failed: ${error.message}`
      : `${program}instantiation failed: ${error.message}`;
  }
}
