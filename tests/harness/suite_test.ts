import assert from "node:assert/strict";
import * as z from "zod";
import { UsageError } from "../../lib/base/mod.ts";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { ConfigMap, existingKind, Operator } from "../../lib/operator/mod.ts";
import { EmbeddedSource, type Manifests, planRun, runScenarios, Suite } from "../../lib/harness/mod.ts";
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
        /^given\[0\]: https:\/\/example\.com\/a\.yaml is no file of this machine$/,
      ],
      [
        [await file("two.yaml", "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n---\nkind: Secret\n")],
        /two\.yaml, document 2 \(Secret\) has no apiVersion$/,
      ],
      [[await file("broken.yaml", "a: [")], /broken\.yaml, document 1: .+/],
      [[await file("text.yaml", "hello")], /text\.yaml is no object$/],
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
    assert.deepEqual(scenarios.map(({ outcome }) => outcome), [
      { kind: "passed" },
      { kind: "failed", message: "no port is free" },
      { kind: "failed", message: "it hangs on" },
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
    { kind: "skipped", reason: "its outside world is in this process, and the operator is a pod here" },
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
