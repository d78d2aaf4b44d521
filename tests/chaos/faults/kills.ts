import { sleep } from "../../../lib/base/mod.ts";
import type { Fault, FaultContext } from "../fault.ts";
import { openCrates, openReplicator, type TestedOperator } from "../tested_operators.ts";
import { scaled } from "../options.ts";
import { checkIdle, recover, underLoad } from "../quiesce.ts";

/** Kills between two checks, and the longest life of a process until one: some are killed before they work. */
const KILLS_PER_ROUND = 5, LIFE_MS_MAX = 2_500;

/** SIGKILL at random moments of an operator's process, which is started again at once. */
function kills(
  name: string,
  what: string,
  full: number,
  open: (context: FaultContext) => Promise<TestedOperator>,
): Fault {
  return {
    name,
    what: `${full} kills of ${what}`,
    run: async (context) => {
      const { figures, clock, random, signal, minutes } = context, count = scaled(full, minutes);
      await using under = await open(context);
      const [operator] = under.processes, sites = [under.site];
      await operator!.ready();
      while (figures.faults < count) {
        await underLoad(context, sites, async () => {
          for (let nth = 0; nth < KILLS_PER_ROUND && figures.faults < count; nth++) {
            await sleep(clock, LIFE_MS_MAX * random.next(), signal);
            await operator!.kill();
            figures.faults++;
            await operator!.start();
          }
        });
        await recover(context, sites);
        context.say(`${figures.faults} of ${count} kills, ${figures.violations.length} violations`);
      }
      await checkIdle(context, sites, under.processes);
    },
  };
}

/** The shipped operator is killed. */
export const replicatorKills: Fault = kills("replicator-kills", "the replicator", 100, openReplicator);

/** An operator whose children have generated names is killed: none of them may exist twice, or without its owner. */
export const childrenKills: Fault = kills(
  "children-kills",
  "an operator whose children have generated names",
  50,
  openCrates,
);
