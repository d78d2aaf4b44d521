import { canonicalQuantity, parseQuantity } from "../../apimachinery/mod.ts";
import { qualifiedNameFaults } from "./names.ts";
import type { Place } from "./place.ts";

/** Amounts of resources, by core's ValidateResourceQuantityValue. */

const CONTAINER_RESOURCES = new Set(["cpu", "memory", "ephemeral-storage"]);
const MILLI = 1_000;

/** How much it is, as a number; 0 for what cannot be read. */
export function amount(at: Place): number {
  const text = canonicalQuantity(String(at.value ?? "0"));
  const match = text === undefined ? null : /^([+-]?[\d.]+(?:e[+-]?\d+)?)([A-Za-z]*)$/.exec(text);
  if (!match) return 0;
  return Number(match[1]) * (FACTORS[match[2]!] ?? 1);
}

const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Not below 0. */
export function quantity(at: Place): void {
  if (amount(at) < 0) at.invalid("must be greater than or equal to 0");
}

/** Limits or requests of a container. */
export function resourceQuantities(at: Place): void {
  for (const name of at.keys) {
    const place = at.key(name);
    for (const fault of containerResourceFaults(name)) place.invalid(fault, name);
    if (parseQuantity(String(place.value)) === undefined) continue;
    quantity(place);
    if (name.includes("/") && !isWhole(place)) place.invalid("must be an integer");
  }
}

function isWhole(at: Place): boolean {
  return Math.round(amount(at) * MILLI) % MILLI === 0;
}

function containerResourceFaults(name: string): string[] {
  const faults = qualifiedNameFaults(name);
  if (faults.length > 0 || name.includes("/")) return faults;
  if (CONTAINER_RESOURCES.has(name) || name.startsWith("hugepages-")) return [];
  return ["must be a standard resource type or fully qualified", "must be a standard resource for containers"];
}
