import assert from "node:assert/strict";
import { ConfigMap, CronJob, Deployment, PodDisruptionBudget, Secret, Service } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import { operator } from "../operator.ts";
import { WebApp } from "../web_app.ts";

export const webApps: Suite = new Suite("web apps", () => operator());

const image = "registry.k8s.io/pause:3.10";
const shop = (spec: object = {}) => ({ metadata: { name: "shop" }, spec: { image, ...spec } });

webApps.scenario("an app gets its children, and is Ready when its pods are", async (scenario) => {
  const { given, when, then, cluster, expect, ref, makeReady } = scenario, app = ref(WebApp, "shop");
  await given("an app of two pods", () => cluster.create(WebApp, shop({ replicas: 2, config: { GREETING: "hello" } })));
  await then("its children exist", async () => {
    await expect(ref(ConfigMap, "shop")).toMatch({ data: { GREETING: "hello" } });
    await expect(ref(Service, "shop")).toMatch({ spec: { ports: [{ port: 80, targetPort: 8080 }] } });
    await expect(ref(Deployment, "shop")).toMatch({ spec: { replicas: 2 } });
    await expect(ref(PodDisruptionBudget, "shop")).toExist();
  });
  await when("its pods are ready", () => makeReady(ref(Deployment, "shop")));
  await then("so is the app", async () => {
    await expect(app).toHaveCondition("Ready", true, { reason: "Available" });
    await expect(app).toMatch({ status: { readyReplicas: 2 } });
  });
});

webApps.scenario("a rollout that fails is reported by the app", async (scenario) => {
  const { given, when, then, cluster, expect, ref, makeFail } = scenario;
  await given("an app", () => cluster.create(WebApp, shop()));
  await when("its pods do not start", () => makeFail(ref(Deployment, "shop"), "the image cannot be pulled"));
  const failed = { reason: "RolloutFailed", message: /cannot be pulled/ };
  await then("the app says so", () => expect(ref(WebApp, "shop")).toHaveCondition("Ready", false, failed));
});

webApps.scenario("a change of the configuration rolls the pods, and keeps the key", async (scenario) => {
  const { given, when, then, cluster, expect, ref } = scenario, deployment = ref(Deployment, "shop");
  const hashOf = ({ spec }: { spec?: { template: { metadata?: { annotations?: Record<string, string> } } } }) =>
    spec?.template.metadata?.annotations?.["web-app.example.com/config-hash"];
  const [before, secret] = await given("an app", async () => {
    await cluster.create(WebApp, shop({ config: { GREETING: "hello" } }));
    return [hashOf(await expect(deployment).toExist()), await expect(ref(Secret, "shop")).toExist()] as const;
  });
  await when(
    "its configuration changes",
    () => cluster.patch(ref(WebApp, "shop"), { spec: { config: { GREETING: "hi" } } }),
  );
  await then("the pods get another hash", async () => {
    await expect(deployment).toSatisfy("to have another hash", (object) => hashOf(object) !== before);
  });
  await then("the key is the same", async () => {
    assert.deepEqual((await cluster.get(ref(Secret, "shop"))).data, secret.data);
  });
});

webApps.scenario("a job and a budget that are no longer wanted go, and the key stays", async (scenario) => {
  const { given, when, then, cluster, expect, ref } = scenario, app = ref(WebApp, "shop");
  await given("an app with both", async () => {
    const job = { schedule: "0 3 * * *", command: ["/pause", "--version"] };
    await cluster.create(WebApp, shop({ replicas: 2, job }));
    await expect(ref(CronJob, "shop")).toMatch({ spec: { schedule: "0 3 * * *" } });
    await expect(ref(PodDisruptionBudget, "shop")).toExist();
  });
  await when("it needs neither", () => cluster.patch(app, { spec: { replicas: 1, job: null } }));
  await then("both go", async () => {
    await expect(ref(CronJob, "shop")).toBeGone();
    await expect(ref(PodDisruptionBudget, "shop")).toBeGone();
  });
  await then("the key stays", () => expect(ref(Secret, "shop")).toExist());
});

webApps.scenario("an app gets a host of its own, and no other app gets the same", async (scenario) => {
  const { given, when, then, cluster, namespace, ref } = scenario, host = `shop.${namespace}.apps.example.com`;
  const made = await when("an app is created without a host", () => cluster.create(WebApp, shop()));
  await then("it has one", () => assert.equal(made.spec.host, host));
  await then("it cannot change", async () => {
    const change = cluster.patch(ref(WebApp, "shop"), { spec: { host: "other.example.com" } });
    await assert.rejects(change, /spec\.host cannot change/);
  });
  const other = await given("another namespace", () => cluster.makeNamespace("other"));
  await then("a second app of that host is refused", async () => {
    const second = { metadata: { name: "shop", namespace: other }, spec: { image, host } };
    await assert.rejects(cluster.create(WebApp, second), new RegExp(`spec.host ${host} belongs to ${namespace}/shop`));
  });
});
