import { type Duration, durationMs, UsageError } from "../base/mod.ts";

/** @throws {UsageError} naming the option with an invalid duration, which only untyped programs can pass. */
export function requireDurations(what: string, durations: Readonly<Record<string, unknown>>): void {
  for (const [option, value] of Object.entries(durations)) {
    if (value === undefined) continue;
    try {
      durationMs(value as Duration);
    } catch (cause) {
      const { message } = cause as Error;
      throw new UsageError(`${option} of ${what}: ${message}`, undefined, { cause });
    }
  }
}
