import { sleep } from "../../../lib/base/mod.ts";
import type { Fault, FaultContext } from "../fault.ts";
import { Leadership } from "../leadership.ts";
import { openReplicator } from "../tested_operators.ts";
import { MINUTES, scaled } from "../options.ts";
import { checkIdle, recover, underLoad } from "../quiesce.ts";

/** Rounds of the full run; in each one leader is stopped, and the next one killed. */
const ROUNDS = 2;
/** How long a leader is stopped in the full run, and at least: a lease outlives its last renewal by 15 s. */
const STOPPED_MS = 60_000, STOPPED_MS_MIN = 22_000;
/** The load goes on for so long after a stopped leader goes on, and after one was killed. */
const AFTER_MS = 5_000;
const POLL_MS = 100, PAUSE_MS_MAX = 200;

/**
 * Of two replicas one leads; it is stopped until the other one has long taken over, and then goes on: it must not
 * write.
 */
export const leaders: Fault = {
  name: "leaders",
  what: "the leader of two replicas stopped for a minute, and another one killed",
  run: async (context) => {
    const { figures, clock, signal, minutes } = context, leadership = new Leadership();
    const stoppedMs = Math.max(STOPPED_MS_MIN, Math.min(STOPPED_MS, STOPPED_MS * minutes / MINUTES * ROUNDS));
    const observe = (host: string) => leadership.observe(host);
    await using under = await openReplicator(context, { args: ["--leader-election", "on"], replicas: 2, observe });
    for (let nth = 0; nth < scaled(ROUNDS, minutes); nth++) {
      await underLoad(context, [under.site], async () => {
        const stopped = await untilLed(context, leadership);
        const process = under.processes.find(({ host }) => host === stopped)!;
        process.signal("SIGSTOP");
        figures.faults++;
        const startMs = clock.elapsed();
        await untilLed(context, leadership, stopped);
        figures.noteLongest("ms until the other one led", clock.elapsed() - startMs);
        await sleep(clock, Math.max(0, startMs + stoppedMs - clock.elapsed()), signal);
        process.signal("SIGCONT");
        await sleep(clock, AFTER_MS, signal);
        const next = under.processes.find(({ host }) => host === leadership.leader)!;
        await next.kill();
        figures.faults++;
        await next.start();
        await sleep(clock, AFTER_MS, signal);
      }, PAUSE_MS_MAX);
      await recover(context, [under.site]);
    }
    await checkIdle(context, [under.site], under.processes);
    figures.note("changes of the leader", leadership.transitions);
    for (const overlap of leadership.overlaps) figures.violation(overlap);
  },
};

/** Waits until some process leads, other than `former`. */
async function untilLed({ clock, signal }: FaultContext, leadership: Leadership, former?: string): Promise<string> {
  while (leadership.leader === undefined || leadership.leader === former) await sleep(clock, POLL_MS, signal);
  return leadership.leader;
}
