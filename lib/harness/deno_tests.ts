import { type Clock, SystemClock } from "../base/mod.ts";
import type { ClusterSource } from "./cluster.ts";
import { logLine } from "./report_lines.ts";
import { planRun, runScenarios } from "./runner.ts";
import type { Suite } from "./suite.ts";

/** How scenarios become tests. */
export interface DenoTestsOptions {
  /** Which cluster each test gets; called when the test runs. */
  readonly source: () => ClusterSource | Promise<ClusterSource>;
  /** The machine's where absent. */
  readonly clock?: Clock;
  /**
   * Bound of each expectation. A minute where absent: a real garbage collector discovers new kinds every thirty
   * seconds.
   */
  readonly waitMsMax?: number;
  /** Of the operator's randomness; 1 where absent. */
  readonly seed?: number;
}

/** The part of `Deno.test` that is needed. */
export type RegisterTest = (test: { name: string; fn: () => Promise<void>; ignore?: boolean }) => void;

let runs = 0;

/**
 * Registers every scenario of a suite with a test runner, one test each.
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
  for (const planned of planRun([suite])) {
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
        if (result.failures.length > 0) throw new Error(result.failures.join("\n"));
        if (outcome.kind === "passed" || outcome.kind === "skipped") return;
        const lastLogs = logs.slice(-15).map(logLine);
        const why = outcome.kind === "failed" ? outcome.message : outcome.kind;
        throw new Error([why, ...lastLogs].join("\n"));
      },
    });
  }
}
