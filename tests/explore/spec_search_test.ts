import assert from "node:assert/strict";
import { ConfigMap, defineResource, Job, type ObjectOf, Operator, PermanentError, Secret } from "@pintle/pintle";
import type { ReconcileContext } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { type Exploration, explore, formatPlan, parsePlan } from "../../lib/explore/mod.ts";
import { planRun } from "../../lib/harness/mod.ts";
import { podSpec } from "./pods.ts";

const App = defineResource({
  group: "apps.example.com",
  version: "v1",
  kind: "App",
  spec: z.object({
    size: z.int().min(0).max(3).default(1),
    mode: z.enum(["plain", "fancy"]).default("plain"),
    suspend: z.boolean().default(false),
  }).refine(({ size, mode }) => size < 3 || mode === "plain"),
  status: z.object({
    sizes: z.array(z.int()).optional(),
    size: z.int().optional(),
    changes: z.int().optional(),
    id: z.string().optional(),
  }),
});

type AppContext = ReconcileContext<ObjectOf<typeof App>, ObjectOf<typeof App>["spec"], { size?: number }>;
/** What outlives a pass. */
interface Memory {
  count: number;
  isBroken: boolean;
}
interface Pass extends AppContext {
  readonly memory: Memory;
  /** The ConfigMap that the spec asks for. */
  readonly configured: () => Promise<unknown>;
  readonly known: ObjectOf<typeof ConfigMap> | undefined;
}

function suiteOf(reconcile: (pass: Pass) => unknown, exceptions: Suite["explore"] = {}, mayAll = true): Suite {
  const suite = new Suite<Memory>("apps", {
    world: () => ({ count: 0, isBroken: false }),
    explore: exceptions,
    operator: (memory) => {
      const operator = new Operator("apps");
      operator.on(App).reconcile(async (context) => {
        const { name, namespace, spec, apply, cached } = context;
        const configured = () => apply(ConfigMap, { data: { size: `${spec.size}`, mode: spec.mode } });
        const known = cached(ConfigMap).get({ namespace, name });
        await reconcile({ ...context, memory, configured, known } as unknown as Pass);
      }, { owns: [ConfigMap, Job] });
      if (mayAll) operator.permissions({ apiGroups: [""], resources: ["secrets", "configmaps"], verbs: ["*"] });
      return operator;
    },
  });
  suite.scenario("there is an app", async ({ given, then, cluster, ref, expect }) => {
    await given("an app", () => cluster.create(App, { metadata: { name: "a" }, spec: { size: 2 } }));
    await then("it is there", () => expect(ref(App, "a")).toHaveCondition("Ready"));
  });
  return suite as Suite;
}

const OPTIONS = { seed: 7, waitMsMax: 600_000, signal: new AbortController().signal };

async function explored(...suite: Parameters<typeof suiteOf>): Promise<Exploration> {
  return await explore(planRun([suiteOf(...suite)])[0]!, { ...OPTIONS, kinds: ["specs"] });
}

/** What is found where the spec changes by these steps. */
async function findings(steps: string, ...suite: Parameters<typeof suiteOf>): Promise<string[]> {
  const plan = parsePlan(`spec:App/run-home/a:${steps}`);
  const { problem, explored, failures } = await explore(planRun([suiteOf(...suite)])[0]!, { ...OPTIONS, plan });
  assert.deepEqual([problem, explored], [undefined, 1]);
  return failures.flatMap(({ findings }) => findings.map(({ message }) => message));
}

function assertFound(found: readonly string[], ...wanted: readonly RegExp[]): void {
  for (const each of wanted) assert.ok(found.some((text) => each.test(text)), `${each} in\n${found.join("\n")}`);
}

// FR-550
Deno.test("an operator that follows its spec passes, and what the server refuses is counted, not run", async () => {
  const { failures, explored: count, pruned, exploredKinds, generated } = await explored(({ configured }) =>
    configured()
  );
  assert.deepEqual(failures, []);
  assert.deepEqual([...exploredKinds.keys()], ["specs"]);
  assert.ok(count > 5);
  assert.deepEqual([...pruned.keys()], ["refused"]);
  assert.equal(generated, count + pruned.get("refused")!);
});

// FR-552
Deno.test("a field that is read at the creation alone differs from that of a new object", async () => {
  const buggy = await findings(
    '{"mode":"fancy"}',
    ({ apply, spec, known }) =>
      apply(ConfigMap, { data: { size: `${spec.size}`, mode: known?.data?.mode ?? spec.mode } }),
  );
  assertFound(
    buggy,
    /^with the changed spec: ConfigMap run-home\/a data\.mode: "plain" instead of "fancy"/,
  );
  assert.ok(buggy.every((each) => each.includes("data.mode")), buggy.join("\n"));
});

// FR-552
Deno.test("what the suite declares to differ is no failure of a spec either", async () => {
  const found = await findings(
    '{"mode":"fancy"}',
    ({ apply, spec, known }) => apply(ConfigMap, { data: { mode: known?.data?.mode ?? spec.mode } }),
    { ignore: ["ConfigMap.data.mode"] },
  );
  assert.deepEqual(found, []);
});

// FR-552
Deno.test("what a spec has made and another one does not want is an object too many", async () => {
  const fancy = { metadata: { name: "fancy" }, data: {} };
  const buggy = await findings('{"mode":"fancy"}', async ({ apply, spec, configured }) => {
    await configured();
    if (spec.mode === "fancy") await apply(ConfigMap, fancy);
  });
  assertFound(buggy, /^back at the first spec: ConfigMap run-home\/fancy should not exist/);
  const fixed = await findings('{"mode":"fancy"}', async ({ apply, prune, spec, configured }) => {
    await configured();
    if (spec.mode === "fancy") await apply(ConfigMap, fancy);
    await prune();
  });
  assert.deepEqual(fixed, []);
});

// FR-553
Deno.test("an operator that does not come back from a spec fails, also over a second one", async () => {
  const stuck = async ({ known, status, configured }: Pass) => {
    if (known?.data?.size !== "0") return await configured();
    status.condition({ type: "Ready", status: false, reason: "Empty", message: "waits for a size" });
  };
  for (const steps of ['{"size":0}', '{"size":0},{"size":3}']) {
    assertFound(
      await findings(steps, stuck),
      /^back at the first spec: ConfigMap run-home\/a data\.size: "0" instead of "2"/,
    );
  }
});

// FR-553
Deno.test("an operator may refuse a spec with a condition, if it comes back from that", async () => {
  const refuse = (spec: Pass["spec"]) => {
    if (spec.size === 0) throw new PermanentError("an app needs a size", { reason: "NoSize" });
  };
  const good = await findings('{"size":0}', ({ spec, configured }) => {
    refuse(spec);
    return configured();
  });
  assert.deepEqual(good, []);
  const bad = await findings('{"size":0}', ({ spec, memory, configured }) => {
    memory.isBroken ||= spec.size === 0;
    refuse(memory.isBroken ? { ...spec, size: 0 } : spec);
    return configured();
  });
  assertFound(
    bad,
    /^back at the first spec: App run-home\/a status\.conditions\[Ready\]\.status: "False"/,
  );
});

// FR-554
Deno.test("a handler's fault is a failure, and what it throws about the input is none", async () => {
  const faulty = await findings('{"mode":"fancy"}', ({ spec, configured }) => {
    if (spec.mode === "fancy") (undefined as unknown as { colour: string }).colour.trim();
    return configured();
  });
  assertFound(
    faulty,
    /^a handler throws: Cannot read properties of undefined \(reading 'colour'\)/,
  );
  const strict = await findings('{"mode":"fancy"}', ({ spec, configured }) => {
    if (spec.mode === "fancy") new URL("no url");
    return configured();
  });
  assert.deepEqual(strict, []);
});

// FR-554
Deno.test("an error that no code handles is a failure of its spec", async () => {
  const found = await findings('{"mode":"fancy"}', ({ spec, configured }) => {
    if (spec.mode === "fancy") void Promise.reject(new Error("no code awaits it"));
    return configured();
  });
  assertFound(found, /^an error that no code handles: no code awaits it/);
});

// FR-554
Deno.test("an operator that writes without end for a spec is named", async () => {
  const found = await findings(
    '{"mode":"fancy"}',
    ({ spec, apply, memory, configured }) =>
      spec.mode === "fancy" ? apply(ConfigMap, { data: { count: `${++memory.count}` } }) : configured(),
  );
  assertFound(found, /^with the changed spec the operator never comes to rest/);
});

// FR-554
Deno.test("a rule that only another spec needs is named", async () => {
  const create = async ({ spec, client, namespace, configured }: Pass) => {
    await configured();
    if (spec.mode === "fancy") await client.find(Secret, { namespace, name: "extra" });
  };
  assertFound(await findings('{"mode":"fancy"}', create, {}, false), /^a request of the operator is forbidden/);
  assert.deepEqual(await findings('{"mode":"fancy"}', create), []);
});

// FR-552
Deno.test("counters, random values, ids of other systems and Jobs of earlier specs are no failures", async () => {
  const found = await findings('{"size":0}', async ({ object, spec, status, uid, memory, apply, configured }) => {
    await configured();
    const { status: before } = object as unknown as { status?: { size?: number; changes?: number; id?: string } };
    if (before?.size !== spec.size) {
      const id = spec.size === 0 ? `account-${++memory.count}` : crypto.randomUUID().slice(0, 8);
      status.set({ size: spec.size, changes: (before?.changes ?? 0) + 1, id } as never);
    }
    const template = { spec: { ...podSpec, restartPolicy: "Never" } };
    await apply(Job, { metadata: { name: `to-${spec.size}-${uid.slice(0, 4)}` }, spec: { template } });
  });
  assert.deepEqual(found, []);
});

// FR-553
Deno.test("an operator may refuse the way back, if it says that it is none", async () => {
  const oneWay = ({ known, configured, status, spec }: Pass, message: string) => {
    if (Number(known?.data?.size ?? 0) <= spec.size) return configured();
    status.condition({ type: "Ready", status: false, reason: "Kept", message });
  };
  assert.deepEqual(await findings('{"size":3}', (pass) => oneWay(pass, "the size cannot be reduced")), []);
  const silent = await findings('{"size":3}', (pass) => oneWay(pass, "waits"));
  assertFound(silent, /^back at the first spec: ConfigMap run-home\/a data\.size: "3" instead of "2"/);
});

// FR-552
Deno.test("what one spec after another lists in another order is the same", async () => {
  const newestFirst = async ({ object, spec, status, configured }: Pass) => {
    await configured();
    const former = (object.status as { sizes?: number[] } | undefined)?.sizes ?? [];
    const added = [...Array(spec.size).keys()].filter((each) => !former.includes(each));
    status.set({ sizes: [...added, ...former.filter((each) => each < spec.size)] } as never);
  };
  assert.deepEqual(await findings('{"size":3}', newestFirst), []);
});

// FR-552
Deno.test("an operator that a spec stops leaves what it made", async () => {
  const found = await findings('{"suspend":true}', ({ spec, configured }) => spec.suspend ? undefined : configured());
  assert.deepEqual(found, []);
});

// FR-550
Deno.test("a plan of specs is found again by its name, and one of another object is a problem", async () => {
  const planned = planRun([
    suiteOf(({ apply, spec, known }) => apply(ConfigMap, { data: { mode: known?.data?.mode ?? spec.mode } })),
  ])[0]!;
  const first = await explore(planned, { ...OPTIONS, kinds: ["specs"], failuresMax: 1 });
  const name = formatPlan(first.failures[0]!.plan),
    again = await explore(planned, { ...OPTIONS, plan: parsePlan(name) });
  assert.deepEqual(again.failures.map(({ findings }) => findings), first.failures.map(({ findings }) => findings));
  const other = await explore(planned, { ...OPTIONS, plan: parsePlan('spec:App/run-home/b:{"size":1}') });
  assert.match(other.problem!, /leaves no object of this plan's kind and name/);
  const mistyped = await explore(planned, { ...OPTIONS, plan: parsePlan('spec:App/run-home/a:{"siez":1}') });
  assert.deepEqual([mistyped.problem, mistyped.explored], ["App has no field spec.siez", 0]);
});

// FR-550
Deno.test("a scenario without an object of the operator's kinds is skipped", async () => {
  const suite = new Suite("none", () => {
    const operator = new Operator("none");
    operator.on(ConfigMap).event(() => {});
    return operator;
  });
  suite.scenario("there is nothing", () => Promise.resolve());
  const { skipped } = await explore(planRun([suite])[0]!, { ...OPTIONS, kinds: ["specs"] });
  assert.match(skipped!, /no object/);
});
