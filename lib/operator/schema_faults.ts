import type * as z from "zod";
import { type Clock, jsonEqual, SystemClock } from "../base/mod.ts";
import { re2Problem } from "./re2.ts";

interface Def {
  readonly type: string;
  readonly shape?: Readonly<Record<string, Node>>;
  readonly options?: readonly Node[];
  readonly checks?: readonly { readonly _zod: { readonly def: Check } }[];
  readonly values?: readonly unknown[];
  readonly getter?: () => Node;
  readonly keyType?: Node;
  readonly defaultValue?: unknown;
  readonly coerce?: boolean;
  readonly format?: string;
  readonly pattern?: RegExp;
  readonly transform?: unknown;
  readonly [part: string]: unknown;
}

interface Check {
  readonly check: string;
  readonly format?: string;
  readonly pattern?: RegExp;
}

interface Node {
  readonly _zod: { readonly def: Def };
}

/** Types without structural schema, each with an alternative. */
const NO_JSON: Readonly<Record<string, string>> = {
  date: "use z.iso.datetime(): a string",
  map: "use z.record(z.string(), …)",
  set: "use z.array(…)",
  symbol: "use z.enum([…])",
  nan: "use z.number()",
  undefined: "leave the field out",
  void: "leave the field out",
  never: "leave the field out",
  function: "leave the field out",
  promise: "leave the field out",
  file: "use z.base64(): a string",
  custom: "use z.unknown(), and check the value in the handler",
  success: "use z.boolean()",
  transform: "leave it out, and convert the value in the handler",
  catch: "leave it out: an API server refuses what the schema does not take",
};

/** Definitions' nested schemas, with their addition to the path. */
const INNER: Readonly<Record<string, string>> = {
  innerType: "",
  element: "[]",
  valueType: ".*",
  left: "",
  right: "",
  in: "",
  out: "",
};

/**
 * Checks that a CRD can hold a schema, and that API servers read it as zod does. What they cannot check (`refine`)
 * passes: admission handlers and reads of the spec check it.
 *
 * @throws {RangeError} naming the field, what it cannot hold, and an alternative.
 */
export function requireFaithful(schema: z.ZodType, path: string, clock: Clock = new SystemClock()): void {
  const defaults: { readonly path: string; readonly def: Def; readonly value: unknown }[] = [];
  visit(schema as unknown as Node, path, [], (def, at) => {
    if (def.type === "default" || def.type === "prefault") defaults.push({ path: at, def, value: def.defaultValue });
  });
  if (defaults.length === 0) return;
  // A function's default may be the time: only a later call shows that.
  for (const startMs = clock.now(); clock.now() === startMs;);
  for (const { path: at, def, value } of defaults) {
    if (!jsonEqual(def.defaultValue, value)) {
      throw new RangeError(`${at}: a CRD holds one value as default, not a function; use a constant`);
    }
  }
}

function visit(node: Node, path: string, above: readonly Node[], found: (def: Def, path: string) => void): void {
  if (above.includes(node)) {
    throw new RangeError(`${path}: a CRD cannot hold a type that contains itself; use z.unknown() where it repeats`);
  }
  const { def } = node._zod, inside = [...above, node];
  requirePlain(def, path);
  found(def, path);
  for (const [name, child] of Object.entries(def.shape ?? {})) visit(child, `${path}.${name}`, inside, found);
  for (const option of def.options ?? []) visit(option, path, inside, found);
  for (const [part, step] of Object.entries(INNER)) {
    const inner = def[part];
    if (isNode(inner)) visit(inner, `${path}${step}`, inside, found);
  }
  if (def.type === "lazy" && def.getter) visit(def.getter(), path, inside, found);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "_zod" in value;
}

function requirePlain(def: Def, path: string): void {
  const refuse = (what: string, instead: string): never => {
    throw new RangeError(`${path}: a CRD cannot hold ${what}; ${instead}`);
  };
  const instead = NO_JSON[def.type];
  if (instead) refuse(`z.${def.type}()`, instead);
  if (def.type === "bigint" && def.format !== "int64") refuse("integers without bounds", "use z.int64() or z.int()");
  if (def.coerce) refuse("z.coerce", "use the type that is stored: an API server converts nothing");
  if (def.type === "pipe" && def.transform) refuse("a codec", "use its input, and convert the value in the handler");
  if (def.type === "literal" && def.values?.some((value) => value === undefined || typeof value === "bigint")) {
    refuse("this literal", "use a string, a number or a boolean");
  }
  if (def.type === "record") requirePlainKeys(def.keyType!, refuse);
  for (const { _zod: { def: check } } of def.checks ?? []) {
    if (check.check === "overwrite") {
      refuse("a string that is changed, as by trim()", "use a pattern that refuses the others");
    }
    if (check.format === "regex" && check.pattern) requirePattern(check.pattern, refuse);
  }
  if (def.format === "regex" && def.pattern) requirePattern(def.pattern, refuse);
}

function requirePlainKeys(key: Node, refuse: (what: string, instead: string) => never): void {
  const { type, checks = [], values, format } = key._zod.def;
  if (type === "enum" || values) {
    refuse("a record of these keys alone", "use z.object with these fields, or z.string() as key");
  }
  if (type !== "string" || checks.length > 0 || format) {
    refuse("a rule for the keys of a record", "use z.string() as key, and withRules() for a CEL rule");
  }
}

function requirePattern(pattern: RegExp, refuse: (what: string, instead: string) => never): void {
  const problem = re2Problem(pattern);
  if (problem) refuse(`the pattern ${pattern}: ${problem.what}`, problem.instead);
}
