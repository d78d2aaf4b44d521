/** As k8s.io/apimachinery duration.HumanDuration. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes}m${twoUnits(seconds % 60, "s")}`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return `${hours}h${twoUnits(minutes % 60, "m")}`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return `${days}d${twoUnits(hours % 24, "h")}`;
  if (days < 365 * 2) return `${days}d`;
  const years = Math.floor(days / 365);
  return years < 8 ? `${years}y${twoUnits(days % 365, "d")}` : `${years}y`;
}

function twoUnits(rest: number, unit: string): string {
  return rest === 0 ? "" : `${rest}${unit}`;
}

/** How long ago a time was; `<unknown>` where it is absent. */
export function ageOf(time: unknown, nowMs: number): string {
  if (time === undefined || time === null || time === "") return "<unknown>";
  const atMs = Date.parse(String(time));
  return Number.isNaN(atMs) ? "<invalid>" : humanDuration(nowMs - atMs);
}
