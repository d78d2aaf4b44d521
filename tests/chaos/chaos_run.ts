import { type Clock, describeError, SeededRandom } from "../../lib/base/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { EnvtestCluster, type EnvtestPrograms } from "../../lib/harness/mod.ts";
import type { Fault } from "./fault.ts";
import { figureLines, Figures } from "./figures.ts";
import type { ChaosOptions } from "./options.ts";

/** What a run needs beside its options. */
export interface ChaosRunOptions extends ChaosOptions {
  readonly programs: EnvtestPrograms;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Webhooks are called at the addresses of a Service's endpoints: no proxy of a node is there. */
const SERVER_ARGS = ["--enable-aggregator-routing=true"];
const REQUEST_MS_MAX = 5_000;

/**
 * Runs faults one after the other on one control plane; tells each fault's figures. Returns how many passed and failed.
 */
export async function chaosRun(
  faults: readonly Fault[],
  options: ChaosRunOptions,
): Promise<{ readonly passed: number; readonly failed: number }> {
  const { programs, clock, signal, say, only } = options;
  let passed = 0, failed = 0;
  await using cluster = await EnvtestCluster.start({ programs, clock, signal, serverArgs: SERVER_ARGS });
  for (const [nth, fault] of faults.entries()) {
    if (only && !only.includes(fault.name)) continue;
    const figures = new Figures(), startMs = clock.elapsed();
    try {
      await runFault(fault, nth, cluster, figures, options);
    } catch (error) {
      if (!signal.aborted) figures.violation(`the fault ended early: ${describeError(error)}`);
    }
    for (const line of figureLines(fault.name, figures, clock.elapsed() - startMs)) say(line);
    if (signal.aborted) break;
    if (figures.violations.length === 0) passed++;
    else failed++;
  }
  return { passed, failed };
}

async function runFault(
  fault: Fault,
  nth: number,
  cluster: EnvtestCluster,
  figures: Figures,
  { seed, minutes, clock, signal, say }: ChaosRunOptions,
): Promise<void> {
  const transport = cluster.transport();
  try {
    const client = new Client(transport, {
      fieldManager: "user",
      clock,
      retriesMax: 0,
      requestTimeoutMs: REQUEST_MS_MAX,
    });
    const random = new SeededRandom(seed + nth), prefix = `chaos-${nth}`;
    say(`${fault.name}: ${fault.what}`);
    const tell = (line: string) => say(`    ${line}`);
    await fault.run({ cluster, client, clock, random, prefix, minutes, signal, figures, say: tell });
  } finally {
    transport.close();
  }
}
