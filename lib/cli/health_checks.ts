import { type Clock, describeError, formatDuration, type Transport } from "../base/mod.ts";
import { formatGroupResource } from "../apimachinery/mod.ts";
import type { RunningOperator } from "../operator/mod.ts";

/** A check of this process's own: it knows at once. */
interface OwnCheck {
  readonly name: string;
  readonly check: () => string | undefined;
}

/** A handler is cut off at its timeout; a pass that lives so much longer means that this process is broken. */
const CYCLE_MS_MORE = 60_000;

/** What speaks for a restart. A cluster that does not answer never does: the next process would fare no better. */
export function liveness(running: () => RunningOperator | undefined, clock: Clock, timeoutMs: number): OwnCheck[] {
  const check = () => {
    const oldestMs = Math.min(...(running()?.kinds ?? []).flatMap(({ workingSinceMs }) => workingSinceMs));
    const ageMs = clock.elapsed() - oldestMs;
    return ageMs > 2 * timeoutMs + CYCLE_MS_MORE
      ? `a reconcile has been running for ${formatDuration(ageMs)}`
      : undefined;
  };
  return [{ name: "workers", check }];
}

/** Whether webhooks answer: a pod that is ready gets their calls. */
export function webhookReadiness(webhooks: () => { readonly problem: string | undefined } | undefined): OwnCheck {
  const check = () => {
    const served = webhooks();
    return served ? served.problem : "they are not served yet";
  };
  return { name: "webhooks", check };
}

/**
 * What speaks against work: the operator neither runs nor stands by (its declared watches are listed before it does
 * either), the API server refuses its credentials (watches that are open go on all the same), or a watch is silent. A
 * replica that stands by is ready: it could lead at once, and a rollout waits for it.
 *
 * Where objects are converted none of these keeps calls away: what its stores and watches wait for may be a conversion,
 * which nobody but its pods answers.
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
      return `the server has said nothing about ${formatGroupResource(resource)} for ${
        formatDuration(stalenessMs)
      }${why}`;
    }
    return undefined;
  };
  const checks = [{ name: "operator", check: operator }];
  if (converts) return checks;
  checks.push({ name: "watches", check: watches });
  if (transport) checks.push({ name: "authentication", check: () => transport.refused });
  return checks;
}
