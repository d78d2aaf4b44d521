import { sleep } from "../../../lib/base/mod.ts";
import type { EnvtestProgram } from "../../../lib/harness/mod.ts";
import type { Fault } from "../fault.ts";
import { untilServed } from "../quiesce.ts";
import { inRounds } from "./both_operators.ts";

/** What is killed, in turn. */
const VICTIMS: readonly (readonly EnvtestProgram[])[] = [["kube-apiserver"], ["etcd"], ["etcd", "kube-apiserver"]];
/** How long they are away at most, and how long the load goes on before and after at most. */
const AWAY_MS_MAX = 3_000, LOAD_MS_MAX = 1_500;

/** The API server and its etcd are killed under load, and come back with the same data on the same ports. */
export const serverKills: Fault = {
  name: "server-kills",
  what: "the API server and etcd killed and started again under load",
  run: async (context) => {
    const { cluster, figures, clock, random, signal } = context;
    await inRounds(context, { rounds: 9 }, async (_, nth) => {
      const victims = VICTIMS[nth % VICTIMS.length]!;
      await sleep(clock, LOAD_MS_MAX * random.next(), signal);
      for (const victim of victims) await cluster.kill(victim);
      figures.faults += victims.length;
      await sleep(clock, AWAY_MS_MAX * random.next(), signal);
      for (const victim of victims) cluster.revive(victim);
      await untilServed(context);
      await sleep(clock, LOAD_MS_MAX * random.next(), signal);
    });
  },
};
