import { UsageError } from "../../lib/base/mod.ts";

/** What a fault run is asked for. */
export interface ChaosOptions {
  /** Repeats the operations, the faults and their moments, as far as programs keep time. */
  readonly seed: number;
  /** How long the whole run may take; counts are for {@linkcode MINUTES} and scale with it. */
  readonly minutes: number;
  /** Names of the faults that run; all where absent. */
  readonly only?: readonly string[];
}

/** Minutes in which the full counts are reached. */
export const MINUTES = 20;
const SEED_MAX = 2 ** 32 - 1;

/** How the command is used. */
export function usage(faults: readonly { readonly name: string; readonly what: string }[]): string {
  const width = Math.max(...faults.map(({ name }) => name.length));
  return [
    "usage: deno task chaos [--seed N] [--minutes N] [--only FAULT[,FAULT…]]",
    "",
    "Injects faults into operators on a control plane of KUBEBUILDER_ASSETS and checks what is left after each.",
    "",
    "  --seed N      repeats a run's choices; random where absent",
    `  --minutes N   length of the run; counts scale with it; ${MINUTES} where absent`,
    "  --only FAULT  runs these faults alone:",
    ...faults.map(({ name, what }) => `      ${name.padEnd(width)}  ${what}`),
  ].join("\n");
}

/**
 * Reads the arguments; undefined where they ask for help. `randomSeed` is the seed where none is named.
 *
 * @throws {UsageError} that names the argument.
 */
export function parseOptions(
  args: readonly string[],
  faults: readonly string[],
  randomSeed: number,
): ChaosOptions | undefined {
  let seed = randomSeed, minutes = MINUTES, only: string[] | undefined;
  const rest = args.flatMap((arg) =>
    /^--\w+=/.test(arg) ? [arg.slice(0, arg.indexOf("=")), arg.slice(arg.indexOf("=") + 1)] : [arg]
  );
  while (rest.length > 0) {
    const flag = rest.shift()!;
    if (flag === "--help" || flag === "-h") return undefined;
    const value = rest.shift();
    if (flag === "--seed") seed = numberOf(flag, value, (n) => Number.isInteger(n) && n >= 0 && n <= SEED_MAX);
    else if (flag === "--minutes") minutes = numberOf(flag, value, (n) => n > 0 && n <= 24 * 60);
    else if (flag === "--only") (only ??= []).push(...namesOf(value, faults));
    else throw new UsageError(`there is no option ${flag}`, "use --seed N, --minutes N or --only FAULT");
  }
  return { seed, minutes, ...(only && { only }) };
}

/** A count of the full run in one of `minutes`; at least one. */
export function scaled(full: number, minutes: number): number {
  return Math.max(1, Math.round(full * minutes / MINUTES));
}

function numberOf(flag: string, value: string | undefined, fits: (value: number) => boolean): number {
  const number = value === undefined || value.trim() === "" ? NaN : Number(value);
  if (Number.isNaN(number) || !fits(number)) {
    throw new UsageError(`${flag} cannot be "${value ?? ""}"`, `name a number, as in ${flag} 7`);
  }
  return number;
}

function namesOf(value: string | undefined, faults: readonly string[]): string[] {
  const names = (value ?? "").split(",").filter((name) => name !== "");
  const unknown = names.find((name) => !faults.includes(name));
  if (names.length === 0 || unknown !== undefined) {
    throw new UsageError(`there is no fault "${unknown ?? ""}"`, `there are ${faults.join(", ")}`);
  }
  return names;
}
