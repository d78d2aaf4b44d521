/** A parsed `resource.Quantity`, in billionths, the smallest step of Kubernetes. */
export interface Quantity {
  readonly nanos: bigint;
}

const SYNTAX = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([eE][+-]?\d{1,4})|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?$/;
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** A larger power of ten would cost memory. */
const EXPONENT_MAX = 60;

/**
 * Reads a quantity such as `250m`, `1.5Gi`, `1e3` (k8s.io/apimachinery resource.Quantity). Fractions below a billionth
 * round away from zero, as in Kubernetes. Undefined for other text.
 *
 * @example
 * ```ts
 * import { parseQuantity } from "./quantity.ts";
 * if (parseQuantity("1")?.nanos !== parseQuantity("1000m")?.nanos) throw new Error("equal values");
 * ```
 */
export function parseQuantity(text: string | number): Quantity | undefined {
  const match = SYNTAX.exec(String(text));
  if (!match) return undefined;
  const [, sign, digits = "", exponent, suffix] = match;
  const [whole = "", fraction = ""] = digits.split(".");
  let mantissa = BigInt(`${whole}${fraction}` || "0");
  let power = 9 - fraction.length;
  if (exponent) power += Number(exponent.slice(1));
  else if (suffix && Object.hasOwn(DECIMAL, suffix)) power += DECIMAL[suffix]!;
  else if (suffix) mantissa *= 1024n ** BigInt(BINARY.indexOf(suffix) + 1);
  if (Math.abs(power) > EXPONENT_MAX) return undefined;
  const nanos = power >= 0 ? mantissa * 10n ** BigInt(power) : divideUp(mantissa, 10n ** BigInt(-power));
  return { nanos: sign === "-" ? -nanos : nanos };
}

/** Negative, zero or positive, as a comparator. */
export function compareQuantities(left: Quantity, right: Quantity): number {
  return left.nanos < right.nanos ? -1 : left.nanos > right.nanos ? 1 : 0;
}

/** False where either is not a quantity. */
export function quantityEqual(left: unknown, right: unknown): boolean {
  if (!isText(left) || !isText(right)) return false;
  const a = parseQuantity(left), b = parseQuantity(right);
  return a !== undefined && b !== undefined && a.nanos === b.nanos;
}

/**
 * The form that built-in kinds store: no fraction, the largest suffix of its family (binary, decimal or exponent).
 * Undefined for other text.
 */
export function canonicalQuantity(text: string | number): string | undefined {
  const parsed = parseQuantity(text), match = SYNTAX.exec(String(text));
  if (!parsed || !match) return undefined;
  if (parsed.nanos === 0n) return "0";
  const whole = parsed.nanos % 1_000_000_000n === 0n ? parsed.nanos / 1_000_000_000n : undefined;
  const magnitude = whole === undefined ? 0n : whole < 0n ? -whole : whole;
  if (match[4]?.endsWith("i") && whole !== undefined && magnitude >= 1024n) {
    let power = 0, rest = whole;
    while (power < BINARY.length && rest % 1024n === 0n) (rest /= 1024n), power++;
    return `${rest}${power ? BINARY[power - 1] : ""}`;
  }
  let exponent = -9, rest = parsed.nanos;
  while (exponent < 18 && rest % 1000n === 0n) (rest /= 1000n), (exponent += 3);
  if (match[3]) return exponent === 0 ? `${rest}` : `${rest}e${exponent}`;
  return `${rest}${Object.keys(DECIMAL).find((suffix) => DECIMAL[suffix] === exponent) ?? ""}`;
}

function isText(value: unknown): value is string | number {
  return typeof value === "string" || typeof value === "number";
}

function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}
