import assert from "node:assert/strict";
import {
  ConfigMap,
  CronJob,
  Deployment,
  PodDisruptionBudget,
  Secret,
  type SecretObject,
  Service,
} from "@pintle/pintle";
import { type ScenarioContext, Suite, type WriteFault } from "@pintle/pintle/testing";
import { operator } from "../operator.ts";
import { WebApp } from "../web_app.ts";
import { FakeOutside } from "./fake_outside.ts";

export const crashes = new Suite("crashes", {
  world: () => new FakeOutside(),
  operator: ({ dns, ask }) => operator({ dns, ask, pause: "50ms" }),
});

const children = [ConfigMap, Secret, Service, Deployment, CronJob, PodDisruptionBudget];
const app = (name: string) => ({
  metadata: { name },
  spec: {
    image: "registry.k8s.io/pause:3.10",
    replicas: 2,
    host: `${name}.example.com`,
    job: { schedule: "0 3 * * *", command: ["/pause", "--version"] },
  },
});

/** Starts an operator that dies at its `nth` write, before or after the server sees it. False if it has fewer. */
async function diesAt(nth: number, how: "dieBefore" | "dieAfter", { operator }: ScenarioContext<FakeOutside>) {
  let died = false;
  const fault: WriteFault = (_request, nthWrite) => {
    if (nthWrite !== nth) return "pass";
    died = true;
    return how;
  };
  await operator.inProcess.start({ fault });
  await operator.inProcess.idleThenCrash();
  return died;
}

for (const how of ["dieBefore", "dieAfter"] as const) {
  crashes.scenario(`killed at any write of a creation (${how}), the next operator completes it`, async (scenario) => {
    const { given, when, then, cluster, namespace, operator, expect, ref, world } = scenario;
    for (let nth = 1, died = true; died; nth++) {
      const name = `app-${nth}`, secret = ref(Secret, name);
      await given(`app ${nth}`, () => cluster.create(WebApp, app(name)));
      died = await when(`the operator dies at write ${nth}`, () => diesAt(nth, how, scenario));
      const key = await cluster.client.find<SecretObject>(Secret, secret.key);
      await when("another one starts", () => operator.start());
      await then("the app is complete", async () => {
        await expect(ref(WebApp, name)).toMatch({ status: { observedGeneration: 1 } });
        for (const kind of children) await cluster.client.get(kind, { namespace, name });
        assert.ok(world.records.has(`${name}.example.com`));
      });
      await then("a key that was made is kept", async () => {
        if (key) assert.deepEqual((await cluster.get(secret)).data, key.data);
      });
      await operator.crash();
    }
  }, { operator: "stopped", inProcess: true });

  crashes.scenario(`killed at any write of a deletion (${how}), the next operator completes it`, async (scenario) => {
    const { given, when, then, cluster, operator, expect, ref, world } = scenario;
    for (let nth = 1, died = true; died; nth++) {
      const name = `app-${nth}`;
      await given(`app ${nth}, complete and to be deleted`, async () => {
        await cluster.create(WebApp, app(name));
        await operator.start();
        await expect(ref(WebApp, name)).toMatch({ status: { observedGeneration: 1 } });
        await operator.pause();
        await cluster.delete(ref(WebApp, name));
      });
      died = await when(`the operator dies at write ${nth}`, () => diesAt(nth, how, scenario));
      await when("another one starts", () => operator.start());
      await then("the app and its record are gone", async () => {
        await expect(ref(WebApp, name)).toBeGone();
        assert.equal(world.records.size, 0);
      });
      await operator.crash();
    }
  }, { operator: "stopped", inProcess: true });
}
