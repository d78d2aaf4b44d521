import { formatDuration } from "../../base/mod.ts";
import { serverVersion } from "../../client/mod.ts";
import { type Check, type CheckContext, type Finding, ok, problem, warning } from "./check.ts";

/** Rules (CEL) in CRDs are stable since then, and every kind may have some. */
const MINOR_MIN = 29;
/** A `Date` header has whole seconds, and an answer takes its time: less says nothing. */
const SKEW_MS_NOTICED = 5_000;
/** From here on tokens and certificates that were just made may not be valid yet. */
const SKEW_MS_MAX = 60_000;

/** Which server answers. */
export const serverCheck: Check = {
  name: "server",
  async look({ client, server, signal }) {
    const { gitVersion, major, minor } = await serverVersion(client, signal);
    const says = `Kubernetes ${gitVersion} at ${server}`;
    const tooOld = major < 1 || (major === 1 && minor < MINOR_MIN);
    return [tooOld ? warning(`${says} is older than 1.${MINOR_MIN}`, "update the cluster") : ok(says)];
  },
};

/** Whether server and this machine agree on the time. */
export const clockCheck: Check = {
  name: "clock",
  async look(examination) {
    const skewMs = await clockSkewMs(examination);
    if (skewMs === undefined) return [ok("the server does not tell its time")];
    return [judgeSkew(skewMs)];
  },
};

/**
 * How far the server's clock is ahead of this machine's; undefined where the server does not say. Exact to about a
 * second.
 */
export async function clockSkewMs(
  { transport, clock, signal }: Pick<CheckContext, "transport" | "clock" | "signal">,
): Promise<number | undefined> {
  const beforeMs = clock.now(), response = await transport.fetch("/version", { signal });
  await response.body?.cancel();
  const dateMs = Date.parse(response.headers.get("date") ?? "");
  // The header leaves the fraction of a second out.
  return Number.isNaN(dateMs) ? undefined : dateMs + 500 - (beforeMs + clock.now()) / 2;
}

/** What time it is for the server, as far as it tells. */
export async function serverTimeMs(examination: CheckContext): Promise<number> {
  return examination.clock.now() + (await clockSkewMs(examination) ?? 0);
}

/** What a difference of clocks means. */
export function judgeSkew(skewMs: number): Finding {
  const farMs = Math.abs(skewMs);
  if (farMs < SKEW_MS_NOTICED) return ok("the server's clock and this machine's agree");
  const says = `the server's clock is ${formatDuration(farMs)} ${skewMs > 0 ? "ahead of" : "behind"} this machine's`;
  const fix = "synchronise both clocks (chronyc tracking, timedatectl status): times in reports and leases mislead";
  if (farMs < SKEW_MS_MAX) return warning(says, fix);
  return problem(`${says}: tokens and certificates may count as expired, or as not valid yet`, fix);
}
