import { compareQuantities, parseQuantity, type Quantity as ParsedQuantity } from "../../apimachinery/mod.ts";
import { type Declaration, declare, type Overload } from "./functions.ts";
import { CelError, noSuchOverload, OpaqueValue, type Value } from "./value.ts";

const UNIT = 1_000_000_000n;
const INT_MAX = 2n ** 63n - 1n;

const SYNTAX = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

class Quantity extends OpaqueValue {
  readonly typeName = "kubernetes.Quantity";
  readonly parsed: ParsedQuantity;

  constructor(parsed: ParsedQuantity) {
    super();
    this.parsed = parsed;
  }

  equals(other: Value): boolean {
    if (!(other instanceof Quantity)) throw noSuchOverload();
    return compareQuantities(this.parsed, other.parsed) === 0;
  }
}

function parse(text: string): Quantity {
  const parsed = parseQuantity(text);
  if (parsed) return new Quantity(parsed);
  const match = /^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$/.exec(text);
  const suffix = match && !/\..*\./.test(match[1]!) && /\d/.test(match[1]!);
  throw new CelError(
    suffix ? "unable to parse quantity's suffix" : match ? "unable to parse numeric part of quantity" : SYNTAX,
  );
}

function whole({ parsed }: Quantity): bigint | undefined {
  if (parsed.nanos % UNIT !== 0n) return undefined;
  const value = parsed.nanos / UNIT;
  return value > INT_MAX || value < -INT_MAX - 1n ? undefined : value;
}

function asInteger(quantity: Quantity): bigint {
  const value = whole(quantity);
  if (value === undefined) throw new CelError("cannot convert value to integer");
  return value;
}

const order = (left: Quantity, right: Quantity) => compareQuantities(left.parsed, right.parsed);
const plus = (left: Quantity, nanos: bigint) => new Quantity({ nanos: left.parsed.nanos + nanos });

const DECLARATIONS: Declaration[] = [
  ["string_to_quantity", "quantity(string): Quantity", parse],
  ["is_quantity_string", "isQuantity(string): bool", (text: string) => parseQuantity(text) !== undefined],
  [
    "quantity_sign",
    "sign(Quantity): int",
    ({ parsed }: Quantity) => parsed.nanos > 0n ? 1n : parsed.nanos < 0n ? -1n : 0n,
  ],
  [
    "quantity_is_greater_than",
    "Quantity#isGreaterThan(Quantity): bool",
    (left: Quantity, right: Quantity) => order(left, right) > 0,
  ],
  [
    "quantity_is_less_than",
    "Quantity#isLessThan(Quantity): bool",
    (left: Quantity, right: Quantity) => order(left, right) < 0,
  ],
  [
    "quantity_compare_to",
    "Quantity#compareTo(Quantity): int",
    (left: Quantity, right: Quantity) => BigInt(order(left, right)),
  ],
  ["quantity_get_float", "Quantity#asApproximateFloat(): double", ({ parsed }: Quantity) => Number(parsed.nanos) / 1e9],
  ["quantity_get_int", "Quantity#asInteger(): int", asInteger],
  ["quantity_is_integer", "Quantity#isInteger(): bool", (quantity: Quantity) => whole(quantity) !== undefined],
  [
    "quantity_add",
    "Quantity#add(Quantity): Quantity",
    (left: Quantity, right: Quantity) => plus(left, right.parsed.nanos),
  ],
  ["quantity_add_int", "Quantity#add(int): Quantity", (left: Quantity, right: bigint) => plus(left, right * UNIT)],
  [
    "quantity_sub",
    "Quantity#sub(Quantity): Quantity",
    (left: Quantity, right: Quantity) => plus(left, -(right.parsed.nanos)),
  ],
  ["quantity_sub_int", "Quantity#sub(int): Quantity", (left: Quantity, right: bigint) => plus(left, -right * UNIT)],
];

export function declareQuantities(table: Map<string, Overload[]>): void {
  declare(table, DECLARATIONS);
}
