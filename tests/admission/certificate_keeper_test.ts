import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { request as httpsRequest } from "node:https";
import * as z from "zod";
import { createLogger, type LogRecord, VirtualClock } from "../../lib/base/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { webhookConfigurations } from "../../lib/admission/mod.ts";
import { SECRETS } from "../../lib/admission/certificate_secret.ts";
import { EmbeddedCluster } from "../../lib/harness/mod.ts";
import { defineResource, Operator } from "../../lib/operator/mod.ts";
import { configurationOf, hostByService, type HostedWebhooks } from "../../lib/operator/webhook_hosting.ts";

const Widget = defineResource({ group: "certs.example.com", version: "v1", kind: "Widget", spec: z.object({}) });
/** Short enough to stay within the five minutes by which certificates are backdated: their checks go by the machine's time. */
const BOUNDS = { lifetimeMs: 200_000, renewBeforeMs: 190_000, settleMs: 10_000 };
const CHECK_MS = 1_000;
const VALIDATING = webhookConfigurations({
  name: "certs",
  declarations: declared().admission,
  place: { service: { namespace: "default", name: "certs-webhook" } },
})[0]!;

function declared(): Operator {
  const operator = new Operator("certs");
  operator.on(Widget).validate(() => {}, { id: "any" });
  return operator;
}

/** Replicas of one operator on an embedded cluster, on a clock that the test turns. */
class Replicas implements AsyncDisposable {
  readonly clock = new VirtualClock(Date.now());
  readonly cluster = new EmbeddedCluster();
  readonly client = new Client(this.cluster.transport(), { fieldManager: "test" });
  readonly lines: LogRecord[] = [];
  readonly #hosts: { readonly hosted: HostedWebhooks; readonly stop: () => Promise<void> }[] = [];
  readonly ports: number[] = [];

  /** What `install` does before anything runs. */
  async install(): Promise<void> {
    const operator = declared();
    const configuration = configurationOf(operator, { service: { namespace: "default", name: "certs-webhook" } });
    for (const { resource, object } of webhookConfigurations(configuration)) await this.client.apply(resource, object);
  }

  async start(leads: () => boolean): Promise<HostedWebhooks> {
    const operator = declared(), { clock } = this, logger = createLogger((record) => this.lines.push(record));
    const running = await operator.start({ transport: this.cluster.transport(), clock, logger });
    const index = this.#hosts.length;
    const hosted = hostByService({ operator, running, clock, logger }, running.client, {
      namespace: "default",
      host: "127.0.0.1",
      port: 0,
      leads,
      bounds: BOUNDS,
      checkMs: CHECK_MS,
      firstCheckMs: CHECK_MS,
      onServing: (port) => this.ports[index] = port,
    });
    const stop = async () => {
      await hosted.close();
      await running.crash();
    };
    this.#hosts.push({ hosted, stop });
    return hosted;
  }

  /** The authorities that an API server would trust now. */
  async trusted(): Promise<string> {
    const { webhooks } = await this.client.get(VALIDATING.resource, { name: "certs" });
    const [{ clientConfig }] = webhooks as [{ clientConfig: { caBundle?: string } }];
    return Buffer.from(clientConfig.caBundle ?? "", "base64").toString();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { stop } of this.#hosts) await stop();
    await this.cluster[Symbol.asyncDispose]();
  }
}

/** Calls a replica as an API server does, with what it trusts; the verdict. */
function call(port: number, ca: string): Promise<boolean> {
  const body = JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { uid: "u", operation: "CREATE", userInfo: { username: "ann" }, object: { metadata: {} } },
  });
  return new Promise((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      port,
      servername: "certs-webhook.default.svc",
      ca,
      method: "POST",
      agent: false,
    };
    const headers = {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      connection: "close",
    };
    const path = "/validate/any.widgets.certs.example.com";
    const outgoing = httpsRequest({ ...options, path, headers }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => text += chunk);
      answer.on("end", () => resolve(answer.statusCode === 200 && JSON.parse(text).response.allowed));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Turns the clock until `holds`, a check at a time. */
async function turn(replicas: Replicas, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let count = 0; !(await holds()); count++) {
    assert.ok(count < 500, "it never comes to that");
    await replicas.clock.advance(CHECK_MS / 2);
  }
}

Deno.test("the leader issues, every replica serves, and no call is turned away while certificates are rotated", async () => {
  await using replicas = new Replicas();
  await replicas.install();
  const standby = await replicas.start(() => false);
  await replicas.clock.advance(CHECK_MS);
  assert.match(standby.problem ?? "", /no certificate in Secret default\/certs-webhook yet/);
  const leader = await replicas.start(() => true);
  await turn(replicas, () => leader.problem === undefined && standby.problem === undefined);
  const steps = () =>
    replicas.lines.flatMap(({ message, fields }) => message.includes("a step further") ? [fields.step] : []);
  const first = await replicas.trusted();
  let calls = 0;
  await turn(replicas, async () => {
    const ca = await replicas.trusted();
    for (const port of replicas.ports) {
      assert.equal(await call(port, ca), true);
      calls++;
    }
    return steps().includes("retire");
  });
  assert.deepEqual(steps(), ["issue", "announce", "switch", "retire"]);
  assert.ok(calls > 50, `${calls} calls`);
  await turn(replicas, async () => await replicas.trusted() !== first && !(await replicas.trusted()).includes(first));
  await assert.rejects(call(replicas.ports[0]!, first), "the first authority is trusted by nobody any more");
});

Deno.test("a configuration that somebody changed is as declared again, and one that is missing is told", async () => {
  await using replicas = new Replicas();
  const leader = await replicas.start(() => true);
  await turn(replicas, () => leader.problem === undefined);
  assert.ok(replicas.lines.some(({ message }) => message === "a webhook configuration is not installed"));
  await replicas.install();
  await turn(replicas, async () => (await replicas.trusted()) !== "");
  await replicas.client.patch(VALIDATING.resource, { name: "certs" }, [
    { op: "replace", path: "/webhooks/0/clientConfig/caBundle", value: btoa("nobody") },
  ], { type: "json" });
  await turn(replicas, async () => (await replicas.trusted()).includes("CERTIFICATE"));
  assert.equal(await call(replicas.ports[0]!, await replicas.trusted()), true);
});

Deno.test("a replica that is to end answers until its Service has let go of it", async () => {
  await using replicas = new Replicas();
  await replicas.install();
  const leader = await replicas.start(() => true);
  await turn(replicas, () => leader.problem === undefined);
  const ca = await replicas.trusted(), [port] = replicas.ports as [number];
  leader.leave!();
  const closing = leader.close();
  await replicas.clock.advance(4_999);
  assert.equal(await call(port, ca), true);
  await replicas.clock.advance(1);
  await closing;
  await assert.rejects(call(port, ca), /refused/i);
});

Deno.test("a Secret that holds no certificates is filled, and what another leader wrote is taken", async () => {
  await using replicas = new Replicas();
  await replicas.install();
  await replicas.client.create(
    SECRETS,
    {
      metadata: { namespace: "default", name: "certs-webhook" },
      data: { "tls.crt": btoa("x"), "tls.key": btoa("y") },
      type: "kubernetes.io/tls",
    } as never,
  );
  const leaders = await Promise.all([replicas.start(() => true), replicas.start(() => true)]);
  await turn(replicas, () => leaders.every(({ problem }) => problem === undefined));
  const steps = replicas.lines.filter(({ message }) => message.includes("a step further"));
  assert.equal(steps.length, 1, "two that believe to lead do not issue twice");
  const { data } = await replicas.client.get(SECRETS, { namespace: "default", name: "certs-webhook" });
  const key = Buffer.from((data as Record<string, string>)["tls.key"]!, "base64").toString();
  assert.ok(!JSON.stringify(replicas.lines).includes(key.split("\n")[1]!), "no key is in the log");
});
