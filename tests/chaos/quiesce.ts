import type { ApiResource } from "../../lib/apimachinery/mod.ts";
import { describeError, sleep } from "../../lib/base/mod.ts";
import type { FaultContext } from "./fault.ts";
import type { Gate } from "./gate.ts";
import type { OperatorProcess } from "./operator_process.ts";
import type { Site, SiteState } from "./site.ts";

/** Bound of each recovery. A namespace that goes while its server is killed takes the longest. */
const RECOVERY_MS_MAX = 120_000, POLL_MS = 150;
/**
 * How long an operator without work is watched, and how much it may send then: a watch that is opened again, a probe.
 */
const IDLE_MS = 4_000, IDLE_REQUESTS_MAX = 20;
/** Between two operations of the load, at most. */
const PAUSE_MS_MAX = 50;
const PROBLEMS_SHOWN = 5;
/** A recovery that takes longer says what it waited for. */
const SLOW_MS = 10_000;

/** Runs `body` while the load of all sites goes on; returns when both have ended. */
export async function underLoad(
  context: FaultContext,
  sites: readonly Site[],
  body: () => Promise<void>,
  pauseMsMax: number = PAUSE_MS_MAX,
): Promise<void> {
  const { clock, random, signal } = context;
  let isOver = false;
  const load = async (site: Site) => {
    while (!isOver) {
      await site.step();
      await sleep(clock, pauseMsMax * random.next(), signal);
    }
  };
  const loads = Promise.all(sites.map(load));
  const struck = body();
  try {
    await Promise.race([struck, loads]); // a load ends by itself only where it fails
    isOver = true;
    await Promise.all([struck, loads]);
  } finally {
    isOver = true;
    await Promise.allSettled([struck, loads]);
  }
}

/**
 * Waits until every site is as it must be, and takes the time; where that does not come, its problems are violations.
 */
export async function recover(context: FaultContext, sites: readonly Site[]): Promise<void> {
  let last: readonly string[] = [];
  const tookMs = await untilNone(context, async () => {
    const { problems } = await lookAt(context, sites);
    if (problems.length > 0) last = problems;
    return problems;
  });
  if (tookMs === undefined) return;
  context.figures.recovered(tookMs);
  if (tookMs > SLOW_MS) context.say(`recovered after ${Math.round(tookMs)} ms; wrong until then: ${shown(last)}`);
}

/**
 * Operators with nothing to do write nothing, or what is their routine, and ask little; the state stays as it is
 * meanwhile. What Kubernetes' own controllers have to take away must be gone first.
 */
export async function checkIdle(
  context: FaultContext,
  sites: readonly Site[],
  operators: readonly OperatorProcess[],
  writesMax: number = 0,
): Promise<void> {
  const { clock, figures, signal } = context;
  await untilNone(context, async () => {
    const { problems, ending } = await lookAt(context, sites);
    return [...problems, ...ending];
  });
  const before = operators.map(({ gate }) => ({ requests: gate.requests, writes: gate.writes }));
  await sleep(clock, IDLE_MS, signal);
  operators.forEach(({ host, gate }, nth) => {
    const writes = gate.writes - before[nth]!.writes, requests = gate.requests - before[nth]!.requests;
    if (writes > writesMax) figures.violation(`${host} wrote ${writes} times in ${IDLE_MS} ms with nothing to do`);
    if (requests > IDLE_REQUESTS_MAX) {
      figures.violation(`${host} sent ${requests} requests in ${IDLE_MS} ms with nothing to do`);
    }
  });
  const { problems } = await lookAt(context, sites);
  if (problems.length > 0) figures.violation(`right at first, and then: ${shown(problems)}`);
  figures.checks++;
}

/** Waits until no object of a kind is left whose name is meant. */
export async function untilGone(
  { client, clock, signal }: FaultContext,
  resource: ApiResource,
  isMeant: (name: string) => boolean,
): Promise<void> {
  const startMs = clock.elapsed();
  for (;;) {
    const { items } = await client.list(resource, { metadataOnly: true });
    const left = items.filter(({ metadata }) => isMeant(metadata?.name ?? ""));
    if (left.length === 0) return;
    if (clock.elapsed() - startMs > RECOVERY_MS_MAX) {
      const [{ metadata }] = left as [typeof left[number]];
      throw new Error(
        `${left.length} ${resource.plural} stay, ${metadata?.name} first: ${metadata?.finalizers ?? "no finalizer"}`,
      );
    }
    await sleep(clock, POLL_MS, signal);
  }
}

/** Waits until the API server is ready, however often it or its etcd was killed. */
export async function untilServed(
  { client, clock, signal }: Pick<FaultContext, "client" | "clock" | "signal">,
): Promise<void> {
  const startMs = clock.elapsed();
  for (;;) {
    try {
      return void await client.raw("/readyz", { signal });
    } catch (error) {
      signal.throwIfAborted();
      if (clock.elapsed() - startMs > RECOVERY_MS_MAX) throw error;
      await sleep(clock, POLL_MS, signal);
    }
  }
}

/** What the operators' requests of one fault were. */
export function countRequests({ figures }: FaultContext, gates: readonly Gate[]): void {
  for (const gate of gates) {
    figures.requests += gate.requests;
    figures.note("answers 410", gate.gone);
    figures.note("requests disturbed", gate.disturbed);
  }
}

/**
 * Waits until nothing is wrong, and says how long that took; undefined where it does not come, which is a violation.
 */
async function untilNone(
  { clock, figures, signal }: FaultContext,
  wrong: () => Promise<readonly string[]>,
): Promise<number | undefined> {
  for (const startMs = clock.elapsed();;) {
    const problems = await wrong(), tookMs = clock.elapsed() - startMs;
    if (problems.length === 0) return tookMs;
    if (tookMs > RECOVERY_MS_MAX) return void figures.violation(`not recovered: ${shown(problems)}`);
    await sleep(clock, POLL_MS, signal);
  }
}

async function lookAt({ signal }: FaultContext, sites: readonly Site[]): Promise<SiteState> {
  try {
    const states = await Promise.all(sites.map((site) => site.look()));
    return {
      problems: states.flatMap(({ problems }) => problems),
      ending: states.flatMap(({ ending }) => ending),
    };
  } catch (error) {
    signal.throwIfAborted();
    return { problems: [`the state cannot be read: ${describeError(error)}`], ending: [] };
  }
}

function shown(problems: readonly string[]): string {
  const more = problems.length > PROBLEMS_SHOWN ? `; and ${problems.length - PROBLEMS_SHOWN} more` : "";
  return problems.slice(0, PROBLEMS_SHOWN).join("; ") + more;
}
