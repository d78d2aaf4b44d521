import { type Clock, describeError, type Mask } from "../base/mod.ts";
import { runWithTimeout } from "../handling/mod.ts";
import type { HealthCheck } from "./health_server.ts";

/** Results are reused for so long: kubelets and dashboards probe more often than a database should be queried. */
const CACHE_MS = 10_000;
/** A kubelet waits a second and probes again; pending probes must not pile up. */
const PROBE_TIMEOUT_MS = 5_000;

export interface Probe {
  /** Its name in `/readyz?verbose` and `/livez?verbose`. */
  readonly id: string;
  readonly check: (signal: AbortSignal) => Promise<unknown> | unknown;
}

/** Run at most once in ten seconds, with a timeout of five seconds. */
export function probeChecks(probes: readonly Probe[], clock: Clock): HealthCheck[] {
  return probes.map(({ id, check: probe }) => {
    let result: Promise<string | undefined> | undefined, startedMs = 0;
    const check = () => {
      const elapsedMs = clock.elapsed();
      if (result && elapsedMs - startedMs < CACHE_MS) return result;
      startedMs = elapsedMs;
      return result = runWithTimeout(clock, PROBE_TIMEOUT_MS, new AbortController().signal, probe)
        .then(() => undefined, describeError);
    };
    return { name: id, check };
  });
}

/** Masks values of Secrets in results: any client of the port reads them. */
export function maskedChecks(checks: readonly HealthCheck[], mask: Mask): HealthCheck[] {
  return checks.map(({ name, check }) => ({
    name,
    check: async () => {
      const problem = await check();
      return problem && mask.text(problem);
    },
  }));
}
