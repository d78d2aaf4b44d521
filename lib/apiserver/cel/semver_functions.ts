import { type Declaration, declare, type Overload } from "./functions.ts";
import { CelError, noSuchOverload, OpaqueValue, type Value } from "./value.ts";

const NUMBER_MAX = 2n ** 64n - 1n;

class Semver extends OpaqueValue {
  readonly typeName = "kubernetes.Semver";
  readonly numbers: readonly [major: bigint, minor: bigint, patch: bigint];
  readonly before: readonly (bigint | string)[];

  constructor(numbers: readonly [bigint, bigint, bigint], before: readonly (bigint | string)[]) {
    super();
    this.numbers = numbers;
    this.before = before;
  }

  equals(other: Value): boolean {
    if (!(other instanceof Semver)) throw noSuchOverload();
    return compare(this, other) === 0;
  }
}

/** @throws {CelError} in the words of blang/semver, which Kubernetes uses. */
function parse(text: string): Semver {
  if (text === "") throw new CelError("Version string empty");
  const [major, minor, ...rest] = text.split(".");
  if (minor === undefined || rest.length === 0) throw new CelError("No Major.Minor.Patch elements found");
  const numbers: bigint[] = [parseNumber(major!, "major", "Major"), parseNumber(minor, "minor", "Minor")];
  const [main, ...builds] = rest.join(".").split("+"), [patch, ...releases] = main!.split("-");
  numbers.push(parseNumber(patch!, "patch", "Patch"));
  const before = releases.length === 0 ? [] : releases.join("-").split(".").map(parseRelease);
  for (const part of builds.length === 0 ? [] : builds.join("+").split(".")) {
    if (part === "") throw new CelError("Build meta data is empty");
    if (!/^[0-9A-Za-z-]+$/.test(part)) {
      throw new CelError(`Invalid character(s) found in build meta data ${JSON.stringify(part)}`);
    }
  }
  return new Semver(numbers as unknown as readonly [bigint, bigint, bigint], before);
}

function parseNumber(text: string, name: string, title: string): bigint {
  if (/[^0-9]/.test(text)) {
    throw new CelError(`Invalid character(s) found in ${name} number ${JSON.stringify(text)}`);
  }
  if (/^0./.test(text)) {
    throw new CelError(`${title} number must not contain leading zeroes ${JSON.stringify(text)}`);
  }
  const why = (what: string) => new CelError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: ${what}`);
  if (text === "") throw why("invalid syntax");
  const value = BigInt(text);
  if (value > NUMBER_MAX) throw why("value out of range");
  return value;
}

function parseRelease(text: string): bigint | string {
  if (text === "") throw new CelError("Prerelease is empty");
  if (/^\d+$/.test(text)) {
    if (/^0./.test(text)) {
      throw new CelError(`Numeric PreRelease version must not contain leading zeroes ${JSON.stringify(text)}`);
    }
    return BigInt(text);
  }
  if (/^[0-9A-Za-z-]+$/.test(text)) return text;
  throw new CelError(`Invalid character(s) found in prerelease ${JSON.stringify(text)}`);
}

/** Drops a `v` and leading zeros, and adds missing numbers. */
function normalized(text: string): string {
  const [first = "", second, ...rest] = text.replace(/^v/, "").split(".");
  const parts = [first, ...second === undefined ? [] : [second], ...rest.length === 0 ? [] : [rest.join(".")]]
    .map((part) => part.length > 1 ? part.replace(/^0+/, "").replace(/^(?=\D|$)/, "0") : part);
  if (parts.length < 3 && /[+-]/.test(parts.at(-1)!)) {
    throw new CelError("short version cannot contain PreRelease/Build meta data");
  }
  while (parts.length < 3) parts.push("0");
  return parts.join(".");
}

function read(text: string, normalize = false): Semver {
  return parse(normalize ? normalized(text) : text);
}

function isSemver(text: string, normalize = false): boolean {
  try {
    read(text, normalize);
    return true;
  } catch (error) {
    if (error instanceof CelError) return false;
    throw error;
  }
}

function compare(left: Semver, right: Semver): number {
  for (const [index, number] of left.numbers.entries()) {
    const other = right.numbers[index]!;
    if (number !== other) return number > other ? 1 : -1;
  }
  if (left.before.length === 0 || right.before.length === 0) {
    return Math.sign(right.before.length - left.before.length);
  }
  for (let index = 0; index < Math.min(left.before.length, right.before.length); index++) {
    const order = compareReleases(left.before[index]!, right.before[index]!);
    if (order !== 0) return order;
  }
  return Math.sign(left.before.length - right.before.length);
}

function compareReleases(left: bigint | string, right: bigint | string): number {
  if (typeof left !== typeof right) return typeof left === "bigint" ? -1 : 1;
  return left === right ? 0 : left > right ? 1 : -1;
}

const DECLARATIONS: Declaration[] = [
  ["string_to_semver", "semver(string): Semver", read],
  ["string_bool_to_semver", "semver(string, bool): Semver", read],
  ["is_semver_string", "isSemver(string): bool", isSemver],
  ["is_semver_string_bool", "isSemver(string, bool): bool", isSemver],
  [
    "semver_is_greater_than",
    "Semver#isGreaterThan(Semver): bool",
    (left: Semver, right: Semver) => compare(left, right) > 0,
  ],
  ["semver_is_less_than", "Semver#isLessThan(Semver): bool", (left: Semver, right: Semver) => compare(left, right) < 0],
  ["semver_compare_to", "Semver#compareTo(Semver): int", (left: Semver, right: Semver) => BigInt(compare(left, right))],
  ["semver_major", "Semver#major(): int", ({ numbers }: Semver) => numbers[0]],
  ["semver_minor", "Semver#minor(): int", ({ numbers }: Semver) => numbers[1]],
  ["semver_patch", "Semver#patch(): int", ({ numbers }: Semver) => numbers[2]],
];

export function declareSemver(table: Map<string, Overload[]>): void {
  declare(table, DECLARATIONS);
}
