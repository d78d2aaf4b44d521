/**
 * CEL's values: int is a bigint, double a number, and bytes a Uint8Array. Unsigned numbers, times, lists, maps and the
 * values of libraries are objects of this file's classes.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | Duration
  | Timestamp
  | ListValue
  | MapValue
  | Optional
  | TypeValue
  | OpaqueValue;

/** An error of the evaluation; `&&`, `||` and macros may absorb it. */
export class CelError extends Error {
  /** The part of the program that failed has no stack worth reading. */
  constructor(message: string) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = limit;
  }
}

export class Uint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

export class Duration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** Nanoseconds since 1970 in UTC. */
export class Timestamp {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

export abstract class ListValue {
  abstract readonly size: number;
  abstract at(index: number): Value;

  *[Symbol.iterator](): Iterator<Value> {
    for (let index = 0; index < this.size; index++) yield this.at(index);
  }

  /** Lists that the schema calls sets or maps compare without order. */
  equals(other: Value): boolean {
    if (!(other instanceof ListValue) || this.size !== other.size) return false;
    for (let index = 0; index < this.size; index++) if (!equal(this.at(index), other.at(index))) return false;
    return true;
  }

  concat(other: ListValue): ListValue {
    return new ArrayList([...this, ...other]);
  }
}

export class ArrayList extends ListValue {
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    super();
    this.items = items;
  }

  get size(): number {
    return this.items.length;
  }

  at(index: number): Value {
    return this.items[index]!;
  }
}

export abstract class MapValue {
  abstract readonly size: number;
  abstract keys(): Iterable<Value>;
  /** Undefined if absent. */
  abstract find(key: Value): Value | undefined;

  equals(other: Value): boolean {
    if (!(other instanceof MapValue) || this.size !== other.size) return false;
    for (const key of this.keys()) {
      const theirs = other.find(key);
      if (theirs === undefined || !equal(this.find(key)!, theirs)) return false;
    }
    return true;
  }
}

export class EntryMap extends MapValue {
  readonly #entries = new Map<unknown, readonly [key: Value, value: Value]>();

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    super();
    for (const [key, value] of entries) this.#entries.set(keyOf(key), [key, value]);
  }

  get size(): number {
    return this.#entries.size;
  }

  *keys(): Iterable<Value> {
    for (const [key] of this.#entries.values()) yield key;
  }

  find(key: Value): Value | undefined {
    return this.#entries.get(keyOf(key))?.[1];
  }

  /** Only for a map that no expression has seen yet. */
  insert(key: Value, value: Value): void {
    if (this.#entries.has(keyOf(key))) throw new CelError(`insert failed: key ${display(key)} already exists`);
    this.#entries.set(keyOf(key), [key, value]);
  }
}

/** What `Name{field: value}` makes. */
export class StructValue extends EntryMap {
  readonly name: string;

  constructor(name: string, fields: Iterable<readonly [Value, Value]>) {
    super(fields);
    this.name = name;
  }

  override equals(other: Value): boolean {
    return other instanceof StructValue && this.name === other.name && super.equals(other);
  }
}

/** 1, 1u and 1.0 are the same key. */
function keyOf(key: Value): unknown {
  if (key instanceof Uint) return key.value;
  return typeof key === "number" && Number.isInteger(key) ? BigInt(key) : key;
}

export class Optional {
  static readonly none = new Optional(undefined);
  readonly value: Value | undefined;

  private constructor(value: Value | undefined) {
    this.value = value;
  }

  static of(value: Value): Optional {
    return new Optional(value);
  }
}

export class TypeValue {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A value of a library, such as an IP address. */
export abstract class OpaqueValue {
  abstract readonly typeName: string;
  abstract equals(other: Value): boolean;

  /** What costs count; undefined where the value has no size. */
  get size(): number | undefined {
    return undefined;
  }

  get text(): string {
    return this.typeName;
  }
}

export function typeName(value: Value): string {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "string":
      return "string";
  }
  if (value === null) return "null_type";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Uint) return "uint";
  if (value instanceof Duration) return "google.protobuf.Duration";
  if (value instanceof Timestamp) return "google.protobuf.Timestamp";
  if (value instanceof ListValue) return "list";
  if (value instanceof MapValue) return value instanceof StructValue ? value.name : "map";
  if (value instanceof Optional) return "optional_type";
  return value instanceof TypeValue ? "type" : value.typeName;
}

export function noSuchOverload(): CelError {
  return new CelError("no such overload");
}

/** @throws {CelError} for values of Kubernetes that compare only with their own kind. */
export function equal(left: Value, right: Value): boolean {
  if (left === null || right === null) return left === right;
  if (typeof left === "string" || typeof left === "boolean") return left === right;
  const number = numberOf(left);
  if (number !== undefined) {
    const other = numberOf(right);
    return other !== undefined && compareNumbers(number, other) === 0;
  }
  if (left instanceof Uint8Array) return right instanceof Uint8Array && compareBytes(left, right) === 0;
  if (left instanceof Duration) return right instanceof Duration && left.nanos === right.nanos;
  if (left instanceof Timestamp) return right instanceof Timestamp && left.nanos === right.nanos;
  if (left instanceof ListValue || left instanceof MapValue || left instanceof OpaqueValue) return left.equals(right);
  if (left instanceof TypeValue) return right instanceof TypeValue && left.name === right.name;
  if (!(left instanceof Optional) || !(right instanceof Optional)) return false;
  if (left.value === undefined || right.value === undefined) return left.value === right.value;
  return equal(left.value, right.value);
}

/** @throws {CelError} where the two have no order. */
export function compare(left: Value, right: Value): number {
  if (typeof left === "string" && typeof right === "string") return compareText(left, right);
  const number = numberOf(left), other = numberOf(right);
  if (number !== undefined && other !== undefined) {
    const order = compareNumbers(number, other);
    if (order === undefined) throw new CelError("NaN values cannot be ordered");
    return order;
  }
  if (typeof left === "boolean" && typeof right === "boolean") return Number(left) - Number(right);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return compareBytes(left, right);
  if (left instanceof Duration && right instanceof Duration) return compareNumbers(left.nanos, right.nanos)!;
  if (left instanceof Timestamp && right instanceof Timestamp) return compareNumbers(left.nanos, right.nanos)!;
  throw noSuchOverload();
}

function numberOf(value: Value): bigint | number | undefined {
  if (typeof value === "bigint" || typeof value === "number") return value;
  return value instanceof Uint ? value.value : undefined;
}

/** Undefined if one is NaN. */
function compareNumbers(left: bigint | number, right: bigint | number): number | undefined {
  return left < right ? -1 : left > right ? 1 : left == right ? 0 : undefined;
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    if (left[index] !== right[index]) return left[index]! < right[index]! ? -1 : 1;
  }
  return Math.sign(left.length - right.length);
}

/** By code point: surrogates sort above other letters of UTF-16. */
function compareText(left: string, right: string): number {
  if (left === right) return 0;
  let index = 0;
  while (index < left.length && left.charCodeAt(index) === right.charCodeAt(index)) index++;
  const a = rank(left, index), b = rank(right, index);
  return a < b ? -1 : 1;
}

function rank(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (Number.isNaN(code)) return -1;
  return code >= 0xd800 && code <= 0xdfff ? code + 0x10000 : code;
}

/** Code points; the length of UTF-16 for plain text. */
export function textSize(text: string): number {
  let size = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0xd800 && code <= 0xdbff) size--;
  }
  return size;
}

/** As `size()` counts; undefined for values without a size. */
export function sizeOf(value: Value): number | undefined {
  if (typeof value === "string") return textSize(value);
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof ListValue || value instanceof MapValue || value instanceof OpaqueValue) return value.size;
  return undefined;
}

/** As error messages show a value. */
export function display(value: Value): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return value;
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return formatDouble(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof OpaqueValue) return value.text;
  if (value instanceof ListValue) return `[${[...value].map(display).join(", ")}]`;
  if (value instanceof MapValue) {
    return `{${[...value.keys()].map((key) => `${display(key)}: ${display(value.find(key)!)}`).join(", ")}}`;
  }
  return typeName(value);
}

/** As Go's `%g`. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
  const power = Number(exponent);
  if (power >= -4 && power < 6) return plainDecimal(value);
  const digits = String(Math.abs(power)).padStart(2, "0");
  return `${mantissa}e${power < 0 ? "-" : "+"}${digits}`;
}

/** Without an exponent, with the fewest digits. */
export function plainDecimal(value: number): string {
  const text = String(value);
  if (!text.includes("e")) return text;
  const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
  const negative = mantissa.startsWith("-"), digits = mantissa.replace(/[-.]/g, ""), power = Number(exponent);
  const plain = power < 0 ? `0.${"0".repeat(-power - 1)}${digits}` : digits.padEnd(power + 1, "0");
  return (negative ? "-" : "") + plain;
}
