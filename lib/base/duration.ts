/** Milliseconds, or a text such as `500ms`, `30s`, `10m`, `1h30m`, `7d`; at compile time at most two parts. */
export type Duration =
  | number
  | `${number}${"ms" | "s" | "m" | "h" | "d"}`
  | `${number}${"s" | "m" | "h" | "d"}${number}${"ms" | "s" | "m" | "h"}`;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/y;

/**
 * Milliseconds of a {@linkcode Duration} or untrusted text. A plain number is milliseconds.
 *
 * @throws {RangeError} for a negative, infinite or unreadable duration; the message quotes it.
 * @example
 * ```ts
 * import { durationMs } from "@pintle/pintle/client";
 * if (durationMs("1h30m") !== 5_400_000) throw new Error("ninety minutes");
 * ```
 */
export function durationMs(duration: Duration | string): number {
  if (typeof duration === "number") {
    if (!Number.isFinite(duration) || duration < 0) {
      throw new RangeError(`${duration} is not a duration in milliseconds`);
    }
    return duration;
  }
  if (typeof duration !== "string") {
    throw new RangeError(`${duration} is not a duration: write it like 500ms, 30s, 10m, 1h30m`);
  }
  let totalMs = 0;
  PART.lastIndex = 0;
  while (PART.lastIndex < duration.length) {
    const part = PART.exec(duration);
    if (!part) throw new RangeError(`"${duration}" is not a duration: write it like 500ms, 30s, 10m, 1h30m`);
    totalMs += Number(part[1]) * UNIT_MS[part[2]!]!;
  }
  if (duration === "" || !Number.isFinite(totalMs)) {
    throw new RangeError(`"${duration}" is not a duration: write it like 500ms, 30s, 10m, 1h30m`);
  }
  return totalMs;
}

/** For people, as kubectl prints ages: `850ms`, `12.3s`, `4m10s`, `2h5m`, `3d4h`. */
export function formatDuration(milliseconds: number): string {
  const ms = Math.max(0, Math.floor(milliseconds)); // rounding up would make 60s of 59.99s
  if (ms < 1_000) return `${ms}ms`;
  if (ms < 60_000) return `${Math.floor(ms / 100) / 10}s`;
  const pair = (large: number, largeUnit: string, small: number, smallUnit: string) =>
    `${large}${largeUnit}${small ? `${small}${smallUnit}` : ""}`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return pair(minutes, "m", Math.floor(ms / 1_000) % 60, "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return pair(hours, "h", minutes % 60, "m");
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}
