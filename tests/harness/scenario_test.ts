import assert from "node:assert/strict";
import { describeError, settle, sleep, VirtualClock } from "../../lib/base/mod.ts";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { ConfigMap, Namespace, Secret, type SecretObject } from "../../lib/operator/mod.ts";
import {
  EmbeddedSource,
  htmlReport,
  junitReport,
  type RunOptions,
  type ScenarioBody,
  type ScenarioContext,
  type ScenarioOptions,
  type ScenarioResult,
} from "../../lib/harness/mod.ts";
import { scenarioLines } from "../../lib/harness/report_lines.ts";
import { Note, note, notes, type NotesOptions, runOn, SharedCluster, suiteOf, written } from "./rig.ts";

/** Runs one story on a cluster and makes sure that nothing of it is left there. */
async function told(
  story: ScenarioBody,
  { scenario = {}, operator = {}, run = {}, left = [] }: {
    scenario?: ScenarioOptions;
    operator?: NotesOptions;
    run?: Partial<RunOptions>;
    left?: readonly RegExp[];
  } = {},
): Promise<ScenarioResult> {
  await using shared = new SharedCluster();
  const before = await shared.inventory();
  const result = await runOn(shared.source, suiteOf(story, scenario, () => notes(operator)), run);
  const stays = (await shared.inventory()).filter((each) => !before.includes(each));
  const unexplained = stays.filter((each) => !left.some((pattern) => pattern.test(each)));
  assert.deepEqual(unexplained, [], "left behind");
  for (const pattern of left) assert.ok(stays.some((each) => pattern.test(each)), `${pattern} is not left: ${stays}`);
  assert.deepEqual(result.failures, []);
  assert.deepEqual([shared.opened, shared.closed], [1, 1]);
  return result.scenarios[0]!;
}

/** The message of a scenario that failed. */
function failure({ outcome }: ScenarioResult): string {
  assert.equal(outcome.kind, "failed", JSON.stringify(outcome));
  return (outcome as { message: string }).message;
}

Deno.test("a story that comes to its end passes; steps, writes, logs and Events are in its record", async () => {
  const { outcome, steps, writes, logs, events, dropped, attachments } = await told(async (scenario) => {
    await written(scenario);
    await scenario.expect(scenario.ref(Note, "a")).toHaveEvents({ reason: "Written" });
  });
  assert.deepEqual(outcome, { kind: "passed" });
  assert.deepEqual(steps.map(({ kind, title, failure }) => [kind, title, failure]), [
    ["given", "a note", undefined],
    ["then", "its ConfigMap follows", undefined],
    ["teardown", "delete what it created", undefined],
  ]);
  assert.ok(steps.every(({ startMs, endMs }) => endMs! >= startMs));
  const posted = writes.find(({ by, method, path }) =>
    by === "scenario" && method === "POST" && path.includes("/notes")
  )!;
  assert.deepEqual([posted.name, posted.status], ["a", 201]);
  const [given] = steps;
  assert.ok(
    given!.startMs <= posted.atMs && posted.atMs + posted.tookMs <= given!.endMs!,
    "it is told when it was sent",
  );
  assert.ok(writes.some(({ by, path }) => by === "operator" && path.includes("/configmaps/a")));
  assert.ok(logs.some(({ message, level }) => message === "written" && level === "info"));
  assert.deepEqual(events.map(({ reason, note, type }) => [type, reason, note]), [["Normal", "Written", "5 letters"]]);
  assert.match(events[0]!.regarding, /^Note r\d+-0-home\/a$/);
  assert.deepEqual([dropped, attachments], [0, []]);
});

Deno.test("a step that fails fails the scenario with its message, later steps are not begun, and nothing is left", async () => {
  const result = await told(async ({ given, when, then, cluster }) => {
    await given("a note", () => cluster.createManifest(note("a")));
    await when("something breaks", () => {
      throw new Error("it broke", { cause: new Error("in the middle") });
    });
    await then("this is not reached", () => {});
  });
  assert.equal(failure(result), "it broke: in the middle");
  assert.deepEqual(result.steps.map(({ title, failure }) => [title, failure]), [
    ["a note", undefined],
    ["something breaks", "it broke: in the middle"],
    ["delete what it created", undefined],
  ]);
});

Deno.test("an expectation that does not come true fails the scenario with what was seen last", async () => {
  const story: ScenarioBody = async (scenario) => {
    await written(scenario);
    await scenario.expect(scenario.ref(ConfigMap, "a")).toMatch({ data: { text: "other" } });
  };
  assert.match(failure(await told(story, { run: { waitMsMax: 200 } })), /data\.text: expected "other", found "hello"/);
});

// FR-173
Deno.test("a story that ignores its timeout is left behind: it fails, and reaches the cluster no more", async () => {
  const clock = new VirtualClock(), late = Promise.withResolvers<void>(), reached = Promise.withResolvers<unknown>();
  let context: ScenarioContext | undefined;
  const suite = suiteOf(async (scenario) => {
    context = scenario;
    await scenario.given("an endless wait", () => late.promise);
    await scenario.cluster.makeNamespace("late").then(reached.resolve, reached.resolve);
  }, { timeout: "10s" });
  await using shared = new SharedCluster({ clock });
  const before = await shared.inventory();
  const running = runOn(shared.source, suite, { clock });
  await clock.advance(10_000);
  const result = (await running).scenarios[0]!;
  assert.equal(failure(result), 'it took longer than 10s: "given an endless wait" had not ended after 10s');
  assert.deepEqual(result.steps.map(({ title, endMs }) => [title, endMs]), [
    ["an endless wait", undefined],
    ["delete what it created", clock.now()],
  ]);
  assert.ok(context!.signal.aborted);
  late.resolve();
  assert.match(describeError(await reached.promise), /the scenario is over/);
  await assert.rejects(context!.when("more", () => {}), /it took longer than 10s/);
  const { operator } = context!;
  for (const command of ["start", "crash", "restart", "pause", "resume"] as const) {
    await assert.rejects(operator[command](), /the scenario is over/, command);
  }
  assert.throws(() => operator.inProcess, /the scenario is over/);
  await settle();
  assert.equal(result.steps.length, 2, "what comes later changes no result");
  assert.deepEqual(await shared.inventory(), before);
});

Deno.test("a write that is under way when the story is over is waited for, and what it makes goes too", async () => {
  await told(async ({ cluster }) => {
    void cluster.makeNamespace("unawaited");
    await Promise.resolve();
  });
});

// FR-173
Deno.test("namespaces, cluster-scoped objects and objects elsewhere go with the scenario; what was there stays", async () => {
  await using shared = new SharedCluster();
  const metadata = { name: "theirs", namespace: "default" };
  await shared.client.create(ConfigMap, { apiVersion: "v1", kind: "ConfigMap", metadata });
  const before = await shared.inventory();
  const suite = suiteOf(async ({ cluster, prefix }) => {
    await cluster.createManifest({ apiVersion: "v1", kind: "Namespace", metadata: { name: `${prefix}-direct` } });
    await cluster.applyManifest({ apiVersion: "v1", kind: "Namespace", metadata: { name: `${prefix}-applied` } });
    const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", rules: [] };
    await cluster.createManifest({ ...role, metadata: { name: "made-by-a-story" } } as KubeObject);
    await cluster.applyManifest({ ...role, metadata: { name: `${prefix}-applied` } } as KubeObject);
    const configMap = { apiVersion: "v1", kind: "ConfigMap" };
    await cluster.createManifest({ ...configMap, metadata: { name: "elsewhere", namespace: "default" } });
    await cluster.createManifest({ ...configMap, metadata: { generateName: "some-", namespace: "default" } });
    await cluster.applyManifest({ ...configMap, metadata, data: { key: "x" } } as KubeObject);
    await assert.rejects(cluster.createManifest({ ...configMap, metadata }), { name: "AlreadyExistsError" });
  });
  const { scenarios, failures } = await runOn(shared.source, suite);
  assert.deepEqual([scenarios[0]!.outcome, failures], [{ kind: "passed" }, []]);
  assert.deepEqual(await shared.inventory(), before);
});

Deno.test("a namespace that is not the scenario's own is refused, and so is an object without a kind", async () => {
  await told(async ({ cluster }) => {
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "production" } };
    for (const write of [cluster.createManifest(namespace), cluster.applyManifest(namespace)]) {
      await assert.rejects(write, {
        name: "UsageError",
        message: /a scenario's namespaces begin with r\d+-0-, not production/,
      });
    }
    await assert.rejects(
      cluster.applyManifest({ metadata: { name: "a" } } as KubeObject),
      /an object without a kind: a/,
    );
  });
});

Deno.test("finalizers of the operator's own objects are waited for, with the operator's help, also where it was stopped", async () => {
  let deleted = 0;
  const operator = { delete: () => Promise.resolve(void deleted++) };
  const begun: ScenarioBody = async ({ cluster, operator, expect, ref }) => {
    await cluster.createManifest(note("a"));
    await expect(ref(Note, "a")).toMatch({ metadata: { finalizers: ["harness.test.pintle.dev/notes"] } } as never);
    await operator.pause();
    assert.equal(operator.runs, false);
  };
  assert.equal((await told(begun, { operator, scenario: { alone: true } })).outcome.kind, "passed");
  assert.equal(deleted, 1);
});

// FR-173
Deno.test("a finalizer that stays fails the scenario and is named, and the object is removed nevertheless", async () => {
  const operator = { delete: () => Promise.reject(new Error("the database is gone")) };
  const result = await told(async ({ cluster, expect, ref }) => {
    await cluster.createManifest(note("a"));
    await expect(ref(Note, "a")).toMatch({ metadata: { finalizers: ["harness.test.pintle.dev/notes"] } } as never);
  }, { operator, run: { waitMsMax: 500 } });
  assert.match(
    failure(result),
    /^its teardown failed: expected Note r\d+-0-home\/a to be gone: not within 500ms[^]*held by harness\.test\.pintle\.dev\/notes/,
  );
});

Deno.test("a story that failed keeps its own message when its teardown fails as well", async () => {
  const operator = { delete: () => Promise.reject(new Error("the database is gone")) };
  const result = await told(async ({ cluster, expect, ref }) => {
    await cluster.createManifest(note("a"));
    await expect(ref(Note, "a")).toMatch({ status: { phase: "Written" } });
    throw new Error("this first");
  }, { operator, run: { waitMsMax: 500 } });
  assert.match(failure(result), /^this first\nits teardown failed too: expected Note/);
});

Deno.test("an operator that cannot start fails the scenario with its reason, and its namespace goes", async () => {
  const operator = { startup: () => Promise.reject(new Error("no licence")) };
  assert.equal(failure(await told(() => Promise.resolve(), { operator })), "no licence");
});

Deno.test("an operator that hangs at its start is ended by the scenario's timeout", async () => {
  const clock = new VirtualClock();
  await using shared = new SharedCluster({ clock });
  const before = await shared.inventory();
  const suite = suiteOf(() => Promise.resolve(), { timeout: "10s" }, () => notes());
  // Its lists get no answer.
  const source = {
    ...shared.source,
    open: async (signal: AbortSignal) => {
      const cluster = await shared.source.open(signal);
      return {
        ...cluster,
        transport: (user?: Parameters<typeof cluster.transport>[0]) => {
          const inner = cluster.transport(user);
          if (!user) return inner;
          return {
            close: () => inner.close(),
            fetch: (_path: string, { signal }: { signal?: AbortSignal } = {}) =>
              new Promise<Response>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
          };
        },
      };
    },
  };
  const running = runOn(source, suite, { clock });
  await clock.advance(10_000);
  assert.equal(failure((await running).scenarios[0]!), "it took longer than 10s: the operator had not started");
  assert.deepEqual(await shared.inventory(), before);
});

// FR-399
Deno.test("a timeout names the step that waited, what it waited for, how long, and what was seen last, in a few lines", async () => {
  const clock = new VirtualClock();
  const suite = suiteOf(async ({ given, when, then, cluster, expect, ref }) => {
    await given("a ConfigMap", () =>
      cluster.createManifest({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "many" },
        data: Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((key) => [key, "no"])),
      } as KubeObject));
    await when("three seconds pass", () => sleep(clock, 3_000));
    await then("it changes", () => {
      const yes = Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((key) => [key, "yes"]));
      return expect(ref(ConfigMap, "many")).toMatch({ data: yes });
    });
  }, { timeout: "10s" });
  const running = runOn(new EmbeddedSource({ clock }), suite, { clock, waitMsMax: 60_000 });
  await clock.advance(10_000);
  const message = failure((await running).scenarios[0]!);
  assert.match(
    message,
    new RegExp(
      '^it took longer than 10s: "then it changes" had not ended after 7s\n' +
        "expected ConfigMap \\S+/many to match: not yet after 7s; last seen:\n" +
        '  data\\.a: expected "yes", found "no"\n(  data\\.\\S+ expected .*\n){3}  …$',
    ),
  );
});

// FR-399
Deno.test("a timeout between two steps names the one that ended last", async () => {
  const clock = new VirtualClock();
  const suite = suiteOf(async ({ given, eventually, signal }) => {
    await given("nothing", () => {});
    await eventually("a miracle", [ConfigMap], () => Promise.resolve({ holds: false, seen: "  no miracle" }));
    signal.throwIfAborted();
  }, { timeout: "10s" });
  const running = runOn(new EmbeddedSource({ clock }), suite, { clock, waitMsMax: 60_000 });
  await clock.advance(10_000);
  assert.equal(
    failure((await running).scenarios[0]!),
    'it took longer than 10s: no step was under way since "given nothing" had ended\n' +
      "a miracle: not yet after 10s; last seen:\n  no miracle",
  );
});

// FR-396
Deno.test("eventually without a kind is refused, and one whose check does not return what it sees shows objects and conditions", async () => {
  const story: ScenarioBody = async (scenario) => {
    const { eventually, cluster, when } = scenario;
    await written(scenario);
    await scenario.expect(scenario.ref(Note, "a")).toHaveCondition("Ready");
    await assert.rejects(
      eventually("peace", [] as never, () => Promise.resolve({ holds: true })),
      /^UsageError: "peace" watches no kind, so no change would be seen$/,
    );
    await when(
      "a second note is waited for",
      () => eventually("two notes", [Note, Secret], async () => ({ holds: (await cluster.list(Note)).length === 2 })),
    );
  };
  assert.match(
    failure(await told(story, { run: { waitMsMax: 3_000 } })),
    /^two notes: not within 3s; last seen:\n {2}Note \S+\/a: Ready=True \(\w+\)(: .+)?\n {2}no Secret$/,
  );
});

/** A note with its copy, which the story deletes and the operator makes again. */
async function madeAgain(scenario: ScenarioContext, act: "then it is there again" | "and nothing else is awaited") {
  const { cluster, ref } = scenario, copy = ref(ConfigMap, "a");
  await written(scenario);
  const { metadata } = await cluster.get(copy);
  await cluster.delete(copy);
  const isNew = (found?: KubeObject) => found !== undefined && found.metadata?.uid !== metadata?.uid;
  while (!isNew(await cluster.find(copy))) await settle(1);
  if (act === "then it is there again") await scenario.expect(copy).toExist();
  return copy;
}

// FR-394
Deno.test("toBeGone directly after the deletion of an object holds though it was made again, and the new one is meant next", async () => {
  const result = await told(async (scenario) => {
    const copy = await madeAgain(scenario, "and nothing else is awaited");
    await scenario.expect(copy).toBeGone();
    await scenario.then("the new one is gone", () => scenario.expect(copy).toBeGone());
  }, { run: { waitMsMax: 3_000 } });
  assert.equal(result.steps.at(-2)!.title, "the new one is gone");
  assert.match(failure(result), /^expected ConfigMap \S+ to be gone: not within 3s; last seen:\n {2}it is there$/);
});

// FR-404
for (
  const [title, story] of [
    [
      "it was seen again",
      async (scenario) => void await scenario.expect(await madeAgain(scenario, "then it is there again")).toBeGone(),
    ],
    ["another object was waited for", async (scenario) => {
      const copy = await madeAgain(scenario, "and nothing else is awaited");
      await scenario.expect(scenario.ref(ConfigMap, "other")).toBeGone();
      await scenario.expect(copy).toBeGone();
    }],
    ["something else was waited for", async (scenario) => {
      const copy = await madeAgain(scenario, "and nothing else is awaited");
      await scenario.eventually("anything", [ConfigMap], () => Promise.resolve({ holds: true }));
      await scenario.expect(copy).toBeGone();
    }],
    ["the story made it again", async ({ cluster, expect, ref }) => {
      const copy = ref(ConfigMap, "b");
      await cluster.create(ConfigMap, { metadata: { name: "b" } });
      await cluster.delete(copy);
      await cluster.create(ConfigMap, { metadata: { name: "b" } });
      await expect(copy).toBeGone();
    }],
  ] satisfies [string, ScenarioBody][]
) {
  Deno.test(`an object that was deleted and is there again is not gone where ${title}`, async () => {
    const result = await told(story, { run: { waitMsMax: 3_000 } });
    assert.match(failure(result), /^expected ConfigMap \S+ to be gone: not within 3s; last seen:\n {2}it is there$/);
  });
}

// FR-394
Deno.test("two objects that were deleted can be waited for at the same time", async () => {
  const { outcome } = await told(async ({ given, cluster, expect, ref, operator }) => {
    const copies = ["a", "b"].map((name) => ref(ConfigMap, name));
    await given("notes with their copies", async () => {
      for (const name of ["a", "b"]) await cluster.createManifest(note(name));
      for (const copy of copies) await expect(copy).toExist();
    });
    for (const copy of copies) await cluster.delete(copy);
    await operator.inProcess!.idle();
    await Promise.all(copies.map((copy) => expect(copy).toBeGone()));
  });
  assert.deepEqual(outcome, { kind: "passed" });
});

// FR-173
Deno.test("keepFailed leaves the namespaces of a scenario that failed, and only of such", async () => {
  // The kind goes with the run, and its objects with the kind.
  const left = [/^Namespace \/r\d+-0-home$/, /^ConfigMap r\d+-0-home\//, /^ServiceAccount r\d+-0-home\//];
  const failing: ScenarioBody = async (scenario) => {
    await written(scenario);
    throw new Error("look at it");
  };
  await told(failing, { run: { keepFailed: true }, left });
  await told(written, { run: { keepFailed: true } });
});

Deno.test("crash, restart, pause and resume: the operator forgets, and goes on", async () => {
  let starts = 0, cleanups = 0;
  const suite = suiteOf(
    async ({ cluster, operator, expect, ref }) => {
      assert.equal(operator.runs, true);
      await operator.start();
      assert.equal(starts, 1, "a start of what runs changes nothing");
      await operator.crash();
      assert.deepEqual([operator.runs, cleanups], [false, 0]);
      await cluster.createManifest(note("a"));
      await operator.resume();
      await expect(ref(ConfigMap, "a")).toExist();
      await operator.restart();
      assert.deepEqual([operator.runs, starts, cleanups], [true, 3, 0]);
      await operator.pause();
      assert.deepEqual([operator.runs, cleanups], [false, 1], "clean-up runs at a graceful stop");
      await operator.restart();
      assert.equal(starts, 4);
    },
    { alone: true },
    () => notes({ startup: () => Promise.resolve(void starts++) }).cleanup(() => void cleanups++),
  );
  const { scenarios } = await runOn(new EmbeddedSource(), suite);
  assert.deepEqual(scenarios[0]!.outcome, { kind: "passed" });
});

Deno.test("a fault lets the operator die just before or just after a write, and nothing of it passes any more", async () => {
  for (const verdict of ["dieBefore", "dieAfter"] as const) {
    const result = await told(async ({ cluster, operator, expect, ref }) => {
      const { inProcess } = operator;
      await cluster.createManifest(note("a"));
      await inProcess.start({ fault: ({ path }) => path.includes("/configmaps/") ? verdict : "pass" });
      await inProcess.idleThenCrash();
      assert.equal(operator.runs, false);
      assert.equal((await cluster.find(ref(ConfigMap, "a")))?.metadata?.name, verdict === "dieAfter" ? "a" : undefined);
      assert.equal(inProcess.writes.length, 1);
      assert.equal((await cluster.get(ref(Note, "a")) as { status?: unknown }).status, undefined);
      await operator.start();
      await expect(ref(Note, "a")).toHaveCondition("Ready");
    }, { scenario: { operator: "stopped", inProcess: true } });
    assert.deepEqual(result.outcome, { kind: "passed" });
  }
});

Deno.test("an operator that a fault has killed is started again where clean-up needs it", async () => {
  let deleted = 0;
  const result = await told(async ({ cluster, operator, expect, ref }) => {
    await cluster.createManifest(note("a"));
    await operator.inProcess.start({ fault: ({ path }) => path.includes("/configmaps/") ? "dieBefore" : "pass" });
    await expect(ref(Note, "a")).toMatch({ metadata: { finalizers: ["harness.test.pintle.dev/notes"] } } as never);
  }, {
    operator: { delete: () => Promise.resolve(void deleted++) },
    scenario: { operator: "stopped", inProcess: true },
  });
  assert.deepEqual([result.outcome.kind, deleted], ["passed", 1]);
});

Deno.test("a scenario sees and lists what is its own, whatever others have", async () => {
  await using shared = new SharedCluster();
  await shared.client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: "r-other" } });
  await shared.client.create(ConfigMap, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a", namespace: "r-other" },
  });
  const suite = suiteOf(async ({ cluster, ref, prefix, namespace }) => {
    const team = await cluster.makeNamespace("team", { tier: "one" });
    assert.deepEqual([namespace, team], [`${prefix}-home`, `${prefix}-team`]);
    assert.deepEqual(cluster.namespaces, [namespace, team]);
    const metadata = { name: "a" };
    await cluster.createManifest({ apiVersion: "v1", kind: "ConfigMap", metadata });
    await cluster.createManifest({ apiVersion: "v1", kind: "ConfigMap", metadata: { ...metadata, namespace: team } });
    assert.deepEqual((await cluster.list(ConfigMap)).map(({ metadata }) => metadata!.namespace).sort(), [
      namespace,
      team,
    ]);
    assert.deepEqual(ref(Namespace, team).key, { name: team });
    assert.deepEqual(ref(Secret, "a", team).key, { name: "a", namespace: team });
    await cluster.delete(ref(ConfigMap, "a"));
    await cluster.delete(ref(ConfigMap, "a")); // once more is no failure
  });
  const { scenarios } = await runOn(shared.source, suite);
  assert.deepEqual(scenarios[0]!.outcome, { kind: "passed" });
});

Deno.test("the operator runs as its own account: a rule that it did not declare fails the scenario and is named", async () => {
  const operator: NotesOptions = { reconcile: (client, namespace) => client.list(Secret, { namespace }) };
  const result = await told(async ({ cluster, expect, ref }) => {
    await cluster.createManifest(note("a"));
    await expect(ref(Note, "a")).toHaveCondition("Ready");
  }, { operator, run: { waitMsMax: 500 } });
  assert.match(
    failure(result),
    /expected Note \S+ to have condition Ready=True[^]*Ready=False \(\w+\): .*list.*secrets/,
  );
  assert.match(JSON.stringify(result.logs), /system:serviceaccount:notes-system:notes/);
});

// FR-177
Deno.test("of a failure that quotes Secrets no report has a value, whether the story wrote it, read it, or the operator logged it", async () => {
  const values = ["written-value", "read-value", "logged-value"] as const, [written, read, logged] = values;
  const operator = { reconcile: () => Promise.reject(new Error(`cannot use ${logged}`)) };
  await using shared = new SharedCluster();
  const run = await runOn(
    shared.source,
    suiteOf(
      async ({ given, then, cluster, expect, ref, namespace }) => {
        const secret = (name: string, value: string) =>
          ({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, stringData: { value } }) as KubeObject;
        await given("two Secrets, one of them foreign, and a note", async () => {
          await cluster.createManifest(secret("a", written));
          await cluster.createManifest(secret("b", logged));
          await shared.client.create(Secret, secret("c", read));
          await cluster.createManifest(note("a"));
        });
        await expect(ref(Note, "a")).toHaveCondition("Ready", false);
        await then("they are others", async () => {
          const held = await cluster.list<SecretObject>(Secret);
          assert.deepEqual(held.map(({ data }) => atob(data!.value!)), ["another"]);
        });
      },
      {},
      () => notes(operator),
    ),
  );
  const result = run.scenarios[0]!;
  assert.match(failure(result), /\[secret\][^]*another/);
  assert.ok(result.logs.some(({ fields }) => JSON.stringify(fields).includes("cannot use [secret]")));
  const lines = scenarioLines(result, (_style, text) => text).join("\n");
  for (const report of [lines, junitReport(run), htmlReport(run, { program: "p", rerun: (name) => name })]) {
    assert.match(report, /\[secret\]/);
    for (const value of values) assert.ok(!report.includes(value) && !report.includes(btoa(value)), value);
  }
});
