import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import { AdmissionError } from "../../lib/admission/mod.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as z from "zod";
import { settle } from "../../lib/base/virtual_clock.ts";
import { issueServing } from "../../lib/admission/serving_certificates.ts";
import { converterOf, CRDS } from "../../lib/admission/crd_conversion.ts";
import { defineResource, Operator } from "../../lib/operator/mod.ts";
import { ask, Replicas, turn } from "./replicas.ts";

const GROUP = "keeper.example.com", NAME = `disks.${GROUP}`;
const V1 = defineResource({ group: GROUP, version: "v1", kind: "Disk", spec: z.object({ gibibytes: z.int() }) });
const Disk = defineResource({ group: GROUP, version: "v2", kind: "Disk", spec: z.object({ mebibytes: z.int() }) })
  .withVersion({
    version: "v1",
    spec: z.object({ gibibytes: z.int() }),
    toHub: ({ spec }) => ({ spec: { mebibytes: spec.gibibytes * 1024 } }),
    fromHub: ({ spec }) => ({ spec: { gibibytes: spec.mebibytes / 1024 } }),
  });

function declared(): Operator {
  const operator = new Operator("keeper");
  operator.on(Disk).reconcile(() => {}).validate(({ spec }) => {
    if (spec.mebibytes > 9_000) throw new AdmissionError("too large");
  }, { id: "size" });
  return operator;
}

async function trusted({ client }: Replicas): Promise<string> {
  const asked = converterOf(await client.get<DynamicObject>(CRDS, { name: NAME }));
  return Buffer.from(asked?.caBundle ?? "", "base64").toString();
}

/** Has a replica convert an object, as an API server that trusts `ca` does. */
async function converted(port: number, ca: string): Promise<unknown> {
  const object = { apiVersion: `${GROUP}/v1`, kind: "Disk", metadata: { name: "a" }, spec: { gibibytes: 2 } };
  const review = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "ConversionReview",
    request: { uid: "u", desiredAPIVersion: `${GROUP}/v2`, objects: [object] },
  };
  const answer = await ask(port, ca, { path: "/convert", servername: "keeper-webhook.default.svc", review });
  return (answer?.convertedObjects as DynamicObject[])[0]!.spec;
}

/** Answers for the Service with the replicas that listen, over TLS, as the CRD says. */
function bindService(replicas: Replicas): () => void {
  return replicas.cluster.serveService("default", "keeper-webhook", async (path, { body }) => {
    const [port] = replicas.ports.filter((port) => port !== undefined);
    if (port === undefined) throw new TypeError("no endpoints available");
    const servername = "keeper-webhook.default.svc", review = JSON.parse(body ?? "");
    const response = await ask(port, await trusted(replicas), { path, servername, review });
    return new Response(JSON.stringify({ ...review, request: undefined, response }), {
      headers: { "content-type": "application/json" },
    });
  });
}

// FR-256
Deno.test("existing objects are converted before a replica leads: the first one issues, is trusted, and fills its stores", async () => {
  await using replicas = new Replicas(declared);
  const before = new Operator("before");
  before.on(V1).reconcile(() => {});
  await replicas.client.apply(CRDS, before.crds()[0]!);
  await replicas.client.create(V1, { metadata: { namespace: "default", name: "a" }, spec: { gibibytes: 2 } } as never);
  await replicas.install();
  using _service = { [Symbol.dispose]: bindService(replicas) };
  const starting = replicas.start(() => false);
  let started = false;
  void starting.then(() => started = true);
  await turn(replicas, () => started);
  assert.equal((await starting).problem, undefined);
  const stored = await replicas.client.get<DynamicObject>(Disk, { namespace: "default", name: "a" });
  assert.deepEqual(stored.spec, { mebibytes: 2048 });
});

// FR-256
Deno.test("no conversion is refused while certificates are rotated, and no replica needs to lead", async () => {
  await using replicas = new Replicas(declared);
  await replicas.install();
  const hosts = await Promise.all([replicas.start(() => false), replicas.start(() => false)]);
  await turn(replicas, () => hosts.every(({ problem }) => problem === undefined));
  const first = await trusted(replicas);
  let calls = 0;
  await turn(replicas, async () => {
    const ca = await trusted(replicas);
    for (const port of replicas.ports) {
      assert.deepEqual(await converted(port, ca), { mebibytes: 2048 });
      calls++;
    }
    return replicas.steps.includes("retire");
  });
  assert.deepEqual(
    replicas.steps.slice(0, 4),
    ["issue", "announce", "switch", "retire"],
    "two replicas that both may do not do it twice",
  );
  assert.ok(calls > 50, `${calls} calls`);
  await turn(replicas, async () => !(await trusted(replicas)).includes(first));
});

// FR-256
Deno.test("a restart repairs a CRD that trusts or calls another webhook, and leaves one without a webhook as it is", async () => {
  await using replicas = new Replicas(declared);
  await replicas.install();
  const host = await replicas.start(() => false);
  await turn(replicas, () => host.problem === undefined);
  const patch = (conversion: object) =>
    replicas.client.patch(CRDS, { name: NAME }, { type: "merge", body: { spec: { conversion } } as never });
  const ca = await trusted(replicas);
  const { authority } = issueServing(["other"], replicas.clock.now(), 60_000);
  await patch({ webhook: { clientConfig: { caBundle: btoa(authority) } } });
  await turn(replicas, async () => (await trusted(replicas)).includes(ca));
  await patch({ webhook: { clientConfig: { service: null, url: "https://127.0.0.1:1/convert" } } });
  await turn(replicas, async () => {
    const asked = converterOf(await replicas.client.get<DynamicObject>(CRDS, { name: NAME }));
    return asked?.url === undefined && asked?.service?.name === "keeper-webhook";
  });
  await patch({ strategy: "None", webhook: null });
  await turn(
    replicas,
    () => replicas.lines.some(({ message }) => message === "a CRD is not installed with a conversion webhook"),
  );
  assert.equal(await trusted(replicas), "");
});

// FR-256
Deno.test("an admission handler that is called before the stores are full waits for them", async () => {
  await using replicas = new Replicas(declared);
  await replicas.install();
  const operator = declared(), { clock } = replicas, opened = Promise.withResolvers<void>();
  let verdict: Promise<Response> | undefined;
  const order: string[] = [];
  operator.startup(async () => {
    await opened.promise;
    await settle(); // an answer that does not wait would come by now
    order.push("stores fill");
  });
  const object = { metadata: { namespace: "default", name: "a" }, spec: { mebibytes: 1 } };
  const starting = operator.start({
    transport: replicas.cluster.transport(),
    clock,
    serve: (running) => {
      const body = JSON.stringify({
        apiVersion: "admission.k8s.io/v1",
        kind: "AdmissionReview",
        request: { uid: "u", operation: "CREATE", userInfo: {}, object },
      });
      const request = { method: "POST", headers: { "content-type": "application/json" }, body };
      verdict = running.webhooks.fetch(`/validate/size.disks.${GROUP}`, request);
      void verdict.then(() => order.push("answered"));
      opened.resolve();
    },
  });
  await using running = await starting;
  assert.equal((await (await verdict!).json()).response.allowed, true);
  assert.deepEqual(order, ["stores fill", "answered"]);
  assert.equal(running.state, "running");
});
