import assert from "node:assert/strict";
import type { Condition } from "../../lib/apimachinery/mod.ts";
import { VirtualClock } from "../../lib/base/mod.ts";
import { DaemonSet, Deployment, Job, Operator, Pod, ReplicaSet, StatefulSet } from "../../lib/operator/mod.ts";
import {
  EmbeddedSource,
  type Ref,
  type ScenarioBody,
  type ScenarioContext,
  type ScenarioOptions,
  Suite,
} from "../../lib/harness/mod.ts";
import { isReady, type WorkloadKind } from "../../lib/harness/workload_status.ts";
import { realKubeconfig, testSource } from "../cluster.ts";
import { runOn, SharedCluster } from "./rig.ts";

const labels = { app: "w" };
const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "main" }] } };
const selector = { matchLabels: labels };
const WORKLOADS = [
  [Deployment, { replicas: 3, selector, template }],
  [StatefulSet, { replicas: 2, selector, template, serviceName: "w" }],
  [DaemonSet, { selector, template }],
  [ReplicaSet, { selector, template }],
  [Job, { completions: 2, template: { ...template, spec: { ...template.spec, restartPolicy: "Never" } } }],
  [Pod, template.spec],
] as const;

function suiteOf(story: ScenarioBody, options: ScenarioOptions = {}): Suite {
  return new Suite("workloads", () => new Operator("workloads")).scenario("a story", story, options);
}

async function passes(...told: Parameters<typeof suiteOf>): Promise<void> {
  const { scenarios, failures } = await runOn(testSource(), suiteOf(...told), { waitMsMax: 60_000 });
  assert.deepEqual([failures, scenarios[0]!.outcome], [[], { kind: "passed" }]);
}

function create(
  { cluster }: ScenarioContext,
  [resource, spec]: typeof WORKLOADS[number],
  name = "w",
): Promise<unknown> {
  return cluster.createManifest(
    { apiVersion: versionOf(resource), kind: resource.kind, metadata: { name }, spec } as never,
  );
}

const versionOf = ({ group, version }: { group: string; version: string }) => group ? `${group}/${version}` : version;

function conditionsOf(object: unknown): string[] {
  const { conditions = [] } = (object as { status: { conditions?: Condition[] } }).status;
  return conditions.filter(({ status }) => status === "True").map(({ type }) => type).sort();
}

for (const workload of WORKLOADS) {
  const [resource] = workload, kind = resource.kind as WorkloadKind;
  // FR-397
  Deno.test(`makeReady makes a ${kind} ready, after it failed too where it can recover, and waits for one that is not there yet`, async () => {
    await passes(async (scenario) => {
      const { makeReady, makeFail, ref } = scenario, first = ref(resource as never, "w") as Ref;
      const made = makeReady(first);
      await create(scenario, workload);
      const ready = await made;
      assert.ok(isReady(kind, ready as never));
      if (kind === "Deployment") assert.deepEqual(conditionsOf(ready), ["Available", "Progressing"]);
      if (kind === "Job") assert.deepEqual(conditionsOf(ready), ["Complete", "SuccessCriteriaMet"]);
      await create(scenario, workload, "v");
      const second = ref(resource as never, "v") as Ref, failed = await makeFail(second, "no node has room");
      assert.ok(!isReady(kind, failed as never));
      if (kind !== "StatefulSet" && kind !== "DaemonSet" && kind !== "ReplicaSet") {
        assert.match(JSON.stringify((failed as unknown as { status: object }).status), /no node has room/);
      }
      if (kind === "Job") assert.deepEqual(conditionsOf(failed), ["Failed", "FailureTarget"]);
      else assert.ok(isReady(kind, await makeReady(second) as never));
    });
  });
}

// FR-397
Deno.test(
  "with workloads, each becomes ready when its time has come, again after a change, and one that the story fails does not",
  {
    ignore: realKubeconfig !== undefined, // on a clock that only the test turns
  },
  async () => {
    const clock = new VirtualClock();
    const running = runOn(
      new EmbeddedSource({ clock }),
      suiteOf(async (scenario) => {
        const { cluster, expect, makeFail, ref, namespace } = scenario, deployment = ref(Deployment, "w");
        for (const workload of WORKLOADS) await create(scenario, workload);
        await cluster.createManifest(
          {
            apiVersion: "v1",
            kind: "Pod",
            metadata: { name: "theirs", namespace: "default" },
            spec: template.spec,
          } as never,
        );
        await create(scenario, WORKLOADS[5], "broken");
        await makeFail(ref(Pod, "broken"), "it crashes");
        const states = async () => {
          const found: string[] = [];
          for (const [resource] of WORKLOADS) {
            const object = await cluster.get({ resource, key: { namespace, name: "w" } } as Ref);
            if (isReady(resource.kind as WorkloadKind, object as never)) found.push(resource.kind);
          }
          return found;
        };
        await clock.advance(4_999);
        assert.deepEqual(await states(), []);
        await clock.advance(1);
        assert.deepEqual(await states(), WORKLOADS.map(([{ kind }]) => kind));
        const { status } = await cluster.get(ref(Pod, "broken")) as { status: { phase: string } };
        assert.equal(status.phase, "Failed");
        await expect(ref(Pod, "theirs", "default")).toMatch({ status: { phase: "Pending" } } as never);
        await cluster.patch(deployment, { spec: { replicas: 5 } });
        assert.ok(!(await states()).includes("Deployment"));
        await clock.advance(5_000);
        await expect(deployment).toMatch({ status: { readyReplicas: 5, observedGeneration: 2 } } as never);
      }, { workloads: { readyAfter: "5s" } }),
      { clock },
    );
    const { scenarios, failures } = await running;
    assert.deepEqual([failures, scenarios[0]!.outcome], [[], { kind: "passed" }]);
  },
);

// FR-405
Deno.test(
  "a workload of the name of one that the story made to fail becomes ready by itself, and the one that failed does not",
  {
    ignore: realKubeconfig !== undefined, // on a clock that only the test turns
  },
  async () => {
    const clock = new VirtualClock();
    const { scenarios } = await runOn(
      new EmbeddedSource({ clock }),
      suiteOf(async (scenario) => {
        const { cluster, expect, makeFail, ref } = scenario, job = ref(Job, "w");
        const isComplete = async () => isReady("Job", await cluster.get(job) as never);
        const failing = makeFail(job, "it crashes"); // before it is there
        await create(scenario, WORKLOADS[4]);
        await failing;
        await clock.advance(5_000);
        assert.ok(!await isComplete());
        await cluster.delete(job);
        await expect(job).toBeGone();
        await create(scenario, WORKLOADS[4]);
        await clock.advance(5_000);
        assert.ok(await isComplete());
      }, { workloads: { readyAfter: "5s" } }),
      { clock },
    );
    assert.deepEqual(scenarios[0]!.outcome, { kind: "passed" });
  },
);

/** Counters that API servers have even where they are zero. */
const ALWAYS_THERE: Readonly<Partial<Record<WorkloadKind, readonly string[]>>> = {
  StatefulSet: ["availableReplicas", "replicas"],
  ReplicaSet: ["replicas"],
  DaemonSet: ["currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady"],
  Job: ["ready", "terminating"],
};

// FR-406
Deno.test("a status has no zero counters but those that API servers always have", async () => {
  await passes(async (scenario) => {
    const { makeReady, makeFail, ref, cluster } = scenario;
    for (const workload of WORKLOADS) {
      const [resource] = workload, kind = resource.kind as WorkloadKind, object = ref(resource as never, "w") as Ref;
      const onlyAllowed = ({ status }: { status?: object }) => {
        const zeros = Object.entries(status ?? {}).filter(([, value]) => value === 0).map(([field]) => field);
        assert.deepEqual(zeros.filter((field) => !ALWAYS_THERE[kind]?.includes(field)), [], kind);
      };
      await create(scenario, workload);
      if (kind !== "Job" && kind !== "Pod") onlyAllowed(await makeReady(object) as never);
      onlyAllowed(await makeFail(object, "no node has room") as never);
      if (!["Deployment", "StatefulSet", "ReplicaSet"].includes(kind)) continue;
      await cluster.patch(object, { spec: { replicas: 0 } });
      const none = await makeReady(object);
      onlyAllowed(none as never);
      assert.ok(isReady(kind, none as never));
    }
  });
});

Deno.test("a suspended Job does not complete, and the model leaves no timer behind", {
  ignore: realKubeconfig !== undefined, // on a clock that only the test turns
}, async () => {
  const clock = new VirtualClock();
  const { scenarios } = await runOn(
    new EmbeddedSource({ clock }),
    suiteOf(async (scenario) => {
      const [, spec] = WORKLOADS[4];
      await create(scenario, [Job, { ...spec, suspend: true }] as never);
      await clock.advance(60_000);
      assert.ok(!isReady("Job", await scenario.cluster.get(scenario.ref(Job, "w")) as never));
      await create(scenario, WORKLOADS[0]);
    }, { workloads: { readyAfter: "5s" } }),
    { clock },
  );
  assert.deepEqual(scenarios[0]!.outcome, { kind: "passed" });
  assert.equal(clock.pending, 0);
});

// FR-397
Deno.test("on a cluster with nodes makeReady waits for them and writes nothing, and a story that makes a workload fail is skipped", async () => {
  await using cluster = new SharedCluster(); // it says that it is a current one
  const result = await runOn(
    cluster.source,
    suiteOf(async (scenario) => {
      const { makeReady, ref, namespace } = scenario, key = { namespace, name: "w" };
      await create(scenario, WORKLOADS[0]);
      const made = makeReady(ref(Deployment, "w"));
      const status = { observedGeneration: 1, replicas: 3, updatedReplicas: 3, readyReplicas: 3 };
      await cluster.client.patch(Deployment, key, { type: "merge", body: { status }, subresource: "status" });
      assert.deepEqual((await made as unknown as { status: object }).status, status);
    }, { workloads: { readyAfter: "1ms" } }),
  );
  assert.deepEqual(result.scenarios[0]!.outcome, { kind: "passed" });
  const { scenarios: [failing], failures } = await runOn(
    cluster.source,
    suiteOf(async (scenario) => {
      await create(scenario, WORKLOADS[0]);
      await scenario.when("it fails", () => scenario.makeFail(scenario.ref(Deployment, "w")));
    }),
  );
  assert.deepEqual([failures, failing!.outcome], [[], {
    kind: "skipped",
    reason: "it makes a workload fail, and the controllers of this cluster would overwrite that",
  }]);
});

// FR-397
Deno.test("what is not a workload is refused with the kinds that are", async () => {
  await passes(async ({ makeReady, ref, namespace }) => {
    const namespaces = { group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false };
    await assert.rejects(makeReady(ref(namespaces, namespace)), /^UsageError: Namespace \S+ is not a workload$/);
  });
});
