import { sleep } from "../../../lib/base/mod.ts";
import type { Fault } from "../fault.ts";
import { inRounds } from "./both_operators.ts";

/** Steps of one round, and the longest pause before each. */
const PER_ROUND = 3, PAUSE_MS_MAX = 1_500;

/**
 * The time of day of the operators' processes is set an hour forward or back. Both elect a leader, so that leases meet
 * it, too.
 */
export const clockSteps: Fault = {
  name: "clock-steps",
  what: "the time of day of the operators set an hour forward or back",
  run: async (context) => {
    const { figures, clock, random, signal } = context;
    const options = { rounds: 8, stepped: true, args: ["--leader-election", "on"] };
    await inRounds(context, options, async (under) => {
      for (let nth = 0; nth < PER_ROUND; nth++) {
        await sleep(clock, PAUSE_MS_MAX * random.next(), signal);
        for (const { processes: [operator] } of under) {
          operator!.signal(random.next() < 0.5 ? "SIGUSR2" : "SIGWINCH");
          figures.faults++;
        }
      }
      await sleep(clock, PAUSE_MS_MAX * random.next(), signal);
    });
  },
};
