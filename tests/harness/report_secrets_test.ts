import assert from "node:assert/strict";
import * as z from "zod";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { type Cluster, type ClusterSource, htmlReport, junitReport, Suite } from "../../lib/harness/mod.ts";
import { scenarioLines } from "../../lib/harness/report_lines.ts";
import { defineResource, Operator, Secret, type SecretObject, watch } from "../../lib/operator/mod.ts";
import { openCluster } from "../cluster.ts";
import { assertMasked, base64, valueOf } from "../secret_values.ts";
import { runOn } from "./rig.ts";

const Login = defineResource({
  group: "secret-reports.test.pintle.dev",
  version: "v1",
  kind: "Login",
  spec: z.object({}),
  status: z.object({ note: z.string().optional() }),
});

/** One inside the other, one in lines; a name each, by which the operator comes to it. */
const VALUES = {
  get: "admin-prod",
  list: "admin-prod-S3cr3t",
  watch: 'first-line-of-it\n{"quoted": "second line of it"}',
  patch: "patched/value+of==it?&",
};
type Way = keyof typeof VALUES;

/** An operator whose errors and log lines quote every Secret that it comes to, in one way each. */
function logins(): Operator {
  const operator = new Operator("logins");
  const rule = { apiGroups: [""], resources: ["secrets"], verbs: ["get", "list", "watch", "patch"] } as const;
  operator.permissions(rule).on(Login).reconcile(async ({ client, cached, namespace, log, status }) => {
    const held = cached(Secret).get({ namespace, name: "watch" }) as SecretObject | undefined;
    if (!held) throw new Error("not there yet");
    const patch = { metadata: { labels: { touched: "yes" } } };
    const values = [
      await client.get<SecretObject>(Secret, { namespace, name: "get" }),
      (await client.list<SecretObject>(Secret, { namespace, labelSelector: "way=list" })).items[0]!,
      await client.patch<SecretObject>(Secret, { namespace, name: "patch" }, { type: "merge", body: patch }),
      held,
    ].map((each) => valueOf(each, "value"));
    const text = values.map((value) =>
      [
        value,
        `"${value.slice(0, 11)}…"`,
        base64(value),
        base64(`u:${value}`),
        JSON.stringify(value),
        encodeURIComponent(value),
      ].join(" ")
    ).join(" ");
    log.warn(`cannot use ${text}`, { values });
    status.set({ note: text });
    throw new Error(`cannot log in with ${text}`);
  }, { watches: [watch(Secret, ({ metadata }) => [{ namespace: metadata!.namespace!, name: "a" }])] });
  return operator;
}

// FR-177
Deno.test("of Secrets that an operator only read no report and no terminal has a part of 8 characters, in any form", async () => {
  await using cluster = await openCluster();
  // Another client: the scenario's own never sees the values.
  const stranger = new Client(cluster.transport(), { fieldManager: "stranger" });
  const shared: Cluster = {
    kind: "current",
    kubeconfig: undefined,
    transport: (user) => cluster.transport(user),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const suite = new Suite("logins", logins).scenario(
    "a login",
    async ({ given, then, cluster: own, namespace, expect, ref, logs }) => {
      await given("Secrets of others and a login", async () => {
        for (const [name, value] of Object.entries(VALUES)) {
          const metadata = { namespace, name, labels: { way: name } };
          await stranger.create(
            Secret,
            { apiVersion: "v1", kind: "Secret", metadata, data: { value: base64(value) } } as SecretObject,
          );
        }
        const metadata = { namespace, name: "a" };
        await own.createManifest({ apiVersion: `${Login.group}/v1`, kind: "Login", metadata, spec: {} } as KubeObject);
      });
      await then("it is ready", async () => {
        await expect(ref(Login, "a")).toHaveCondition("Ready", false, { message: /cannot log in/ });
        throw new Error(
          `it is not: ${Object.values(VALUES).join(", ")}; ${logs.map(({ message }) => message).join("\n")}`,
        );
      });
    },
  );
  const source: ClusterSource = { kind: "current", isolated: false, open: () => Promise.resolve(shared) };
  const run = await runOn(source, suite, { waitMsMax: 60_000 });
  const result = run.scenarios[0]!, lines = scenarioLines(result, (_style, text) => text).join("\n");
  assert.equal(result.outcome.kind, "failed");
  const reports = {
    lines,
    junit: junitReport(run),
    html: htmlReport(run, { program: "p", rerun: (name) => name }),
    result: JSON.stringify(result),
  };
  for (const [what, report] of Object.entries(reports)) {
    assert.match(report, /\[secret\]/, what);
    for (const [way, value] of Object.entries(VALUES)) assertMasked(`${what}, of ${way},`, report, value);
  }
});
