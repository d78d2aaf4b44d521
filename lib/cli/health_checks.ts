import { type Clock, describeError, formatDuration, type Transport } from "../base/mod.ts";
import { formatGroupResource } from "../apimachinery/mod.ts";
import type { RunningOperator } from "../operator/mod.ts";

/** A check of this process that answers at once. */
interface OwnCheck {
  readonly name: string;
  readonly check: () => string | undefined;
}

/** A pass this much longer than its handlers' timeout shows that this process is broken. */
const PASS_MS_MORE = 60_000;

/** Fails if a restart helps, which it does not while the API server is unreachable. */
export function liveness(running: () => RunningOperator | undefined, clock: Clock, timeoutMs: number): OwnCheck[] {
  const check = () => {
    const oldestMs = Math.min(...(running()?.kinds ?? []).flatMap(({ workingSinceMs }) => workingSinceMs));
    const ageMs = clock.elapsed() - oldestMs;
    return ageMs > 2 * timeoutMs + PASS_MS_MORE
      ? `a reconcile has been running for ${formatDuration(ageMs)}`
      : undefined;
  };
  return [{ name: "workers", check }];
}

/** Whether webhooks answer: a ready pod gets their calls. */
export function webhookReadiness(webhooks: () => { readonly problem: string | undefined } | undefined): OwnCheck {
  const check = () => {
    const served = webhooks();
    return served ? served.problem : "they are not served yet";
  };
  return { name: "webhooks", check };
}

/**
 * Fails if the operator neither runs nor stands by, if the API server refuses its credentials (open watches continue),
 * or if a watch is silent. A standby replica is ready: it could lead at once, and a rollout waits for it.
 *
 * An operator that converts objects is ready earlier: its stores and watches may wait for a conversion by its own pods.
 */
export function readiness(
  running: () => RunningOperator | undefined,
  stalenessMaxMs: number,
  { converts = false, transport }: { readonly converts?: boolean; readonly transport?: Pick<Transport, "refused"> } =
    {},
): OwnCheck[] {
  const working = converts ? ["starting", "running", "standby"] : ["running", "standby"];
  const operator = () => {
    const state = running()?.state ?? "starting";
    return working.includes(state) ? undefined : `it is ${state}`;
  };
  const watches = () => {
    for (const { resource, stalenessMs, lastError } of running()?.watches ?? []) {
      if (stalenessMs <= stalenessMaxMs) continue;
      const why = lastError ? `: ${describeError(lastError)}` : "";
      return `the watch of ${formatGroupResource(resource)} has been silent for ${formatDuration(stalenessMs)}${why}`;
    }
    return undefined;
  };
  const checks = [{ name: "operator", check: operator }];
  if (converts) return checks;
  checks.push({ name: "watches", check: watches });
  if (transport) checks.push({ name: "authentication", check: () => transport.refused });
  return checks;
}
