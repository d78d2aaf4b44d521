import { ObjectIndex } from "../../lib/handling/mod.ts";
import assert from "node:assert/strict";
import * as z from "zod";
import { ConfigMap, defineResource, Operator } from "../../lib/operator/mod.ts";
import { AdmissionError, webhookConfigurations } from "../../lib/admission/mod.ts";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { ApiError, Client } from "../../lib/client/mod.ts";
import { type Cluster, EmbeddedCluster } from "../../lib/harness/mod.ts";
import { configurationOf } from "../../lib/operator/webhook_hosting.ts";
import { World } from "../world.ts";
import { realKubeconfig } from "../cluster.ts";

const Gadget = defineResource({
  group: "admission.test.pintle.dev",
  version: "v1",
  kind: "Gadget",
  spec: z.object({
    size: z.int().min(1).default(1),
    team: z.string().optional(),
    note: z.string().optional(),
  }).refine(({ size, note }) => size < 100 || note !== undefined, {
    error: "a huge gadget needs a note",
    path: ["note"],
  }),
  status: z.object({ phase: z.string().optional() }),
});

let operators = 0;
const newOperator = () => new Operator(`admission-${operators++}`);

function gadget(world: World, name: string, spec: Record<string, unknown> = {}, metadata: object = {}) {
  const apiVersion = "admission.test.pintle.dev/v1";
  return { apiVersion, kind: "Gadget", metadata: { name, namespace: world.home, ...metadata }, spec };
}

const refusedWith = (code: number, message: RegExp) => (error: unknown) =>
  error instanceof ApiError && error.status.code === code && message.test(error.message);

// FR-246
Deno.test("handlers of a running operator refuse and change what clients write to the API server", async () => {
  const operator = newOperator();
  operator.on(Gadget)
    .mutate(
      ({ draft, user }) => void (draft.spec.team ??= user.groups.includes("system:masters") ? "admins" : "others"),
      {
        id: "team",
      },
    )
    .validate(({ spec, oldSpec }) => {
      if (oldSpec && spec.size < oldSpec.size) throw new AdmissionError("spec.size cannot shrink", { code: 422 });
    }, { id: "grow" });
  await using world = await World.open(operator);
  await world.start();
  const made = await world.client.create(Gadget, gadget(world, "a", { size: 5 }));
  assert.equal((made.spec as { team?: string }).team, "admins");
  const shrink = world.client.patch(Gadget, { namespace: world.home, name: "a" }, {
    type: "merge",
    body: { spec: { size: 4 } },
  });
  await assert.rejects(shrink, refusedWith(422, /grow.*denied the request: spec.size cannot shrink/));
  const huge = world.client.create(Gadget, gadget(world, "b", { size: 100 }));
  await assert.rejects(huge, refusedWith(422, /spec.note: a huge gadget needs a note/));
  const tried = await world.client.create(Gadget, gadget(world, "c"), { dryRun: true });
  assert.equal((tried.spec as { team?: string }).team, "admins");
  assert.equal(await world.client.find(Gadget, { namespace: world.home, name: "c" }), undefined);
});

// FR-246
Deno.test("a handler of status looks at status alone, and one of deletions can keep an object", async () => {
  const operator = newOperator();
  operator.on(Gadget)
    .validate(({ object, subresource }) => {
      if (object.status?.phase === "Broken") throw new AdmissionError(`no ${subresource} says that`);
    }, { id: "phase", operations: ["UPDATE"], subresource: "status" })
    .validate(({ annotations }) => {
      if (annotations.keep) throw new AdmissionError("it is kept");
    }, { id: "keep", operations: ["DELETE"] });
  await using world = await World.open(operator);
  await world.start();
  const key = { namespace: world.home, name: "a" };
  await world.client.create(Gadget, gadget(world, "a", {}, { annotations: { keep: "1" } }));
  const say = (phase: string) =>
    world.client.patch(Gadget, key, { type: "merge", subresource: "status", body: { status: { phase } } });
  await assert.rejects(say("Broken"), refusedWith(403, /no status says that/));
  await say("Ready");
  await assert.rejects(world.client.delete(Gadget, key), refusedWith(403, /it is kept/));
  await world.client.patch(Gadget, key, { type: "merge", body: { metadata: { annotations: { keep: null } } } });
  await world.client.delete(Gadget, key);
});

// FR-246
Deno.test("handlers read the cluster and look up indexes that are complete", async () => {
  const operator = newOperator();
  const byTeam = new ObjectIndex(
    "gadgets by team",
    (object: { spec?: { team?: string }; metadata?: { name?: string } }) =>
      object.spec?.team ? [[object.spec.team, object.metadata?.name ?? ""]] : [],
  );
  operator.on(Gadget)
    .index(byTeam as never)
    .validate(async ({ spec, index, client, namespace, name }) => {
      const others = index(byTeam).get(spec.team ?? "").filter((other) => other !== name);
      if (others.length > 0) throw new AdmissionError(`${others[0]} is this team's already`);
      if (!await client.find(ConfigMap, { namespace, name: "open" })) throw new AdmissionError("closed");
    }, { id: "unique" });
  await using world = await World.open(operator);
  await world.client.create(Gadget, gadget(world, "first", { team: world.prefix }));
  await world.start();
  const make = (name: string, team: string) => world.client.create(Gadget, gadget(world, name, { team }));
  await assert.rejects(make("second", world.prefix), refusedWith(403, /first is this team's already/));
  await assert.rejects(make("third", `${world.prefix}-3`), refusedWith(403, /closed/));
  await world.client.create(ConfigMap, { metadata: { name: "open", namespace: world.home } });
  await make("third", `${world.prefix}-3`);
});

// FR-258
Deno.test("a memo is one for an object's handlers, admission among them, and a creation that is refused leaves nothing in it", async () => {
  const operator = newOperator(), seen: string[] = [], create = () => ({ reviews: 0 });
  operator.on(Gadget)
    .reconcile(({ memo, spec, status }) => {
      status.set({ phase: `${memo(create).reviews} reviews of ${spec.size}` });
    })
    .validate(({ memo, name, spec, headers }) => {
      seen.push(`${name} ${++memo(create).reviews} ${headers["content-type"]}`);
      if (spec.size > 50) throw new AdmissionError("too large");
    }, { id: "count" });
  await using world = await World.open(operator);
  await world.start();
  const key = { namespace: world.home, name: "a" };
  const grow = (size: number) => world.client.patch(Gadget, key, { type: "merge", body: { spec: { size } } });
  const says = (phase: string) =>
    world.untilObject<KubeObject & { status?: { phase?: string } }>(
      Gadget,
      key,
      ({ status }) => status?.phase === phase,
    );
  await assert.rejects(world.client.create(Gadget, gadget(world, "a", { size: 60 })), refusedWith(403, /too large/));
  await world.client.create(Gadget, gadget(world, "a"));
  await says("0 reviews of 1");
  await grow(2);
  await says("1 reviews of 2");
  await assert.rejects(grow(70), refusedWith(403, /too large/));
  await grow(3);
  await says("3 reviews of 3");
  const counted = [1, 1, 1, 2, 3].map((reviews) => `a ${reviews} application/json`);
  assert.deepEqual(seen, counted);
});

// FR-246
Deno.test("what is meant as no denial is a failure of the webhook: requests fail, or pass where failures are ignored", async () => {
  const operator = newOperator();
  const broken = ({ name }: { name: string }) => {
    if (name.startsWith("broken")) throw new Error("password hunter2");
  };
  operator.on(Gadget)
    .validate(broken, { id: "strict", labels: { strict: "yes" } })
    .validate(broken, { id: "lenient", ignoreFailures: true });
  await using world = await World.open(operator);
  await world.start();
  const strict = world.client.create(Gadget, gadget(world, "broken-a", {}, { labels: { strict: "yes" } }));
  await assert.rejects(
    strict,
    (error) =>
      error instanceof ApiError && /strict.*the reason is in the operator's log/.test(error.message) &&
      !error.message.includes("hunter2"),
  );
  await world.client.create(Gadget, gadget(world, "broken-b"));
  assert.ok(world.logs.some(({ message }) => message === "an admission handler failed"));
});

// FR-246
Deno.test("a killed operator's webhooks fail what they are for, and pass what may be missed; started again they answer", async () => {
  const operator = newOperator();
  operator.on(Gadget)
    .validate(() => {}, { id: "must", labels: { must: "yes" } })
    .validate(() => {}, { id: "may", ignoreFailures: true, labels: { may: "yes" } });
  await using world = await World.open(operator);
  const make = (name: string, label: string) =>
    world.client.create(Gadget, gadget(world, name, {}, { labels: { [label]: "yes" } }));
  await world.start();
  await make("a", "must");
  await world.kill();
  await assert.rejects(make("b", "must"), refusedWith(500, /failed calling webhook "must/));
  await make("c", "may");
  await world.start();
  await make("b", "must");
});

// FR-246
Deno.test("an operator in a test that finds its webhooks installed does not start, and takes nothing of them along", async () => {
  const operator = newOperator(), name = operator.name;
  operator.on(Gadget).validate(() => {}, { id: "any", labels: { nobody: "has" } });
  await using cluster = new EmbeddedCluster();
  const client = new Client(cluster.transport(), { fieldManager: "install" });
  const service = { namespace: "default", name: `${name}-webhook` };
  const [installed] = webhookConfigurations(configurationOf(operator, { service }));
  await client.apply(installed!.resource, installed!.object);
  {
    const elsewhere: Cluster = {
      kind: "envtest",
      kubeconfig: undefined,
      transport: (user) => cluster.transport(user),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    await using world = await World.open(operator, elsewhere);
    await assert.rejects(world.start(), /are installed in this cluster, behind a Service/);
  }
  assert.ok(await client.find(installed!.resource, { name }));
});

Deno.test("webhooks of an operator in this process are behind no socket where the cluster is in it too", {
  ignore: realKubeconfig !== undefined, // a cluster elsewhere calls webhooks over a socket
}, async () => {
  const operator = newOperator();
  operator.on(Gadget).validate(() => {}, { id: "any" });
  await using world = await World.open(operator);
  await world.start();
  const resource = {
    group: "admissionregistration.k8s.io",
    version: "v1",
    kind: "ValidatingWebhookConfiguration",
    plural: "validatingwebhookconfigurations",
    namespaced: false,
  };
  const { webhooks } = await world.client.get(resource, { name: operator.name });
  const [{ clientConfig }] = webhooks as [{ clientConfig: object }];
  assert.deepEqual(clientConfig, {
    service: {
      namespace: "default",
      name: `${operator.name}-webhook`,
      path: "/validate/any.gadgets.admission.test.pintle.dev",
      port: 443,
    },
  });
});
