import { formatDuration } from "../../base/mod.ts";
import { serverVersion } from "../../client/mod.ts";
import { type Check, type CheckContext, type Finding, ok, problem, warning } from "./check.ts";

/** CRD rules (CEL) are stable since then, and every kind may have some. */
const MINOR_MIN = 29;
/** A `Date` header has whole seconds and arrives late, so smaller differences are ignored. */
const SKEW_MS_NOTICED = 5_000;
/** From here on new tokens and certificates may not be valid yet. */
const SKEW_MS_MAX = 60_000;

export const serverCheck: Check = {
  name: "server",
  async run({ client, server, signal }) {
    const { gitVersion, major, minor } = await serverVersion(client, signal);
    const message = `Kubernetes ${gitVersion} at ${server}`;
    const tooOld = major < 1 || (major === 1 && minor < MINOR_MIN);
    return [tooOld ? warning(`${message} is older than 1.${MINOR_MIN}`, "update the cluster") : ok(message)];
  },
};

export const clockCheck: Check = {
  name: "clock",
  async run(context) {
    const skewMs = await clockSkewMs(context);
    if (skewMs === undefined) return [ok("the server's response has no time")];
    return [skewFinding(skewMs)];
  },
};

/** Milliseconds that the server's clock is ahead, exact to about a second; undefined without a `Date`. */
export async function clockSkewMs(
  { transport, clock, signal }: Pick<CheckContext, "transport" | "clock" | "signal">,
): Promise<number | undefined> {
  const beforeMs = clock.now(), response = await transport.fetch("/version", { signal });
  await response.body?.cancel();
  const dateMs = Date.parse(response.headers.get("date") ?? "");
  // The header omits the fraction of a second.
  return Number.isNaN(dateMs) ? undefined : dateMs + 500 - (beforeMs + clock.now()) / 2;
}

/** The server's time; this machine's if the server sends none. */
export async function serverTimeMs(context: CheckContext): Promise<number> {
  return context.clock.now() + (await clockSkewMs(context) ?? 0);
}

export function skewFinding(skewMs: number): Finding {
  const farMs = Math.abs(skewMs);
  if (farMs < SKEW_MS_NOTICED) return ok("the server's clock and this machine's agree");
  const message = `the server's clock is ${formatDuration(farMs)} ${skewMs > 0 ? "ahead of" : "behind"} this machine's`;
  const fix = "synchronise both clocks (chronyc tracking, timedatectl status): times in reports and Leases are wrong";
  if (farMs < SKEW_MS_MAX) return warning(message, fix);
  return problem(`${message}: tokens and certificates may count as expired, or as not valid yet`, fix);
}
