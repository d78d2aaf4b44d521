import assert from "node:assert/strict";
import { settle, SystemClock, UsageError } from "../../lib/base/mod.ts";
import { type DynamicObject } from "../../lib/apimachinery/mod.ts";
import { UnreachableError } from "../../lib/client/mod.ts";
import { CRDS } from "../../lib/admission/crd_conversion.ts";
import { ConfigMap, Namespace } from "../../lib/operator/mod.ts";
import {
  type Cluster,
  type ClusterSource,
  type Deployment,
  EmbeddedSource,
  EVENTS,
  type OperatorUnderTest,
  planRun,
  type RunListener,
  runScenarios,
  Suite,
} from "../../lib/harness/mod.ts";
import { Note, note, notes, runOn, SharedCluster, written } from "./rig.ts";

/** How many are inside at the same time, and at most. */
class Meeting {
  now = 0;
  most = 0;
  readonly #full = Promise.withResolvers<void>();

  constructor(readonly expected: number) {}

  /**
   * Comes in, and stays until as many as expected have come: a story that waits for others that never come would hang.
   */
  async attend(): Promise<void> {
    this.most = Math.max(this.most, ++this.now);
    if (this.now === this.expected) this.#full.resolve();
    await this.#full.promise;
    this.now--;
  }
}

/** A deployment of which only its being there matters. */
function deployment(): Deployment & AsyncDisposable & { closed: number } {
  const nothing = () => Promise.resolve();
  const operator = { runs: true, start: nothing, crash: nothing, restart: nothing, pause: nothing, resume: nothing };
  return {
    operator: operator as unknown as OperatorUnderTest,
    diagnose: () => Promise.resolve([{ title: "log of pod a", text: "last words" }]),
    closed: 0,
    [Symbol.asyncDispose]() {
      this.closed++;
      return Promise.resolve();
    },
  };
}

/** A source whose clusters cannot be opened, or only so. */
function sourceOf(isolated: boolean, open: ClusterSource["open"]): ClusterSource {
  return { kind: "envtest", isolated, open };
}

Deno.test("a plan keeps the order, and a filter sees the name of suite and scenario", () => {
  const story = () => Promise.resolve();
  const suites = ["a", "b"].map((name) => new Suite(name, notes).scenario("one", story).scenario("two", story));
  const names = (filter?: (name: string) => boolean) =>
    planRun(suites, filter).map(({ suite, scenario }) => `${suite.name}: ${scenario.name}`);
  assert.deepEqual(names(), ["a: one", "a: two", "b: one", "b: two"]);
  assert.deepEqual(names((name) => name === "b: one"), ["b: one"]);
  assert.throws(() => suites[0]!.scenario("one", story), {
    name: "RangeError",
    message: /has a scenario "one" already/,
  });
});

Deno.test("with a cluster for each, as many scenarios run at the same time as requested, and no more", async () => {
  const meeting = new Meeting(3), suite = new Suite("notes", notes);
  for (let nth = 0; nth < 3; nth++) suite.scenario(`${nth}`, () => meeting.attend());
  const parallel = await runOn(new EmbeddedSource(), suite, { parallelMax: 3 });
  assert.deepEqual([parallel.scenarios.map(({ outcome }) => outcome.kind), meeting.most], [Array(3).fill("passed"), 3]);
  const alone = new Meeting(1), one = new Suite("notes", notes);
  for (let nth = 0; nth < 3; nth++) one.scenario(`${nth}`, () => alone.attend());
  await runOn(new EmbeddedSource(), one, { parallelMax: 1 });
  assert.equal(alone.most, 1);
});

// FR-172
Deno.test("on a shared cluster, operators in this process run one at a time, whatever is requested", async () => {
  await using shared = new SharedCluster();
  const meeting = new Meeting(1), suite = new Suite("notes", notes);
  for (let nth = 0; nth < 3; nth++) suite.scenario(`${nth}`, () => meeting.attend());
  const before = await shared.inventory();
  const { scenarios } = await runOn(shared.source, suite, { parallelMax: 3 });
  assert.deepEqual([scenarios.map(({ outcome }) => outcome.kind), meeting.most], [Array(3).fill("passed"), 1]);
  assert.deepEqual([shared.opened, await shared.inventory()], [1, before]);
});

// FR-172
Deno.test("with a deployed operator scenarios share it, one that needs it alone has it alone, and in-process ones are skipped", async () => {
  await using shared = new SharedCluster();
  const meeting = new Meeting(2), alone = new Meeting(1), deployed = deployment();
  const suite = new Suite("notes", notes)
    .scenario("a", () => meeting.attend())
    .scenario("b", () => meeting.attend())
    .scenario("alone", async () => {
      assert.equal(meeting.now, 0);
      await alone.attend();
    }, { alone: true })
    .scenario("inside", () => assert.fail("it runs"), { inProcess: true });
  const { scenarios, operator } = await runOn(shared.source, suite, { deploy: () => Promise.resolve(deployed) });
  assert.deepEqual([operator, meeting.most, deployed.closed, shared.closed], ["deployed", 2, 1, 1]);
  assert.deepEqual(scenarios.map(({ outcome }) => outcome.kind), ["passed", "passed", "passed", "skipped"]);
});

Deno.test("what is known of the pods is attached to the failure of a scenario", async () => {
  await using shared = new SharedCluster();
  const suite = new Suite("notes", notes).scenario("fails", () => Promise.reject(new Error("no")))
    .scenario("passes", () => Promise.resolve());
  const { scenarios } = await runOn(shared.source, suite, { deploy: () => Promise.resolve(deployment()) });
  assert.deepEqual(scenarios.map(({ attachments }) => attachments), [
    [{ title: "log of pod a", text: "last words" }],
    [],
  ]);
});

Deno.test("results stand in the order of the plan, and the listener hears of everything in the order in which it happens", async () => {
  const suite = new Suite("notes", notes);
  const first = Promise.withResolvers<void>();
  suite.scenario("slow", () => first.promise).scenario("quick", async ({ given }) => {
    await given("something", () => {});
    first.resolve();
  });
  const heard: string[] = [];
  const listener: RunListener = {
    onBegin: (planned) => heard.push(`${planned.length} planned`),
    onScenarioBegin: ({ scenario }) => heard.push(`${scenario.name} begins`),
    onStep: ({ scenario }, kind, title, ended) => heard.push(`${scenario.name}: ${kind} ${title} ${ended}`),
    onScenarioEnd: ({ scenario }, { outcome }) => heard.push(`${scenario.name} ${outcome.kind}`),
  };
  const { scenarios, cluster } = await runOn(new EmbeddedSource(), suite, { listener });
  assert.deepEqual(scenarios.map(({ name }) => name), ["slow", "quick"]);
  assert.deepEqual(heard.slice(0, 3), ["2 planned", "slow begins", "quick begins"]);
  assert.deepEqual(heard.slice(3, 5), ["quick: given something false", "quick: given something true"]);
  assert.deepEqual(heard.slice(5).filter((each) => !each.includes("teardown")).sort(), ["quick passed", "slow passed"]);
  for (const name of ["slow", "quick"]) {
    const begins = heard.indexOf(`${name}: teardown delete what it created false`);
    assert.ok(
      begins > 0 && heard.indexOf(`${name} passed`) > heard.indexOf(`${name}: teardown delete what it created true`),
    );
  }
  assert.match(cluster.version, /^v1\.\d+/);
});

Deno.test("the same seed gives the operator the same randomness, another seed another", async () => {
  /** What the operator names an Event, which it does by chance. */
  const named = async (seed: number) => {
    let name = "";
    const suite = new Suite("notes", notes).scenario("one", async (scenario) => {
      await written(scenario);
      await scenario.expect(scenario.ref(Note, "a")).toHaveEvents({ reason: "Written" });
      name = (await scenario.cluster.list(EVENTS))[0]!.metadata!.name!.slice(-5); // the time stands before that
    });
    assert.equal((await runOn(new EmbeddedSource(), suite, { seed })).seed, seed);
    return name;
  };
  const first = await named(7);
  assert.equal(await named(7), first);
  assert.notEqual(await named(8), first);
});

for (const [stage, pattern] of [["opening", /lost the cluster/], ["deploying", /the image is missing/]] as const) {
  Deno.test(`a failure while ${stage} is the run's: no scenario has run, none has passed, nothing is left`, async () => {
    await using shared = new SharedCluster();
    const before = await shared.inventory();
    const suite = new Suite("notes", notes).scenario("one", () => assert.fail("it runs"));
    const source = stage === "opening"
      ? sourceOf(false, () => Promise.reject(new Error("lost the cluster")))
      : shared.source;
    const deploy = () => Promise.reject(new Error("the image is missing"));
    const result = await runOn(source, suite, { deploy });
    assert.equal(result.failures.length, 1);
    assert.match(result.failures[0]!, pattern);
    assert.deepEqual(result.scenarios.map(({ outcome }) => outcome.kind), ["interrupted"]);
    assert.deepEqual(await shared.inventory(), before);
    assert.equal(shared.opened, shared.closed);
  });
}

Deno.test("a cluster that cannot be closed is the run's failure, and the scenarios keep their outcomes", async () => {
  await using shared = new SharedCluster();
  const source = sourceOf(false, async (signal) => {
    const cluster = await shared.source.open(signal);
    return {
      ...cluster,
      [Symbol.asyncDispose]: () => Promise.reject(new Error("kind delete cluster exited with 1")),
    } as Cluster;
  });
  const { scenarios, failures } = await runOn(source, new Suite("notes", notes).scenario("one", written));
  assert.deepEqual([scenarios[0]!.outcome.kind, failures], ["passed", ["kind delete cluster exited with 1"]]);
});

Deno.test("where each has its own cluster, one that cannot be had or closed fails its own scenario alone", async () => {
  const embedded = new EmbeddedSource();
  let nth = 0;
  const source = sourceOf(true, async () => {
    const which = nth++;
    if (which === 0) throw new Error("no memory");
    const cluster = await embedded.open();
    if (which === 2) return cluster;
    const close = async () => {
      await cluster[Symbol.asyncDispose]();
      throw new Error("it does not close");
    };
    return {
      kind: cluster.kind,
      kubeconfig: undefined,
      transport: (user) => cluster.transport(user),
      [Symbol.asyncDispose]: close,
    };
  });
  const suite = new Suite("notes", notes);
  for (const name of ["a", "b", "c"]) suite.scenario(name, written);
  const { scenarios, failures } = await runOn(source, suite, { parallelMax: 1 });
  assert.deepEqual(scenarios.map(({ outcome }) => "message" in outcome ? outcome.message : outcome.kind), [
    "no memory",
    "it does not close",
    "passed",
  ]);
  assert.equal(scenarios[1]!.steps.length, 3, "what was seen of it stays");
  assert.deepEqual(failures, []);
});

for (const isolated of [false, true]) {
  Deno.test(`what the person has to mend is thrown before anything begins (${isolated ? "isolated" : "shared"})`, async () => {
    const suite = new Suite("notes", notes).scenario("one", () => assert.fail("it runs"));
    const lacking = new UsageError("kind cannot be used: it is not installed", "install kind");
    await assert.rejects(runOn(sourceOf(isolated, () => Promise.reject(lacking)), suite), lacking);
    const unreachable = new UnreachableError("https://127.0.0.1:1", "refused");
    await assert.rejects(runOn(sourceOf(isolated, () => Promise.reject(unreachable)), suite), unreachable);
  });
}

/** Runs two scenarios, interrupts at a moment, and makes sure that nothing is left. */
async function interruptedAt(when: "opening" | "installing" | "story" | "clearing" | "waiting"): Promise<string[]> {
  await using shared = new SharedCluster();
  const before = await shared.inventory(), abort = new AbortController();
  const interrupt = () => abort.abort(new Error("interrupted"));
  const source = sourceOf(false, async (signal) => {
    if (when === "opening") interrupt();
    signal.throwIfAborted();
    const cluster = await shared.source.open(signal);
    return {
      ...cluster,
      transport: (user) => {
        const inner = cluster.transport(user);
        return {
          close: () => inner.close(),
          fetch: (path, request) => {
            if (when === "installing" && request?.method === "PATCH" && path.includes("/clusterroles/")) interrupt();
            if (when === "clearing" && request?.method === "DELETE" && path.includes("/notes/")) interrupt();
            return inner.fetch(path, request);
          },
        };
      },
    };
  });
  const suite = new Suite("notes", () => notes({ delete: () => Promise.resolve() }))
    .scenario("first", async (scenario) => {
      await written(scenario);
      if (when !== "story") return;
      interrupt();
      await scenario.then("it would wait for ever", () => new Promise(() => {}));
    })
    .scenario("second", written);
  const listener: RunListener = {
    onStage: (what) => {
      if (when === "waiting" && what?.startsWith("waiting")) interrupt();
    },
  };
  const result = await runOn(source, suite, { signal: abort.signal, listener });
  await settle();
  assert.ok(abort.signal.aborted, "it was interrupted");
  assert.deepEqual(await shared.inventory(), before, "left behind");
  assert.deepEqual([result.failures, shared.opened], [[], shared.closed]);
  return result.scenarios.map(({ outcome }) => outcome.kind);
}

for (
  const [when, outcomes] of [
    ["opening", ["interrupted", "interrupted"]],
    ["installing", ["interrupted", "interrupted"]],
    ["story", ["interrupted", "interrupted"]],
    ["clearing", ["passed", "interrupted"]],
    ["waiting", ["passed", "passed"]],
  ] as const
) {
  Deno.test(`an interruption while ${when} leaves nothing in the cluster, and what had not ended is interrupted`, async () => {
    assert.deepEqual(await interruptedAt(when), outcomes);
  });
}

Deno.test("an interruption of a run with a cluster for each ends what is under way and begins no more", async () => {
  const abort = new AbortController(), suite = new Suite("notes", notes);
  suite.scenario("first", ({ when }) =>
    when("it hangs", () => {
      abort.abort(new Error("interrupted"));
      return new Promise(() => {});
    })).scenario("second", written);
  const { scenarios, failures } = await runOn(new EmbeddedSource(), suite, { signal: abort.signal, parallelMax: 1 });
  assert.deepEqual(scenarios.map(({ outcome }) => outcome.kind), ["interrupted", "interrupted"]);
  assert.deepEqual(failures, []);
});

Deno.test("a run removes the kinds and rights that it installed, and leaves those that were there", async () => {
  await using shared = new SharedCluster();
  const bare = await shared.inventory();
  const suite = new Suite("notes", notes).scenario("one", written);
  await runOn(shared.source, suite);
  assert.deepEqual(await shared.inventory(), bare);
  // Kinds that were there with an object in them, as where the operator's users already have it.
  for (const crd of notes().crds()) await shared.client.apply(CRDS, crd);
  await shared.client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: "users" } });
  const [{ kind }] = notes().declarations as unknown as [{ kind: typeof ConfigMap }];
  await shared.client.create(kind, { ...note("kept"), metadata: { name: "kept", namespace: "users" } });
  const installed = await shared.inventory();
  const { failures } = await runOn(shared.source, suite);
  assert.deepEqual(failures, []);
  assert.deepEqual((await shared.inventory()).filter((each) => !/^ConfigMap users\/kept$/.test(each)), installed);
});

Deno.test("an operator of the same name that is installed differently is not taken over", async () => {
  await using shared = new SharedCluster();
  const ClusterRole = {
    group: "rbac.authorization.k8s.io",
    version: "v1",
    kind: "ClusterRole",
    plural: "clusterroles",
    namespaced: false,
  };
  const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
  const role = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "notes" },
    rules,
  };
  await shared.client.create(ClusterRole, role as unknown as DynamicObject);
  const before = await shared.inventory();
  const suite = new Suite("notes", notes).scenario("one", () => assert.fail("it runs"));
  await assert.rejects(runOn(shared.source, suite), {
    name: "UsageError",
    message: "ClusterRole notes is in this cluster already, and not as this operator declares it",
    hint: /uninstall it, or test on another cluster/,
  });
  assert.deepEqual(await shared.inventory(), before);
  assert.deepEqual((await shared.client.get<DynamicObject>(ClusterRole, { name: "notes" })).rules, rules);
});

Deno.test("runs that follow each other on a cluster bring its kinds up to date and leave them for the next", async () => {
  await using shared = new SharedCluster();
  const suite = new Suite("notes", notes).scenario("one", written);
  for (let time = 0; time < 2; time++) {
    const { scenarios, failures } = await runOn(shared.source, suite, { moreFollow: true });
    assert.deepEqual([scenarios[0]!.outcome.kind, failures], ["passed", []]);
  }
  assert.ok((await shared.inventory()).includes("CustomResourceDefinition /notes.harness.test.pintle.dev"));
});

Deno.test("two runs on one cluster at the same time do not see each other", async () => {
  await using shared = new SharedCluster();
  const suite = new Suite("notes", notes).scenario("one", written).scenario("two", written);
  // The account and kinds are there for both.
  await runOn(shared.source, suite, { moreFollow: true });
  const runs = await Promise.all([0, 1].map(() => runOn(shared.source, suite, { moreFollow: true })));
  for (const { scenarios } of runs) {
    assert.deepEqual(scenarios.map(({ outcome }) => outcome.kind), ["passed", "passed"]);
  }
});

Deno.test("a run of nothing passes nothing", async () => {
  const result = await runScenarios([], {
    source: new EmbeddedSource(),
    clock: new SystemClock(),
    signal: new AbortController().signal,
    parallelMax: 1,
    waitMsMax: 1,
    seed: 1,
    runId: "none",
  });
  assert.deepEqual([result.scenarios, result.failures], [[], []]);
});
