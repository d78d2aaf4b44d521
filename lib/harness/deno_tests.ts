import { type Clock, SystemClock } from "../base/mod.ts";
import type { ClusterSource } from "./cluster.ts";
import { logLine } from "./report_lines.ts";
import { rbacFailures } from "./rbac_report.ts";
import type { ScenarioResult } from "./result.ts";
import { planRun, runScenarios } from "./runner.ts";
import type { Suite } from "./suite.ts";

/** Options of {@linkcode denoTests}. */
export interface DenoTestsOptions {
  /** Each test's cluster; called when the test runs. */
  readonly source: () => ClusterSource | Promise<ClusterSource>;
  /** The system clock if absent. */
  readonly clock?: Clock;
  /** Bound of each expectation; a minute if absent, because a real garbage collector discovers new kinds every 30 s. */
  readonly waitMsMax?: number;
  /** Registers one more test: the scenarios use what the operator declares, and its rules allow all requests. */
  readonly rbac?: true;
  /** Seed of the operator's randomness; 1 if absent. */
  readonly seed?: number;
}

/** The part of `Deno.test` that is used. */
export type RegisterTest = (test: { name: string; fn: () => Promise<void>; ignore?: boolean }) => void;

let runs = 0;

/**
 * Registers each scenario of a suite as one test.
 *
 * @example
 * ```ts no-run
 * import { denoTests, EmbeddedSource, Suite } from "@pintle/pintle/testing";
 * import { Operator } from "@pintle/pintle";
 * const suite = new Suite("widgets", () => new Operator("widgets"));
 * denoTests(Deno.test, suite, { source: () => new EmbeddedSource() });
 * ```
 */
export function denoTests(register: RegisterTest, suite: Suite, options: DenoTestsOptions): void {
  const { clock = new SystemClock(), waitMsMax = 60_000, seed = 1 } = options;
  const ended: ScenarioResult[] = [], plan = planRun([suite]);
  for (const planned of plan) {
    register({
      name: `${suite.name}: ${planned.scenario.name}`,
      fn: async () => {
        const result = await runScenarios([planned], {
          source: await options.source(),
          clock,
          waitMsMax,
          seed,
          parallelMax: 1,
          moreFollow: true,
          runId: `t${runs++}-${clock.now().toString(36)}`,
          signal: new AbortController().signal,
        });
        const { outcome, logs = [] } = result.scenarios[0]!;
        ended.push(...result.scenarios);
        if (result.failures.length > 0) throw new Error(result.failures.join("\n"));
        if (outcome.kind === "passed" || outcome.kind === "skipped") return;
        const lastLogs = logs.slice(-15).map(logLine);
        const why = outcome.kind === "failed" ? outcome.message : outcome.kind;
        throw new Error([why, ...lastLogs].join("\n"));
      },
    });
  }
  if (!options.rbac) return;
  register({
    name: `${suite.name}: the RBAC rules are used, and suffice`,
    fn: () => {
      // A filter may leave scenarios out.
      const failures = ended.length < plan.length ? [] : rbacFailures(ended);
      return failures.length > 0 ? Promise.reject(new Error(failures.join("\n"))) : Promise.resolve();
    },
  });
}
