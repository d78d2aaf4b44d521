import { type Declaration, declare, type Overload } from "./functions.ts";
import { compilePattern } from "./re2.ts";
import {
  checkedDuration,
  checkedTimestamp,
  formatTimestamp,
  parseDuration,
  parseTimestamp,
  partsOf,
  unixSeconds,
} from "./time.ts";
import {
  CelError,
  compare,
  Duration,
  equal,
  formatDouble,
  ListValue,
  MapValue,
  noSuchOverload,
  OpaqueValue,
  plainDecimal,
  sizeOf,
  Timestamp,
  typeName,
  TypeValue,
  Uint,
  type Value,
} from "./value.ts";

const INT_MAX = 2n ** 63n - 1n, INT_MIN = -(2n ** 63n), UINT_MAX = 2n ** 64n - 1n;

/** @throws {CelError} */
function checkedInt(value: bigint): bigint {
  if (value > INT_MAX || value < INT_MIN) throw new CelError("integer overflow");
  return value;
}

/** @throws {CelError} */
function checkedUint(value: bigint): Uint {
  if (value > UINT_MAX || value < 0n) throw new CelError("unsigned integer overflow");
  return new Uint(value);
}

/** `+` of numbers, times, strings, bytes and lists. */
export function add(left: Value, right: Value): Value {
  if (typeof left === "bigint" && typeof right === "bigint") return checkedInt(left + right);
  if (typeof left === "string" && typeof right === "string") return left + right;
  if (typeof left === "number" && typeof right === "number") return left + right;
  if (left instanceof Uint && right instanceof Uint) return checkedUint(left.value + right.value);
  if (left instanceof ListValue && right instanceof ListValue) return left.concat(right);
  if (left instanceof Duration && right instanceof Duration) return checkedDuration(left.nanos + right.nanos);
  if (left instanceof Timestamp && right instanceof Duration) return checkedTimestamp(left.nanos + right.nanos);
  if (left instanceof Duration && right instanceof Timestamp) return checkedTimestamp(left.nanos + right.nanos);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Uint8Array.from([...left, ...right]);
  throw unsupported(left, "_+_", ["int", "string", "double", "uint", "list", "bytes", ...TIMES]);
}

const NUMBERS = ["int", "uint", "double"];
const TIMES = ["google.protobuf.Duration", "google.protobuf.Timestamp"];
const ORDERED = [...NUMBERS, ...TIMES, "string", "bytes", "bool"];

/** cel-go names the function only where the left value has no such operator at all. */
function unsupported(left: Value, name: string, types: readonly string[]): CelError {
  return types.includes(typeName(left)) ? noSuchOverload() : new CelError(`no such overload: ${name}`);
}

function subtract(left: Value, right: Value): Value {
  if (typeof left === "bigint" && typeof right === "bigint") return checkedInt(left - right);
  if (typeof left === "number" && typeof right === "number") return left - right;
  if (left instanceof Uint && right instanceof Uint) return checkedUint(left.value - right.value);
  if (left instanceof Duration && right instanceof Duration) return checkedDuration(left.nanos - right.nanos);
  if (left instanceof Timestamp && right instanceof Duration) return checkedTimestamp(left.nanos - right.nanos);
  if (left instanceof Timestamp && right instanceof Timestamp) return checkedDuration(left.nanos - right.nanos);
  throw unsupported(left, "_-_", [...NUMBERS, ...TIMES]);
}

function multiply(left: Value, right: Value): Value {
  if (typeof left === "bigint" && typeof right === "bigint") return checkedInt(left * right);
  if (typeof left === "number" && typeof right === "number") return left * right;
  if (left instanceof Uint && right instanceof Uint) return checkedUint(left.value * right.value);
  throw unsupported(left, "_*_", NUMBERS);
}

function divide(left: Value, right: Value): Value {
  if (typeof left === "number" && typeof right === "number") return left / right;
  if (typeof left === "bigint" && typeof right === "bigint") {
    if (right === 0n) throw new CelError("division by zero");
    return checkedInt(left / right);
  }
  if (left instanceof Uint && right instanceof Uint) {
    if (right.value === 0n) throw new CelError("division by zero");
    return new Uint(left.value / right.value);
  }
  throw unsupported(left, "_/_", NUMBERS);
}

function modulo(left: Value, right: Value): Value {
  if (typeof left === "bigint" && typeof right === "bigint") {
    if (right === 0n) throw new CelError("modulus by zero");
    if (left === INT_MIN && right === -1n) throw new CelError("integer overflow");
    return left % right;
  }
  if (left instanceof Uint && right instanceof Uint) {
    if (right.value === 0n) throw new CelError("modulus by zero");
    return new Uint(left.value % right.value);
  }
  throw unsupported(left, "_%_", ["int", "uint"]);
}

function negate(value: Value): Value {
  if (typeof value === "bigint") return checkedInt(-value);
  if (typeof value === "number") return -value;
  if (value instanceof Duration) return checkedDuration(-value.nanos);
  throw typeof value === "boolean" || typeof value === "string" ? noSuchOverload() : unsupported(value, "-_", []);
}

function not(value: Value): boolean {
  if (typeof value !== "boolean") throw noSuchOverload();
  return !value;
}

function ordered(name: string, holds: (order: number) => boolean): (left: Value, right: Value) => boolean {
  return (left, right) => {
    if (!ORDERED.includes(typeName(left))) throw new CelError(`no such overload: ${name}`);
    return holds(compare(left, right));
  };
}

function contains(item: Value, container: Value): boolean {
  if (container instanceof MapValue) return container.find(item) !== undefined;
  if (!(container instanceof ListValue)) throw noSuchOverload();
  let failure: unknown;
  for (let index = 0; index < container.size; index++) {
    try {
      if (equal(container.at(index), item)) return true;
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return false;
}

function size(value: Value): bigint {
  const found = value instanceof OpaqueValue ? undefined : sizeOf(value);
  if (found === undefined) throw new CelError("no such overload: size");
  return BigInt(found);
}

/** `matches`, also of values whose type is known only now. */
function matches(text: Value, pattern: Value): boolean {
  if (typeof text !== "string") throw new CelError("no such overload: matches");
  if (typeof pattern !== "string") throw noSuchOverload();
  return compilePattern(pattern).test(text);
}

function onText(test: (text: string, other: string) => boolean): (text: Value, other: Value) => boolean {
  return (text, other) => {
    if (typeof text !== "string" || typeof other !== "string") throw noSuchOverload();
    return test(text, other);
  };
}

const ARITHMETIC: Record<string, { run: (left: Value, right: Value) => Value; types: string }> = {
  "_+_": {
    run: add,
    types: "bytes double duration+duration=duration duration+timestamp=timestamp timestamp+duration=timestamp int " +
      "list(A) string uint",
  },
  "_/_": { run: divide, types: "double int uint" },
  "_%_": { run: modulo, types: "int uint" },
  "_*_": { run: multiply, types: "double int uint" },
  "_-_": {
    run: subtract,
    types: "double duration+duration=duration int timestamp+duration=timestamp timestamp+timestamp=duration uint",
  },
};

const RELATIONS: [name: string, word: string, holds: (order: number) => boolean][] = [
  ["_<_", "less", (order) => order < 0],
  ["_<=_", "less_equals", (order) => order <= 0],
  ["_>_", "greater", (order) => order > 0],
  ["_>=_", "greater_equals", (order) => order >= 0],
];

const ORDERED_TYPES = "bool int int+double int+uint uint uint+double uint+int double double+int double+uint string " +
  "bytes timestamp duration";
const COMPARISONS = ORDERED_TYPES.split(" ").map((types) => `${types}=bool`).join(" ");

/** `int`, `a+b` and `a+b=c` become the signatures of a binary operator. */
function binary(name: string, word: string, types: string, run: Overload["run"]): Declaration[] {
  return types.split(" ").map((each): Declaration => {
    const [operands, given] = each.split("=") as [string, string?];
    const [left, right = left] = operands.split("+") as [string, string?];
    const id = `${word}_${operands.replace("(A)", "")}`;
    return [id, `${name}(${left}, ${right}): ${given ?? left}`, run];
  });
}

function operators(): Declaration[] {
  const words: Record<string, string> = { "_+_": "add", "_/_": "divide", "_%_": "modulo", "_*_": "multiply" };
  return [
    ["logical_not", "!_(bool): bool", not],
    ["not_strictly_false", "@not_strictly_false(bool): bool", not],
    ["logical_and", "_&&_(bool, bool): bool", not],
    ["logical_or", "_||_(bool, bool): bool", not],
    ["conditional", "_?_:_(bool, A, A): A", not],
    ["equals", "_==_(A, A): bool", equal],
    ["not_equals", "_!=_(A, A): bool", (left, right) => !equal(left, right)],
    ...Object.entries(ARITHMETIC).flatMap(([name, { run, types }]) =>
      binary(name, words[name] ?? "subtract", types, run)
    ),
    ...RELATIONS.flatMap(([name, word, holds]) => binary(name, word, COMPARISONS, ordered(name, holds))),
    ["negate_double", "-_(double): double", negate],
    ["negate_int64", "-_(int): int", negate],
    ["index_list", "_[_](list(A), int): A", not],
    ["index_map", "_[_](map(A, B), A): B", not],
    ["in_list", "@in(A, list(A)): bool", contains],
    ["in_map", "@in(A, map(A, B)): bool", contains],
    ...["bytes", "list(A)", "map(A, B)", "string"].flatMap((type): Declaration[] => {
      const word = type.split("(")[0];
      return [[`size_${word}`, `size(${type}): int`, size], [`${word}_size`, `${type}#size(): int`, size]];
    }),
    ["matches", "matches(string, string): bool", matches],
    ["matches_string", "string#matches(string): bool", matches],
    ["contains_string", "string#contains(string): bool", onText((text, other) => text.includes(other))],
    ["ends_with_string", "string#endsWith(string): bool", onText((text, other) => text.endsWith(other))],
    ["starts_with_string", "string#startsWith(string): bool", onText((text, other) => text.startsWith(other))],
    ["type", "type(A): type(A)", (value: Value) => new TypeValue(typeName(value))],
    ["to_dyn", "dyn(A): dyn", (value: Value) => value],
  ];
}

function failed(from: string, to: string): CelError {
  return new CelError(`type conversion error from '${from}' to '${to}'`);
}

function orFail<T>(value: T | undefined, to: string): T {
  if (value === undefined) throw failed("string", to);
  return value;
}

function doubleToInt(value: number): bigint {
  if (!Number.isFinite(value) || value <= -(2 ** 63) || value >= 2 ** 63) throw new CelError("integer overflow");
  return BigInt(Math.trunc(value));
}

function doubleToUint(value: number): Uint {
  if (!Number.isFinite(value) || value < 0 || value >= 2 ** 64) throw new CelError("unsigned integer overflow");
  return new Uint(BigInt(Math.trunc(value)));
}

function textToInt(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw failed("string", "int");
  const value = BigInt(text.replace(/^\+/, ""));
  if (value > INT_MAX || value < INT_MIN) throw failed("string", "int");
  return value;
}

function textToUint(text: string): Uint {
  if (!/^\d+$/.test(text) || BigInt(text) > UINT_MAX) throw failed("string", "uint");
  return new Uint(BigInt(text));
}

/** As Go's ParseFloat reads decimals. */
function textToDouble(text: string): number {
  if (/^[+-]?(?:inf|infinity)$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return NaN;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) throw failed("string", "double");
  const value = Number(text);
  if (!Number.isFinite(value)) throw failed("string", "double");
  return value;
}

const TRUE = ["1", "t", "T", "true", "TRUE", "True"], FALSE = ["0", "f", "F", "false", "FALSE", "False"];

function textToBool(text: string): boolean {
  if (TRUE.includes(text)) return true;
  if (FALSE.includes(text)) return false;
  throw failed("string", "bool");
}

function bytesToText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CelError("invalid UTF-8 in bytes, cannot convert to string");
  }
}

export function formatDuration(duration: Duration): string {
  return `${plainDecimal(Number(duration.nanos / 1_000_000_000n) + Number(duration.nanos % 1_000_000_000n) / 1e9)}s`;
}

const same = (value: Value) => value;

const CONVERSIONS: Declaration[] = [
  ["bool_to_bool", "bool(bool): bool", same],
  ["string_to_bool", "bool(string): bool", textToBool],
  ["bytes_to_bytes", "bytes(bytes): bytes", same],
  ["string_to_bytes", "bytes(string): bytes", (text: string) => new TextEncoder().encode(text)],
  ["double_to_double", "double(double): double", same],
  ["int64_to_double", "double(int): double", (value: bigint) => Number(value)],
  ["string_to_double", "double(string): double", textToDouble],
  ["uint64_to_double", "double(uint): double", ({ value }: Uint) => Number(value)],
  ["duration_to_duration", "duration(duration): duration", same],
  [
    "string_to_duration",
    "duration(string): duration",
    (text: string) => orFail(parseDuration(text), "google.protobuf.Duration"),
  ],
  ["int64_to_int64", "int(int): int", same],
  ["double_to_int64", "int(double): int", doubleToInt],
  ["duration_to_int64", "int(duration): int", ({ nanos }: Duration) => nanos],
  ["string_to_int64", "int(string): int", textToInt],
  ["timestamp_to_int64", "int(timestamp): int", unixSeconds],
  ["uint64_to_int64", "int(uint): int", ({ value }: Uint) => checkedInt(value)],
  ["string_to_string", "string(string): string", same],
  ["bool_to_string", "string(bool): string", String],
  ["bytes_to_string", "string(bytes): string", bytesToText],
  ["double_to_string", "string(double): string", formatDouble],
  ["duration_to_string", "string(duration): string", formatDuration],
  ["int64_to_string", "string(int): string", String],
  ["timestamp_to_string", "string(timestamp): string", formatTimestamp],
  ["uint64_to_string", "string(uint): string", ({ value }: Uint) => String(value)],
  ["timestamp_to_timestamp", "timestamp(timestamp): timestamp", same],
  ["int64_to_timestamp", "timestamp(int): timestamp", (value: bigint) => checkedTimestamp(value * 1_000_000_000n)],
  [
    "string_to_timestamp",
    "timestamp(string): timestamp",
    (text: string) => orFail(parseTimestamp(text), "google.protobuf.Timestamp"),
  ],
  ["uint64_to_uint64", "uint(uint): uint", same],
  ["double_to_uint64", "uint(double): uint", doubleToUint],
  ["int64_to_uint64", "uint(int): uint", checkedUint],
  ["string_to_uint64", "uint(string): uint", textToUint],
];

const PARTS: [name: string, part: Exclude<keyof ReturnType<typeof partsOf>, never>, add?: number][] = [
  ["getFullYear", "year"],
  ["getMonth", "month"],
  ["getDayOfYear", "dayOfYear"],
  ["getDayOfMonth", "day", -1],
  ["getDate", "day"],
  ["getDayOfWeek", "weekday"],
  ["getHours", "hour"],
  ["getMinutes", "minute"],
  ["getSeconds", "second"],
  ["getMilliseconds", "millisecond"],
];

const DURATION_UNITS: Record<string, bigint> = {
  getHours: 3_600_000_000_000n,
  getMinutes: 60_000_000_000n,
  getSeconds: 1_000_000_000n,
};

function timeGetters(): Declaration[] {
  return PARTS.flatMap(([name, part, plus = 0]): Declaration[] => {
    const read = (time: Timestamp, zone?: string) => BigInt(partsOf(time, zone)[part] + plus);
    return [
      [`timestamp_${name}`, `timestamp#${name}(): int`, (time: Timestamp) => read(time)],
      [`timestamp_${name}_tz`, `timestamp#${name}(string): int`, read],
    ];
  });
}

function durationGetters(): Declaration[] {
  return [
    ...Object.entries(DURATION_UNITS).map(([name, unit]): Declaration => [
      `duration_${name}`,
      `duration#${name}(): int`,
      ({ nanos }: Duration) => nanos / unit,
    ]),
    [
      "duration_getMilliseconds",
      "duration#getMilliseconds(): int",
      ({ nanos }: Duration) => nanos / 1_000_000n,
    ],
  ];
}

export function declareStandard(table: Map<string, Overload[]>): void {
  declare(table, operators(), true);
  declare(table, CONVERSIONS);
  declare(table, timeGetters());
  declare(table, durationGetters());
}
