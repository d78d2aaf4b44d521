import assert from "node:assert/strict";
import { defineResource, Operator } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { explore, formatPlan, parsePlan } from "../../lib/explore/mod.ts";
import { planRun } from "../../lib/harness/mod.ts";

const OPTIONS = { seed: 7, waitMsMax: 600_000, signal: new AbortController().signal };
const Lease = defineResource({
  group: "machines.example.com",
  version: "v1",
  kind: "Lease",
  spec: z.object({ size: z.int() }),
  status: z.object({ machine: z.string().optional() }),
});

/** A provider of machines, and of addresses for them. */
class Provider {
  readonly machines = new Map<string, string>();
  readonly addresses = new Map<string, string>();

  rent(key: string): Promise<string> {
    const machine = `m-${this.machines.size + 1}`;
    if (!this.machines.has(key)) this.machines.set(key, machine);
    return Promise.resolve(this.machines.get(key)!);
  }

  address(machine: string): Promise<void> {
    this.addresses.set(machine, "10.0.0.1");
    return Promise.resolve();
  }
}

/** Rents a machine without a key of its own where it has a bug: a scenario of the status alone does not see it. */
function suiteOf(hasBug: boolean): Suite<Provider> {
  const suite = new Suite("machines", {
    world: () => new Provider(),
    operator: (provider) => {
      const made = new Operator("machines");
      made.on(Lease).reconcile(async ({ uid, object, status }) => {
        if (object.status?.machine) return;
        const machine = await provider.rent(hasBug ? `${provider.machines.size}` : uid);
        await provider.address(machine);
        status.set({ machine });
      });
      return made;
    },
  });
  return suite.scenario("a machine is rented", async ({ given, then, cluster, expect, ref }) => {
    await given("a lease", () => cluster.create(Lease, { metadata: { name: "a" }, spec: { size: 1 } }));
    await then(
      "it has a machine",
      () => expect(ref(Lease, "a")).toSatisfy("a machine", ({ status }) => status?.machine !== undefined),
    );
  });
}

// FR-506
Deno.test("what a crash after a call leaves in the suite's world is found, and not in the operator without the bug", async () => {
  const [planned] = planRun([suiteOf(true) as Suite]);
  const { failures, problem } = await explore(planned!, { ...OPTIONS, kinds: ["crash"] });
  assert.equal(problem, undefined);
  const calls = failures.filter(({ plan }) => plan.faults[0]!.at === "call").map(({ plan }) => formatPlan(plan));
  assert.deepEqual(calls, ["call:1:crash", "call:2:crash"]);
  assert.match(failures[0]!.findings.map(({ message }) => message).join("\n"), /world\.machines/);
  const [fixed] = planRun([suiteOf(false) as Suite]), clean = await explore(fixed!, { ...OPTIONS });
  assert.deepEqual(clean.failures.map(({ plan, findings }) => [formatPlan(plan), findings[0]!.message]), []);
});

// FR-502
Deno.test("a bounded number of plans has some of each kind, the same for the same seed", async () => {
  const [planned] = planRun([suiteOf(false) as Suite]), runs: string[][] = [];
  for (let nth = 0; nth < 2; nth++) {
    const { exploredKinds, explored } = await explore(planned!, { ...OPTIONS, plansMax: 8 });
    assert.equal(explored, 8);
    runs.push([...exploredKinds.keys()]);
  }
  assert.ok(runs[0]!.length >= 6, runs[0]!.join());
  assert.deepEqual(runs[0], runs[1]);
});

// FR-506
Deno.test("an operator whose start fails at a call of the world starts again", async () => {
  const suite = new Suite("opened", {
    world: () => new Provider(),
    operator: (provider) => {
      const made = new Operator("opened");
      made.startup(async () => void await provider.rent("store"));
      made.on(Lease).reconcile(({ status }) => status.set({ machine: provider.machines.get("store")! }));
      return made;
    },
  });
  suite.scenario("a lease names the store", async ({ given, then, cluster, expect, ref }) => {
    await given("a lease", () => cluster.create(Lease, { metadata: { name: "a" }, spec: { size: 1 } }));
    await then("it has the store", () => expect(ref(Lease, "a")).toMatch({ status: { machine: "m-1" } }));
  });
  const [planned] = planRun([suite as Suite]), plan = parsePlan("call:1:fail")!;
  const { explored, failures, problem } = await explore(planned!, { ...OPTIONS, plan });
  assert.deepEqual([problem, explored, failures.map(({ findings }) => findings)], [undefined, 1, []]);
});
