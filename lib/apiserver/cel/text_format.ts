import { formatDuration } from "./standard_functions.ts";
import { formatTimestamp } from "./time.ts";
import {
  CelError,
  Duration,
  formatDouble,
  ListValue,
  MapValue,
  plainDecimal,
  Timestamp,
  typeName,
  TypeValue,
  Uint,
  type Value,
} from "./value.ts";

/** A clause such as `%.2f`, or text. */
export type FormatPart = { readonly text: string } | { readonly clause: string; readonly precision: number };

const PRECISION = 6;

const CLAUSE_TYPES: Record<string, readonly [types: readonly string[], why: string]> = {
  s: [
    "list map int uint double bool string google.protobuf.Timestamp bytes google.protobuf.Duration type null_type"
      .split(
        " ",
      ),
    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
  ],
  d: [["int", "uint"], "decimal clause can only be used on integers"],
  f: [["double", "string"], "fixed-point clause can only be used on doubles"],
  e: [["double", "string"], "scientific clause can only be used on doubles"],
  b: [["int", "uint", "bool"], "only integers and bools can be formatted as binary"],
  x: [["int", "uint", "string", "bytes"], "only integers, byte buffers, and strings can be formatted as hex"],
  o: [["int", "uint"], "octal clause can only be used on integers"],
};

/** Undefined if the clause takes a value of this type (its runtime name). */
export function clauseFault(clause: string, type: string): string | undefined {
  const [types, why] = CLAUSE_TYPES[clause.toLowerCase()]!;
  return types.includes(type) ? undefined : `${why}, was given ${type}`;
}

/**
 * Splits a format string. `argument` is told of each argument before its clause is read.
 *
 * @throws {CelError} for an unknown clause.
 */
export function* formatParts(format: string, argument: (index: number) => void): Generator<FormatPart> {
  let index = 0;
  for (let at = 0; at < format.length;) {
    const percent = format.indexOf("%", at);
    if (percent < 0 || percent > at) {
      const end = percent < 0 ? format.length : percent;
      yield { text: format.slice(at, end) };
      at = end;
      continue;
    }
    if (format[percent + 1] === "%") {
      yield { text: "%" };
      at = percent + 2;
      continue;
    }
    argument(index++);
    if (percent + 1 >= format.length) throw new CelError("unexpected end of string");
    const match = /^(?:\.(\d*))?([^]?)/u.exec(format.slice(percent + 1))!;
    const [read, digits, clause] = match as unknown as [string, string | undefined, string];
    const prefix = "could not parse formatting clause: ";
    if (clause === "") {
      throw new CelError(`${prefix}error while parsing precision: could not find end of precision specifier`);
    }
    if (digits === "") {
      const why = `error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax`;
      throw new CelError(`${prefix}error while parsing precision: ${why}`);
    }
    if (!/^[sdfebxXo]$/.test(clause)) throw new CelError(`${prefix}unrecognized formatting clause "${clause}"`);
    yield { clause, precision: digits === undefined ? PRECISION : Number(digits) };
    at = percent + 1 + read.length;
  }
}

/** `string.format`. */
export function formatText(format: string, args: ListValue): string {
  let text = "", next = -1;
  const take = (index: number) => {
    if (index >= args.size) throw new CelError(`index ${index} out of range`);
    next = index;
  };
  for (const part of formatParts(format, take)) text += "text" in part ? part.text : formatClause(part, args.at(next));
  return text;
}

function formatClause({ clause, precision }: { clause: string; precision: number }, value: Value): string {
  const fault = clauseFault(clause, typeName(value));
  const special = typeof value === "string" && /^[fe]$/.test(clause) && !/^(?:NaN|-?Infinity)$/.test(value);
  if (fault !== undefined || special) {
    const why = fault ?? `${CLAUSE_TYPES[clause]![1]}, was given string`;
    throw new CelError(`error during formatting: ${why}`);
  }
  switch (clause) {
    case "s":
      return shown(value);
    case "f":
      return fixed(Number(value), precision);
    case "e":
      return scientific(Number(value), precision);
    case "d":
      return String(integer(value));
    case "b":
      return typeof value === "boolean" ? String(Number(value)) : integer(value).toString(2);
    case "o":
      return integer(value).toString(8);
  }
  const text = hexadecimal(value);
  return clause === "X" ? text.toUpperCase() : text;
}

function integer(value: Value): bigint {
  return value instanceof Uint ? value.value : value as bigint;
}

function hexadecimal(value: Value): string {
  if (typeof value !== "string" && !(value instanceof Uint8Array)) return integer(value).toString(16);
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** With English grouping, as Go's `message.Printer` writes. */
function fixed(value: number, precision: number): string {
  if (!Number.isFinite(value)) return special(value);
  const [whole, fraction] = value.toFixed(Math.min(precision, 100)).split(".") as [string, string?];
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

function scientific(value: number, precision: number): string {
  if (!Number.isFinite(value)) return special(value);
  const [mantissa, exponent] = value.toExponential(Math.min(precision, 100)).split("e") as [string, string];
  const power = Number(exponent), digits = String(Math.abs(power)).padStart(2, "0");
  return `${mantissa}\u202f×\u202f10${superscript(`${power < 0 ? "-" : ""}${digits}`)}`;
}

const RAISED: Record<string, string> = { "-": "⁻", ...Object.fromEntries([..."⁰¹²³⁴⁵⁶⁷⁸⁹"].map((up, at) => [at, up])) };

function superscript(text: string): string {
  return [...text].map((letter) => RAISED[letter]!).join("");
}

function special(value: number): string {
  return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "-∞";
}

function shown(value: Value): string {
  if (value === null) return "null";
  if (typeof value === "number") return formatDouble(value);
  if (value instanceof ListValue) return `[${[...value].map(nested).join(", ")}]`;
  if (value instanceof MapValue) {
    const pairs = [...value.keys()].map((key) => [nested(key), nested(value.find(key)!)] as const);
    return `{${pairs.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0).map((pair) => pair.join(":")).join(", ")}}`;
  }
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof TypeValue) return value.name;
  return value instanceof Uint ? String(value.value) : String(value);
}

/** Within a list or map. */
function nested(value: Value): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Uint8Array) return `b${JSON.stringify(shown(value))}`;
  if (value instanceof Timestamp) return `timestamp("${formatTimestamp(value)}")`;
  if (value instanceof Duration) return `duration("${formatDuration(value)}")`;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return `"${formatDouble(value)}"`;
    return Number.isInteger(value) ? `${plainDecimal(value)}.000000` : value.toFixed(PRECISION);
  }
  const fault = clauseFault("s", typeName(value));
  if (fault !== undefined) throw new CelError(`error during formatting: no formatting function for ${typeName(value)}`);
  return shown(value);
}
