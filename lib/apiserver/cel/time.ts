import { CelError, Duration, Timestamp } from "./value.ts";

const SECOND = 1_000_000_000n;
const INT64_MAX = 2n ** 63n - 1n;
/** The years 1 to 9999. */
const UNIX_MIN = -62_135_596_800n, UNIX_MAX = 253_402_300_799n;

const UNITS: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  "µs": 1_000n,
  "μs": 1_000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3_600n * SECOND,
};

/** As Go's `time.ParseDuration`; undefined if it fails. */
export function parseDuration(text: string): Duration | undefined {
  const negative = text.startsWith("-"), rest = text.replace(/^[-+]/, "");
  if (rest === "0") return new Duration(0n);
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined;
  let nanos = 0n;
  for (const [, whole = "", fraction = "", unit] of rest.matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const scale = UNITS[unit!]!;
    nanos += BigInt(whole || "0") * scale;
    if (fraction !== "") nanos += BigInt(fraction) * scale / 10n ** BigInt(fraction.length);
  }
  if (nanos > (negative ? INT64_MAX + 1n : INT64_MAX)) return undefined;
  return new Duration(negative ? -nanos : nanos);
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** RFC 3339; undefined if it is none. Throws for years that CEL does not know. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as number[];
  const offset = match[8] ? (match[8] === "-" ? -1 : 1) * (Number(match[9]) * 60 + Number(match[10])) : 0;
  if (month! < 1 || month! > 12 || hour! > 23 || minute! > 59 || second! > 59) return undefined;
  if (match[8] && (Number(match[9]) > 24 || Number(match[10]) > 60)) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year!, month! - 1, day);
  if (date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day) return undefined;
  const seconds = BigInt(date.getTime() / 1_000) + BigInt(hour! * 3_600 + (minute! - offset) * 60 + second!);
  const fraction = BigInt((match[7] ?? "").slice(0, 9).padEnd(9, "0"));
  return checkedTimestamp(seconds * SECOND + fraction);
}

/** @throws {CelError} */
export function checkedTimestamp(nanos: bigint): Timestamp {
  const seconds = floorDivide(nanos, SECOND);
  if (seconds < UNIX_MIN || seconds > UNIX_MAX) throw new CelError("timestamp overflow");
  return new Timestamp(nanos);
}

/** @throws {CelError} */
export function checkedDuration(nanos: bigint): Duration {
  if (nanos > INT64_MAX || nanos < -INT64_MAX - 1n) throw new CelError("integer overflow");
  return new Duration(nanos);
}

function floorDivide(left: bigint, right: bigint): bigint {
  const quotient = left / right;
  return left % right !== 0n && (left < 0n) !== (right < 0n) ? quotient - 1n : quotient;
}

export function unixSeconds(time: Timestamp): bigint {
  return floorDivide(time.nanos, SECOND);
}

/** As Go's RFC3339Nano in UTC. */
export function formatTimestamp(time: Timestamp): string {
  const seconds = unixSeconds(time), nanos = time.nanos - seconds * SECOND;
  const text = new Date(Number(seconds) * 1_000).toISOString().replace(/\.\d+Z$/, "").replace(/^[+-]?0*(\d{4})/, "$1");
  const fraction = nanos === 0n ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
  return `${text}${fraction}Z`;
}

interface Parts {
  readonly year: number;
  /** From 0. */
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly dayOfYear: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

/** @throws {CelError} for an unknown zone. */
export function partsOf(time: Timestamp, zone = "UTC"): Parts {
  const millis = Number(floorDivide(time.nanos, 1_000_000n));
  const date = new Date(millis + offsetMinutes(millis, zone) * 60_000);
  const year = date.getUTCFullYear();
  const start = new Date(0);
  start.setUTCFullYear(year, 0, 1);
  return {
    year,
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    dayOfYear: Math.floor((date.getTime() - start.getTime()) / 86_400_000),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  };
}

function offsetMinutes(millis: number, zone: string): number {
  const colon = zone.indexOf(":");
  if (colon < 0) return zone === "" || zone === "UTC" ? 0 : namedOffset(millis, zone);
  const hours = goInteger(zone.slice(0, colon)), minutes = goInteger(zone.slice(colon + 1));
  return zone.startsWith("-") ? hours * 60 - minutes : hours * 60 + minutes;
}

function goInteger(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new CelError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function namedOffset(millis: number, zone: string): number {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  } catch (error) {
    if (error instanceof RangeError) throw new CelError(`unknown time zone ${zone}`);
    throw error;
  }
  const name = format.formatToParts(new Date(millis)).find((part) => part.type === "timeZoneName")?.value ?? "GMT";
  const match = /GMT([+-])(\d\d):(\d\d)/.exec(name);
  return match ? (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) : 0;
}
