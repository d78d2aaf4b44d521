import type { FaultContext } from "../fault.ts";
import { openCrates, openReplicator, type ProcessOptions, type TestedOperator } from "../tested_operators.ts";
import { scaled } from "../options.ts";
import { checkIdle, recover, underLoad } from "../quiesce.ts";

/** Carries out one round of a fault; `nth` counts from 0. */
export type Round = (under: readonly TestedOperator[], nth: number) => Promise<void>;

/** How rounds are run. */
export interface RoundsOptions extends Pick<ProcessOptions, "args" | "stepped"> {
  /** Rounds in the full run. */
  readonly rounds: number;
  /** After the last round, before idle operators are watched. */
  readonly after?: (under: readonly TestedOperator[]) => Promise<void>;
}

/** Runs a fault in rounds against both operators: each under load, with a check of the whole state after it. */
export async function inRounds(context: FaultContext, options: RoundsOptions, round: Round): Promise<void> {
  const { figures, minutes, say } = context, count = scaled(options.rounds, minutes);
  await using replication = await openReplicator(context, options);
  await using crates = await openCrates(context, options);
  const under = [replication, crates], sites = under.map(({ site }) => site);
  const processes = under.flatMap(({ processes }) => processes);
  for (const each of processes) await each.ready();
  for (let nth = 0; nth < count; nth++) {
    await underLoad(context, sites, () => round(under, nth));
    await recover(context, sites);
    say(`${nth + 1} of ${count} rounds, ${figures.violations.length} violations`);
  }
  if (options.after) {
    await options.after(under);
    await recover(context, sites);
  }
  await checkIdle(context, sites, processes);
}
