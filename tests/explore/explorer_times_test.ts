import assert from "node:assert/strict";
import { defineResource, Operator, requeueAfter, TemporaryError } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { explore, formatPlan, type PlanKind } from "../../lib/explore/mod.ts";
import { planRun } from "../../lib/harness/mod.ts";

const Probe = defineResource({
  group: "probes.example.com",
  version: "v1",
  kind: "Probe",
  spec: z.object({}),
  status: z.object({
    checks: z.int().optional(),
    copies: z.int().optional(),
    due: z.string().optional(),
    failedAttempts: z.int().optional(),
    lastError: z.string().optional(),
  }),
});

const RENEWAL_MS = 300_000, HOUR_MS = 3_600_000;

class Network {
  readonly answers = new Set<string>();

  ask(): void {
    this.answers.add("yes");
  }
}

type Declare = (operator: Operator, network: Network) => unknown;

async function explored(declare: Declare, kinds: readonly PlanKind[], renewals = 0) {
  const suite = new Suite("probes", {
    world: () => new Network(),
    operator: (network) => {
      const made = new Operator("probes");
      declare(made, network);
      return made;
    },
  });
  suite.scenario("a probe", async ({ given, then, cluster, expect, ref }) => {
    await given("a probe", () => cluster.create(Probe, { metadata: { name: "a" }, spec: {} }));
    await then("it is ready", () => expect(ref(Probe, "a")).toHaveCondition("Ready"));
    const copies = { status: { copies: renewals } };
    if (renewals > 0) await then("it is renewed", () => expect(ref(Probe, "a")).toMatch(copies));
  }, { timeout: "20m" });
  const options = { seed: 7, waitMsMax: 600_000, signal: new AbortController().signal, kinds };
  const { problem, failures, masked, faultless, generated } = await explore(planRun([suite as Suite])[0]!, options);
  assert.equal(problem, undefined);
  return { failed: failures.map(({ plan }) => formatPlan(plan)), masked, faultless, generated };
}

// FR-583
Deno.test("a number that grows at each restart without a fault is masked, and one that only a crash changes is not", async () => {
  const counts = (operator: Operator) =>
    operator.on(Probe).timer(({ object, status }) => {
      status.set({ checks: (object.status?.checks ?? 0) + 1 });
    }, { interval: "5m" });
  const counted = await explored(counts, ["crash"]);
  assert.deepEqual([counted.failed, counted.masked], [[], ["Probe status.checks"]]);
  const countsTwice = (operator: Operator) =>
    operator.on(Probe).create(async ({ object, namespace, name, client }) => {
      const body = { status: { copies: (object.status?.copies ?? 0) + 1 } };
      await client.patch(Probe, { namespace, name }, { type: "merge", subresource: "status", body });
    });
  const { failed, masked } = await explored(countsTwice, ["crash"]);
  assert.deepEqual([failed.length > 0, masked], [true, []]);
});

// FR-583
Deno.test("a status may count failures and describe the last one", async () => {
  const counts: Declare = (operator, network) =>
    operator.on(Probe).reconcile(({ object, status }) => {
      try {
        network.ask();
      } catch (error) {
        status.set({ failedAttempts: (object.status?.failedAttempts ?? 0) + 1, lastError: `${error}` });
        throw new TemporaryError("no answer", { delay: "5s" });
      }
    });
  const { failed, masked } = await explored(counts, ["errors"]);
  assert.deepEqual([failed, masked], [[], []]);
});

/** Makes a copy, and another one when its time of day has come; `later` says when to look again. */
function renews(later: (dueMs: number) => ReturnType<typeof requeueAfter> | void): Declare {
  return (operator) =>
    operator.on(Probe).reconcile(({ object, status }) => {
      const { copies = 0, due = "1970-01-01" } = object.status ?? {}, dueMs = Date.parse(due);
      if (copies === 2) return;
      if (Date.now() < dueMs) return later(dueMs);
      status.set({ copies: copies + 1, due: new Date(Date.now() + RENEWAL_MS).toISOString() });
      return requeueAfter(RENEWAL_MS);
    });
}

// FR-584
Deno.test("what is due at a time of day may come later by as much as the clock is set back, but it must come", async () => {
  const { failed } = await explored(renews((dueMs) => requeueAfter(dueMs - Date.now())), ["clock"], 2);
  assert.deepEqual(failed, []);
  const never = await explored(renews(() => {}), ["clock"], 2);
  assert.ok(never.failed.some((plan) => plan.endsWith("-3600000")), `${never.failed}`);
});

// FR-601
Deno.test("what an hour more changes without a fault may change if the clock is set forward by an hour, and nothing else", async () => {
  const hourly: Declare = (operator) =>
    operator.on(Probe).reconcile(({ object, status }) => {
      const { copies = 0, due } = object.status ?? {}, lateMs = due ? Date.now() - Date.parse(due) : 0;
      if (due && lateMs < 0) return requeueAfter("20s");
      status.set({ copies: copies + 1, due: new Date(Date.now() + HOUR_MS).toISOString() });
      return requeueAfter("20s");
    });
  assert.deepEqual((await explored(hourly, ["clock"])).failed, []);
  const impatient: Declare = (operator) =>
    operator.on(Probe).reconcile(({ object, status }) => {
      const { due, copies } = object.status ?? {};
      if (copies) return;
      if (!due) {
        status.set({ due: new Date().toISOString() });
        return requeueAfter("5s");
      }
      status.set({ copies: Date.now() - Date.parse(due) < RENEWAL_MS ? 1 : 2 });
    });
  const { failed } = await explored(impatient, ["clock"]);
  assert.ok(failed.some((plan) => plan.endsWith(":3600000")), `${failed}`);
});

// FR-586
Deno.test("what is wrong without a fault is named: an operator that never comes to rest, an error that no code handles", async () => {
  const restless = (operator: Operator) =>
    operator.on(Probe).timer(({ status }) => status.set({ copies: Math.floor(Math.random() * 1e9) }), {
      interval: "10s",
    });
  const { failed, faultless, generated } = await explored(restless, []);
  assert.deepEqual(failed, []);
  assert.deepEqual(faultless, ["the operator never comes to rest, and still sends patch probes/status run-home/a"]);
  assert.ok(generated < 500, `${generated} plans, of half an hour`);
  const careless = (operator: Operator) =>
    operator.on(Probe).reconcile(() => void Promise.reject(new Error("too late")));
  assert.deepEqual((await explored(careless, [])).faultless, ["an error that no code handles: too late"]);
});
