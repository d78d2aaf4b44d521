// FR-264
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as z from "zod";
import { webhookConfigurations } from "../../lib/admission/mod.ts";
import { SECRETS } from "../../lib/admission/certificate_secret.ts";
import { issueServing } from "../../lib/admission/serving_certificates.ts";
import type { HostedWebhooks } from "../../lib/operator/webhook_hosting.ts";
import { defineResource, Operator } from "../../lib/operator/mod.ts";
import { ask, CHECK_MS, Replicas, turn } from "./replicas.ts";

const Widget = defineResource({ group: "certs.example.com", version: "v1", kind: "Widget", spec: z.object({}) });
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

/** The authorities that an API server would trust now. */
async function trusted({ client }: Replicas): Promise<string> {
  const { webhooks } = await client.get(VALIDATING.resource, { name: "certs" });
  const [{ clientConfig }] = webhooks as [{ clientConfig: { caBundle?: string } }];
  return Buffer.from(clientConfig.caBundle ?? "", "base64").toString();
}

/** The verdict of a replica. */
async function call(port: number, ca: string): Promise<boolean> {
  const review = {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { uid: "u", operation: "CREATE", userInfo: { username: "ann" }, object: { metadata: {} } },
  };
  const path = "/validate/any.widgets.certs.example.com", servername = "certs-webhook.default.svc";
  return (await ask(port, ca, { path, servername, review }))?.allowed === true;
}

// FR-247
Deno.test("the leader issues, every replica serves, and no call is refused while certificates are rotated", async () => {
  await using replicas = new Replicas(declared);
  await replicas.install();
  const standby = await replicas.start(() => false);
  await replicas.clock.advance(CHECK_MS);
  assert.match(standby.problem ?? "", /no certificate in Secret default\/certs-webhook yet/);
  const leader = await replicas.start(() => true);
  await turn(replicas, () => leader.problem === undefined && standby.problem === undefined);
  const first = await trusted(replicas);
  let calls = 0;
  await turn(replicas, async () => {
    const ca = await trusted(replicas);
    for (const port of replicas.ports) {
      assert.equal(await call(port, ca), true);
      calls++;
    }
    return replicas.steps.includes("retire");
  });
  assert.deepEqual(replicas.steps, ["issue", "announce", "switch", "retire"]);
  assert.ok(calls > 50, `${calls} calls`);
  await turn(replicas, async () => await trusted(replicas) !== first && !(await trusted(replicas)).includes(first));
  await assert.rejects(call(replicas.ports[0]!, first), "the first authority is not trusted any more");
});

// FR-247
Deno.test("a changed configuration is restored, and a missing one is logged", async () => {
  await using replicas = new Replicas(declared);
  const leader = await replicas.start(() => true);
  await turn(replicas, () => leader.problem === undefined);
  assert.ok(replicas.lines.some(({ message }) => message === "a webhook configuration is not installed"));
  await replicas.install();
  await turn(replicas, async () => (await trusted(replicas)) !== "");
  await replicas.client.patch(VALIDATING.resource, { name: "certs" }, {
    type: "json",
    body: [
      { op: "replace", path: "/webhooks/0/clientConfig/caBundle", value: btoa("other") },
    ],
  });
  await turn(replicas, async () => (await trusted(replicas)).includes("CERTIFICATE"));
  assert.equal(await call(replicas.ports[0]!, await trusted(replicas)), true);
});

// FR-247
Deno.test("a deleted or damaged Secret leads to an early rotation, in which no call is refused", async () => {
  await using replicas = new Replicas(declared);
  await replicas.install();
  const leader = await replicas.start(() => true), standby = await replicas.start(() => false);
  await turn(replicas, () => leader.problem === undefined && standby.problem === undefined);
  const secret = { namespace: "default", name: "certs-webhook" }, first = await trusted(replicas);
  const taken: (() => Promise<unknown>)[] = [
    () => replicas.client.delete(SECRETS, secret),
    () => replicas.client.patch(SECRETS, secret, { type: "merge", body: { data: { "tls.crt": btoa("x") } } }),
  ];
  for (const take of taken) {
    const before = replicas.steps.length;
    await take();
    await turn(replicas, async () => {
      for (const port of replicas.ports) assert.equal(await call(port, await trusted(replicas)), true);
      return replicas.steps.slice(before).includes("retire");
    });
    assert.deepEqual(replicas.steps.slice(before), ["announce", "switch", "retire"]);
  }
  assert.ok(!(await trusted(replicas)).includes(first), "the key that was given up is not trusted");
});

// FR-247
Deno.test("a new leader checks at once, and not when its next check is due", async () => {
  await using replicas = new Replicas(declared, { checkMs: 60 * CHECK_MS });
  await replicas.install();
  const former = await replicas.start(() => true);
  await turn(replicas, () => former.problem === undefined);
  let leads = false;
  const standby = await replicas.start(() => leads);
  await turn(replicas, () => standby.problem === undefined);
  await replicas.client.patch(VALIDATING.resource, { name: "certs" }, {
    type: "json",
    body: [
      { op: "replace", path: "/webhooks/0/clientConfig/caBundle", value: btoa("other") },
    ],
  });
  await replicas.clock.advance(5 * CHECK_MS);
  assert.equal(await trusted(replicas), "other", "no check is due yet");
  leads = true;
  await replicas.clock.advance(CHECK_MS);
  await turn(replicas, async () => (await trusted(replicas)).includes("CERTIFICATE"));
  assert.ok(replicas.clock.now() - replicas.startMs < 30 * CHECK_MS, "before a check was due");
});

// FR-247
Deno.test("a replica that stops answers until its Service has removed it", async () => {
  await using replicas = new Replicas(declared);
  await replicas.install();
  const leader = await replicas.start(() => true);
  await turn(replicas, () => leader.problem === undefined);
  const ca = await trusted(replicas), [port] = replicas.ports as [number];
  leader.beginShutdown!();
  const closing = leader.close();
  await replicas.clock.advance(4_999);
  assert.equal(await call(port, ca), true);
  await replicas.clock.advance(1);
  await closing;
  await assert.rejects(call(port, ca), /refused/i);
});

// FR-247
Deno.test("a Secret that holds no certificates is filled, and what another leader wrote is taken", async () => {
  await using replicas = new Replicas(declared);
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
  const steps = replicas.lines.filter(({ message }) => message.includes("certificates were written"));
  assert.equal(steps.length, 1, "two that believe to lead do not issue twice");
  const { data } = await replicas.client.get(SECRETS, { namespace: "default", name: "certs-webhook" });
  const key = Buffer.from((data as Record<string, string>)["tls.key"]!, "base64").toString();
  assert.ok(!JSON.stringify(replicas.lines).includes(key.split("\n")[1]!), "no key is in the log");
});

const SECRET = { namespace: "default", name: "certs-webhook" };
const NAMES = ["certs-webhook.default.svc", "certs-webhook.default.svc.cluster.local"];

/** The data of a Secret that holds other certificates, for the names given. */
function others({ clock }: Replicas, names: readonly string[], fromMs = clock.now()): Record<string, string> {
  const { identity, authority } = issueServing(names, fromMs, 200_000);
  return {
    "tls.crt": btoa(identity.certificate),
    "tls.key": btoa(identity.key),
    "ca.crt": btoa(authority),
  };
}

/** Content of a Secret that seems valid, and the reason why it is not. */
const DECEPTIVE: Record<string, [reason: string, data: (replicas: Replicas) => Record<string, string>]> = {
  "another authority": [
    "the certificate is not signed by an authority of ca.crt",
    (replicas) => ({ "ca.crt": others(replicas, NAMES)["ca.crt"]! }),
  ],
  "another key": [
    "the key does not belong to the certificate",
    (replicas) => ({ "tls.key": others(replicas, NAMES)["tls.key"]! }),
  ],
  "another name": [
    "the certificate is not for certs-webhook.default.svc",
    (replicas) => others(replicas, ["elsewhere.default.svc"]),
  ],
  "a later beginning": [
    "the certificate is not valid before ",
    (replicas) => others(replicas, NAMES, replicas.clock.now() + 86_400_000),
  ],
};

for (const [what, [reason, dataOf]] of Object.entries(DECEPTIVE)) {
  // FR-350
  Deno.test(`a Secret with ${what} leads to an early rotation, in which no call is refused`, async () => {
    await using replicas = new Replicas(declared);
    await replicas.install();
    const leader = await replicas.start(() => true), standby = await replicas.start(() => false);
    await turn(replicas, () => leader.problem === undefined && standby.problem === undefined);
    const before = replicas.steps.length;
    await replicas.client.patch(SECRETS, SECRET, { type: "merge", body: { data: dataOf(replicas) } as never });
    let restarted: HostedWebhooks | undefined;
    await turn(replicas, async () => {
      for (const port of replicas.ports) assert.equal(await call(port, await trusted(replicas)), true);
      restarted ??= await replicas.start(() => false);
      return replicas.steps.slice(before).includes("retire") && restarted.problem === undefined;
    });
    assert.deepEqual(replicas.steps.slice(before, before + 3), ["announce", "switch", "retire"]);
    const warned = replicas.lines.filter(({ message }) => message.includes("certificates are unusable"));
    assert.match(String(warned[0]?.fields.reason), new RegExp(reason));
  });

  // FR-350
  Deno.test(`a replica that starts with a Secret with ${what} does not serve it, and reports why it is not ready`, async () => {
    await using replicas = new Replicas(declared);
    await replicas.install();
    let leads = true;
    const former = await replicas.start(() => leads);
    await turn(replicas, () => former.problem === undefined);
    leads = false;
    await replicas.client.patch(SECRETS, SECRET, { type: "merge", body: { data: dataOf(replicas) } as never });
    let leadsNow = false;
    const restarted = await replicas.start(() => leadsNow);
    await turn(replicas, () => restarted.problem?.includes("cannot be used") === true);
    assert.match(restarted.problem!, new RegExp(`^Secret default/certs-webhook cannot be used: ${reason}`));
    assert.equal(replicas.ports[1], undefined, "it does not listen");
    leadsNow = true;
    await turn(replicas, async () => {
      for (const port of replicas.ports) {
        if (port !== undefined) assert.equal(await call(port, await trusted(replicas)), true, `port ${port}`);
      }
      return restarted.problem === undefined;
    });
    assert.equal(replicas.steps.at(-1), "issue");
  });
}

// FR-350
Deno.test("a Secret that is replaced by another whole one is taken, and no call is refused meanwhile", async () => {
  await using replicas = new Replicas(declared);
  await replicas.install();
  const leader = await replicas.start(() => true), standby = await replicas.start(() => false);
  await turn(replicas, () => leader.problem === undefined && standby.problem === undefined);
  const data = others(replicas, NAMES), before = await trusted(replicas);
  await replicas.client.patch(SECRETS, SECRET, { type: "merge", body: { data } as never });
  await turn(replicas, async () => {
    for (const port of replicas.ports) assert.equal(await call(port, await trusted(replicas)), true);
    return replicas.steps.includes("retire");
  });
  assert.deepEqual(replicas.steps.slice(0, 3), ["issue", "trust", "retire"]);
  assert.ok(!(await trusted(replicas)).includes(before), "the former authority is not trusted any more");
});

// FR-350
Deno.test("a next certificate with another key is dropped, and the served one stays trusted", async () => {
  await using replicas = new Replicas(declared);
  await replicas.install();
  const leader = await replicas.start(() => true), standby = await replicas.start(() => false);
  await turn(replicas, () => replicas.steps.includes("announce") && standby.problem === undefined);
  assert.equal(leader.problem, undefined);
  const data = { "next.key": others(replicas, NAMES)["tls.key"]! };
  await replicas.client.patch(SECRETS, SECRET, { type: "merge", body: { data } as never });
  await turn(replicas, async () => {
    for (const port of replicas.ports) assert.equal(await call(port, await trusted(replicas)), true);
    return replicas.steps.length >= 6;
  });
  assert.deepEqual(replicas.steps.slice(0, 6), ["issue", "announce", "retire", "announce", "switch", "retire"]);
});
