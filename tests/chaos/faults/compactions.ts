import { sleep } from "../../../lib/base/mod.ts";
import type { EnvtestCluster } from "../../../lib/harness/mod.ts";
import type { Fault, FaultContext } from "../fault.ts";
import type { GateRequest, Verdict } from "../gate.ts";
import { untilServed } from "../quiesce.ts";
import { inRounds } from "./both_operators.ts";

/** Compactions of one storm, and the longest pause before each. */
const PER_ROUND = 12, PAUSE_MS_MAX = 500;
/** Pages of lists wait for so long, so that a compaction comes between two. */
const PAGE_DELAY_MS = 250;

/** Has etcd forget every state but the present one. */
async function compact({ etcd }: EnvtestCluster): Promise<void> {
  const ask = async (path: string, body: object) => {
    const answer = await fetch(`${etcd}${path}`, { method: "POST", body: JSON.stringify(body) });
    return await answer.json() as { header?: { revision: string } };
  };
  const { header } = await ask("/v3/kv/range", { key: btoa("/") });
  await ask("/v3/kv/compaction", { revision: header!.revision, physical: true });
}

async function restartServer({ cluster, ...context }: FaultContext, args: readonly string[]): Promise<void> {
  await cluster.kill("kube-apiserver");
  cluster.revive("kube-apiserver", args);
  await untilServed(context);
}

function delayPages({ isWatch, method, path }: GateRequest): Verdict {
  const isPage = method === "GET" && !isWatch && /[?&](limit|continue)=/.test(path);
  return isPage ? { kind: "delay", delayMs: PAGE_DELAY_MS } : { kind: "pass" };
}

/**
 * Compactions while watches are cut and lists are read in pages. The API server runs without its watch cache, which
 * would answer for etcd: so a watch that goes on, and a list that is continued, get 410 Gone.
 */
export const compactions: Fault = {
  name: "compactions",
  what: "etcd compacted while watches are cut and lists are read in pages: 410 Gone",
  run: async (context) => {
    const { cluster, figures, clock, random, signal } = context;
    await restartServer(context, ["--watch-cache=false"]);
    const after = () => restartServer(context, []);
    await inRounds(context, { rounds: 6, args: ["--page-limit", "3"], after }, async (under) => {
      const gates = under.flatMap(({ processes }) => processes.map(({ gate }) => gate));
      for (const gate of gates) gate.verdict = delayPages;
      for (let nth = 0; nth < PER_ROUND; nth++) {
        await sleep(clock, PAUSE_MS_MAX * random.next(), signal);
        for (const gate of gates) gate.cutWatches();
        await compact(cluster);
        figures.faults++;
      }
      for (const gate of gates) gate.verdict = () => ({ kind: "pass" });
    });
  },
};
