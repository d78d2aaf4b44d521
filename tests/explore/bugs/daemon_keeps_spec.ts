// A daemon goes on with the spec of its start: a change of the spec is without effect until the next restart.
import { ConfigMap, defineResource, Operator, sleep } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const POLL_MS = 5_000;
const spec = z.object({ jobsPerWorker: z.int().min(1), workersMax: z.int().min(1) });
const Pool = defineResource({
  group: "pools.example.com",
  version: "v1",
  kind: "WorkerPool",
  spec,
  status: z.object({ workers: z.int().optional() }),
});

/** A queue of jobs outside of the cluster. */
class Queue {
  jobs = 20;

  length(): Promise<number> {
    return Promise.resolve(this.jobs);
  }
}

function operator(queue: Queue, isFixed: boolean): Operator {
  const made = new Operator("pools");
  made.on(Pool).daemon(async ({ spec: first, latest, stopped, clock, apply, report }) => {
    while (!stopped.aborted) {
      const { jobsPerWorker, workersMax } = isFixed ? latest()?.spec as z.output<typeof spec> : first;
      const workers = Math.min(workersMax, Math.ceil(await queue.length() / jobsPerWorker));
      await apply(ConfigMap, { data: { workers: `${workers}` } });
      report((status) => status.set({ workers }));
      await sleep(clock, POLL_MS, stopped);
    }
  }).reconcile(() => {}, { owns: [ConfigMap] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("daemon_keeps_spec", {
    world: () => new Queue(),
    operator: (queue) => operator(queue, isFixed),
  });
  suite.scenario("a pool has workers for its jobs", async ({ given, then, cluster, expect, ref }) => {
    const pool = { metadata: { name: "a" }, spec: { jobsPerWorker: 5, workersMax: 9 } };
    await given("a pool", () => cluster.create(Pool, pool));
    await then("it has workers", () => expect(ref(Pool, "a")).toMatch({ status: { workers: 4 } }));
  });
  return suite as Suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
