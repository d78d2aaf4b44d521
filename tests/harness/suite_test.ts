import assert from "node:assert/strict";
import * as z from "zod";
import { settle, UsageError, VirtualClock } from "../../lib/base/mod.ts";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { ConfigMap, existingKind, Operator } from "../../lib/operator/mod.ts";
import {
  type ClusterSource,
  EmbeddedSource,
  type Manifests,
  planRun,
  runScenarios,
  Suite,
} from "../../lib/harness/mod.ts";
import { testSource } from "../cluster.ts";
import { notes, runOn, runOptions, SharedCluster } from "./rig.ts";

const GAUGES = new URL("./given/gauges.yaml", import.meta.url);

/** A kind whose definition is not the operator's. */
const Gauge = existingKind({
  group: "given.test.pintle.dev",
  version: "v1",
  kind: "Gauge",
  schema: z.object({ level: z.int() }),
  status: z.object({ read: z.int().optional() }),
});

/** The outside world of one scenario: what the operator has read, and whether it was given up. */
class Meter implements Disposable {
  readonly levels: number[] = [];
  disposed = 0;

  [Symbol.dispose](): void {
    this.disposed++;
  }
}

function reader(meter: Meter): Operator {
  const operator = new Operator("reader");
  operator.on(Gauge).reconcile(({ spec, status }) => {
    meter.levels.push(spec.level);
    status.set({ read: spec.level });
  });
  return operator;
}

const shared = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "given-test", namespace: "given-test-shared" },
};
const sample = {
  apiVersion: "given.test.pintle.dev/v1",
  kind: "Gauge",
  metadata: { name: "given-sample" },
  spec: { level: 7 },
};

/** A suite with everything, and every world that it made. */
function gauges(given: Manifests = [sample, shared, GAUGES]): { suite: Suite<Meter>; meters: Meter[] } {
  const meters: Meter[] = [];
  const world = () => {
    meters.push(new Meter());
    return meters.at(-1)!;
  };
  return { suite: new Suite("gauges", { given, world, operator: reader }), meters };
}

function passed(result: Awaited<ReturnType<typeof runOn>>): void {
  assert.deepEqual([result.failures, result.scenarios.map(({ outcome }) => outcome)], [
    [],
    result.scenarios.map(() => ({ kind: "passed" })),
  ]);
}

// FR-392
Deno.test("a suite installs kinds that are not the operator's, and gives each scenario a world of its own, at the same time too", async () => {
  const { suite, meters } = gauges(), seen: Meter[] = [];
  for (const level of [1, 2, 3]) {
    suite.scenario(`level ${level}`, async ({ given, then, cluster, expect, ref, world, operator }) => {
      seen.push(world);
      await given("a gauge", () => cluster.create(Gauge, { metadata: { name: "g" }, spec: { level } }));
      await then("it is read", () => expect(ref(Gauge, "g")).toMatch({ status: { read: level } }));
      await operator.restart();
      await cluster.patch(ref(Gauge, "g"), { spec: { level: level + 10 } });
      await then("it is read by the next one", () => expect(ref(Gauge, "g")).toMatch({ status: { read: level + 10 } }));
      const own = world.levels.filter((each) => each !== sample.spec.level);
      assert.deepEqual([...new Set(own)], [level, level + 10], "no other scenario's gauge is in this world");
      assert.equal(world.disposed, 0);
    });
  }
  passed(await runOn(testSource(), suite, { waitMsMax: 60_000 }));
  assert.equal(new Set(seen).size, 3);
  assert.ok(meters.every(({ disposed }) => disposed === 1), "each world is disposed of, once");
});

// FR-391
Deno.test("what a suite installs goes from a cluster that outlives the run; what was there stays", async () => {
  await using cluster = new SharedCluster();
  await cluster.client.create(
    { group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false },
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "given-test-shared" } },
  );
  const before = await cluster.inventory(), { suite } = gauges();
  suite.scenario(
    "its sample is read",
    ({ expect, ref }) => expect(ref(Gauge, "given-sample", "default")).toMatch({ status: { read: 7 } }).then(() => {}),
  );
  passed(await runOn(cluster.source, suite));
  assert.deepEqual(await cluster.inventory(), before);
});

// FR-391
Deno.test("an object that is there already and differs ends the run with its name, and stays as it is", async () => {
  await using cluster = new SharedCluster();
  await cluster.client.create(
    { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "theirs", namespace: "default" },
      data: { a: "theirs" },
    } as KubeObject,
  );
  const before = await cluster.inventory();
  const ours = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "theirs" }, data: { a: "ours" } };
  const { suite } = gauges([GAUGES, ours]);
  suite.scenario("it runs", () => assert.fail("it does"));
  await assert.rejects(
    runOn(cluster.source, suite),
    /^UsageError: ConfigMap default\/theirs is in this cluster already, and not as given says$/,
  );
  assert.deepEqual(await cluster.inventory(), before);
});

// FR-391
Deno.test("a manifest that cannot be installed is named with its list and index or its file and document, kind and field", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = async (name: string, text: string) => {
      await Deno.writeTextFile(`${folder}/${name}`, text);
      return new URL(`file://${folder}/${name}`);
    };
    const metadata = { name: "a" };
    const cases: [Manifests, RegExp][] = [
      [[{ kind: "ConfigMap", metadata }], /^given\[0\] \(ConfigMap\) has no apiVersion$/],
      [[shared, { apiVersion: "v1", metadata }], /^given\[1\] has no kind$/],
      [[{ apiVersion: "v1", kind: "ConfigMap" }], /^given\[0\] \(ConfigMap\) has no metadata\.name$/],
      [
        [{ apiVersion: "v1", kind: "List", items: [{ apiVersion: "v1", kind: "ConfigMap" }] } as KubeObject],
        /^given\[0\], items\[0\] \(ConfigMap\) has no metadata\.name$/,
      ],
      [[sample], /^given\[0\]: the server knows no kind Gauge in given\.test\.pintle\.dev\/v1$/],
      [
        [{ apiVersion: "v1", kind: "ConfigMap", metadata, data: { a: 1 } } as KubeObject],
        /^given\[0\]: the server refuses ConfigMap a: .*data/,
      ],
      [
        [GAUGES, { ...sample, spec: { level: "high" } } as KubeObject],
        /^given\[1\]: the server refuses Gauge given-sample: .*spec\.level/,
      ],
      [[new URL("file:///nowhere/at-all.yaml")], /^given\[0\]: cannot read \/nowhere\/at-all\.yaml: /],
      [
        [new URL("https://example.com/a.yaml")],
        /^given\[0\]: https:\/\/example\.com\/a\.yaml is not a file of this machine$/,
      ],
      [
        [await file("two.yaml", "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n---\nkind: Secret\n")],
        /two\.yaml, document 2 \(Secret\) has no apiVersion$/,
      ],
      [[await file("broken.yaml", "a: [")], /broken\.yaml, document 1: .+/],
      [[await file("text.yaml", "hello")], /text\.yaml is not an object$/],
    ];
    for (const [given, message] of cases) {
      const suite = new Suite("notes", { given, operator: notes }).scenario("it runs", () => assert.fail("it does"));
      await assert.rejects(runOn(new EmbeddedSource(), suite), (error: Error) => {
        assert.match(error.message, message);
        return error instanceof UsageError;
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** How the one scenario of a suite ends whose world hangs: the clock is turned once `hangs` was called. */
async function endOfHanging(
  isolated: boolean,
  suiteOf: (hang: () => Promise<never>) => Suite,
  afterMs: number,
): Promise<{ outcome: unknown; failures: readonly string[] }> {
  await using cluster = new SharedCluster();
  const clock = new VirtualClock(), reached = Promise.withResolvers<void>();
  const hang = () => {
    reached.resolve();
    return new Promise<never>(() => {});
  };
  const running = runOn(isolated ? new EmbeddedSource() : cluster.source, suiteOf(hang), { clock, waitMsMax: 30_000 });
  await reached.promise;
  await clock.advance(afterMs);
  const { scenarios: [result], failures } = await running;
  assert.equal(clock.pending, 0);
  return { outcome: result!.outcome, failures };
}

// FR-401
Deno.test("a world that is never made fails its scenario when the scenario's time is over, and one that comes later is disposed of", async () => {
  let disposed = 0;
  const late = Promise.withResolvers<Disposable>();
  const world = (isHanging: boolean, hang: () => Promise<never>) => {
    if (!isHanging) return Promise.resolve({ [Symbol.dispose]() {} });
    void hang();
    return late.promise;
  };
  for (const isolated of [true, false]) {
    let worlds = 0;
    const suite = (hang: () => Promise<never>) =>
      new Suite("notes", { world: () => world(++worlds === (isolated ? 1 : 2), hang), operator: () => notes() })
        .scenario("one", () => assert.fail("it runs"), { timeout: "1s" });
    assert.deepEqual(await endOfHanging(isolated, suite, 1_000), {
      outcome: { kind: "failed", message: "world() of suite notes took longer than 1s" },
      failures: [],
    });
  }
  late.resolve({ [Symbol.dispose]: () => void disposed++ });
  await settle(5);
  assert.equal(disposed, 2);
});

// FR-401
Deno.test("where scenarios share a cluster, a world that is never made while the suite is installed fails the run", async () => {
  const suite = (hang: () => Promise<never>) =>
    new Suite("notes", { world: hang, operator: () => notes() })
      .scenario("one", () => assert.fail("it runs"), { timeout: "1s" });
  assert.deepEqual(await endOfHanging(false, suite, 1_000), {
    outcome: { kind: "interrupted" },
    failures: ["world() of suite notes took longer than 1s"],
  });
});

// FR-401
Deno.test("the time that a world takes to make is part of its scenario's time", async () => {
  const clock = new VirtualClock(), reached = Promise.withResolvers<void>();
  const suite = new Suite("notes", { world: () => clock.advance(600), operator: () => notes() })
    .scenario("one", () => {
      reached.resolve();
      return new Promise(() => {});
    }, { timeout: "1s" });
  const running = runOn(new EmbeddedSource(), suite, { clock });
  await reached.promise;
  await clock.advance(400);
  const { outcome } = (await running).scenarios[0]!;
  assert.match(JSON.stringify(outcome), /"it took longer than 1s: /);
});

// FR-402
Deno.test("a world whose disposal hangs or fails is named after the story's own failure", async () => {
  for (const isolated of [true, false]) {
    for (const fails of [false, true]) {
      let worlds = 0;
      const suite = (hang: () => Promise<never>) => {
        const dispose = () => ++worlds === (isolated ? 1 : 2) ? hang() : Promise.resolve();
        return new Suite("notes", { world: () => ({ [Symbol.asyncDispose]: dispose }), operator: () => notes() })
          .scenario("one", () => fails ? Promise.reject(new Error("the story broke")) : Promise.resolve());
      };
      const { outcome, failures } = await endOfHanging(isolated, suite, 30_000);
      const why = "its world could not be disposed of: that took longer than 30s";
      const message = fails ? `the story broke\nits teardown failed too: ${why}` : `its teardown failed: ${why}`;
      assert.deepEqual([(outcome as { message: string }).message, failures], [message, []]);
    }
  }
});

// FR-402
Deno.test("a teardown that hangs fails its scenario, and the message names the part that hung", async () => {
  await using cluster = new SharedCluster();
  const clock = new VirtualClock(), reached = Promise.withResolvers<void>();
  const source: ClusterSource = {
    ...cluster.source,
    open: async (signal) => {
      const opened = await cluster.source.open(signal);
      const transport: typeof opened.transport = (user) => {
        const inner = opened.transport(user);
        return {
          fetch: (path, request) => {
            if (!path.includes("/events")) return inner.fetch(path, request);
            reached.resolve();
            return new Promise(() => {});
          },
          close: () => inner.close(),
        };
      };
      return { ...opened, transport };
    },
  };
  const running = runOn(source, new Suite("notes", notes).scenario("one", () => Promise.resolve()), { clock });
  await reached.promise;
  for (let minutes = 0; minutes < 6; minutes++) await clock.advance(60_000);
  const { scenarios, failures } = await running;
  assert.deepEqual(failures, []);
  assert.match(
    JSON.stringify(scenarios[0]!.outcome),
    /"its teardown failed: collecting its Events took longer than 5m10s"/,
  );
});

// FR-392
Deno.test("a world that cannot be made, or not be disposed of, fails its scenario and no other", async () => {
  for (const source of [new EmbeddedSource(), undefined]) {
    await using cluster = new SharedCluster();
    let worlds = 0, disposals = 0;
    const world = () => {
      if (++worlds === (source ? 2 : 3)) throw new Error("no port is free");
      return {
        [Symbol.asyncDispose]: () =>
          disposals++ === (source ? 1 : 2) ? Promise.reject(new Error("it hangs on")) : Promise.resolve(),
      };
    };
    const suite = new Suite("notes", { world, operator: () => notes() });
    for (const name of ["one", "two", "three"]) suite.scenario(name, () => Promise.resolve());
    const { scenarios, failures } = await runOn(source ?? cluster.source, suite, { parallelMax: 1 });
    assert.deepEqual(failures, []);
    const outcomes = scenarios.map(({ outcome: { kind, ...more } }) =>
      "message" in more ? { kind, message: more.message } : { kind }
    );
    assert.deepEqual(outcomes, [
      { kind: "passed" },
      { kind: "failed", message: "no port is free" },
      { kind: "failed", message: "its teardown failed: its world could not be disposed of: it hangs on" },
    ]);
  }
});

// FR-392
Deno.test("where the operator is a pod, what a suite needs is installed, and scenarios with a world in this process are skipped", async () => {
  await using cluster = new SharedCluster();
  const { suite: billed, meters } = gauges();
  billed.scenario("it runs", () => assert.fail("it does"));
  const plain = new Suite("plain", { given: [GAUGES], operator: () => reader(new Meter()) });
  plain.scenario("its kind is there", async ({ cluster }) => {
    await cluster.create(Gauge, { metadata: { name: "g" }, spec: { level: 1 } });
  });
  const never = () => Promise.reject(new Error("not asked for"));
  const operator = {
    runs: true,
    start: () => Promise.resolve(),
    crash: never,
    restart: never,
    pause: never,
    resume: never,
  };
  const { scenarios, failures } = await runScenarios(planRun([billed, plain]), {
    ...runOptions(cluster.source),
    deploy: () =>
      Promise.resolve({
        operator: operator as never,
        diagnose: () => Promise.resolve([]),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  });
  assert.deepEqual(failures, []);
  assert.deepEqual(scenarios.map(({ outcome }) => outcome), [
    { kind: "skipped", reason: "its world is in this process, and the operator is a pod here" },
    { kind: "passed" },
  ]);
  assert.deepEqual(meters, []);
});

for (const resource of [Gauge, ConfigMap]) {
  // FR-400
  Deno.test(`a ${resource.kind} that the operator's finalizer holds goes with its scenario, though its definition is not the operator's`, async () => {
    await using cluster = new SharedCluster();
    const before = await cluster.inventory(), deleted: string[] = [];
    const operator = () => {
      const made = new Operator("holder");
      made.on(resource as typeof ConfigMap).delete(({ name }) => void deleted.push(name), { id: "end" });
      return made;
    };
    const suite = new Suite("holder", { given: [GAUGES], operator }).scenario(
      "it is held",
      async ({ cluster, expect, ref }) => {
        const made = resource === Gauge ? sample : { ...shared, metadata: { name: "given-sample" } };
        await cluster.createManifest({ ...made, metadata: { name: "held" } });
        await expect(ref(resource as typeof ConfigMap, "held")).toSatisfy(
          "to be held",
          ({ metadata }) => metadata!.finalizers!.length > 0,
        );
      },
    );
    passed(await runOn(cluster.source, suite));
    assert.ok(deleted.includes("held"));
    assert.deepEqual(await cluster.inventory(), before);
  });
}
