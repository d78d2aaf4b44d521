import assert from "node:assert/strict";
import type { Transport } from "../../lib/base/mod.ts";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { type Cluster, type ClusterSource, EmbeddedCluster, EmbeddedSource } from "../../lib/harness/mod.ts";
import { builtinKind } from "../../lib/operator/mod.ts";
import { crdOf } from "../crd.ts";
import { notes, runOn, suiteOf, written } from "./rig.ts";

const Fresh = builtinKind<KubeObject>({
  group: "fresh.test.pintle.dev",
  version: "v1",
  kind: "Fresh",
  plural: "freshes",
});
const FRESH = { apiVersion: "fresh.test.pintle.dev/v1", kind: "Fresh", metadata: { name: "a" } };

/** The definition of the kind, as a story creates it. */
function definition(): KubeObject {
  return crdOf(Fresh, { schema: { openAPIV3Schema: { type: "object" } } });
}

/**
 * A cluster that knows nothing of some path the first few times that it is asked, as a server that has just established
 * a CRD.
 */
function forgetful(isForgotten: (path: string, method: string) => boolean, times: number): ClusterSource {
  let left = times;
  return {
    kind: "embedded",
    isolated: true,
    open: () => {
      const cluster = new EmbeddedCluster(),
        made = (...user: Parameters<Cluster["transport"]>): Transport => {
          const inner = cluster.transport(...user);
          return {
            ...inner,
            close: () => inner.close(),
            fetch: (path, request) =>
              isForgotten(path, request?.method ?? "GET") && left-- > 0
                ? Promise.resolve(new Response("404 page not found", { status: 404 }))
                : inner.fetch(path, request),
          };
        };
      return Promise.resolve({
        kind: "embedded",
        kubeconfig: undefined,
        transport: made,
        [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
      });
    },
  };
}

const fresh = suiteOf(async ({ given, when, then, cluster, expect, ref }) => {
  await given(
    "discovery was asked before",
    () => cluster.createManifest({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } }),
  );
  await when("a CRD and an object of it are created in a row", async () => {
    await cluster.createManifest(definition());
    await cluster.createManifest(FRESH as KubeObject);
  });
  await then("both are there", () => expect(ref(Fresh, "a")).toExist());
});

// FR-337
Deno.test("an object of a kind whose CRD was just created is created, whatever discovery reported before", async () => {
  const { failures, scenarios } = await runOn(new EmbeddedSource(), fresh);
  assert.deepEqual([failures, scenarios.map(({ outcome }) => outcome.kind)], [[], ["passed"]]);
});

// FR-337
Deno.test("a server that answers 404 to the first writes of a kind with a CRD gets the request again", async () => {
  const source = forgetful((path, method) => path.includes("/freshes") && method === "POST", 3);
  const { failures, scenarios } = await runOn(source, fresh);
  assert.deepEqual([failures, scenarios.map(({ outcome }) => outcome.kind)], [[], ["passed"]]);
});

// FR-337
Deno.test("an expectation of a kind that is not served yet waits for the kind", async () => {
  const suite = suiteOf(async ({ when, then, cluster, expect, ref }) => {
    const seen = expect(ref(Fresh, "a")).toExist();
    seen.catch(() => {});
    await when("the kind comes later", async () => {
      await cluster.createManifest(definition());
      await cluster.createManifest(FRESH as KubeObject);
    });
    await then("it is seen", () => seen);
  });
  const source = forgetful((path) => path.includes("/freshes"), 3);
  const { failures, scenarios } = await runOn(source, suite);
  assert.deepEqual([failures, scenarios.map(({ outcome }) => outcome.kind)], [[], ["passed"]]);
});

// FR-337
Deno.test("a kind without a CRD fails at once, and an expectation of it reports after its time limit that it is not served", async () => {
  const suite = suiteOf(async ({ when, cluster, expect, ref }) => {
    await when(
      "no CRD defines the kind",
      () => assert.rejects(cluster.createManifest(FRESH as KubeObject), { name: "UnknownKindError" }),
    );
    await expect(ref(Fresh, "a")).toExist();
  });
  const { scenarios: [scenario] } = await runOn(new EmbeddedSource(), suite, { waitMsMax: 300 });
  assert.equal(scenario?.outcome.kind, "failed");
  assert.match(
    JSON.stringify(scenario),
    /it does not exist\\n {2}the server does not serve freshes\.fresh\.test\.pintle\.dev/,
  );
});

// FR-337
Deno.test("an operator starts once its own kinds are served, though they are established before", async () => {
  let asked = 0;
  const isList = (path: string, method: string) => method === "GET" && /\/notes\?/.test(path) && ++asked > 0;
  const { failures, scenarios } = await runOn(forgetful(isList, 3), suiteOf(written, {}, notes));
  assert.deepEqual([failures, scenarios.map(({ outcome }) => outcome.kind)], [[], ["passed"]]);
  assert.ok(asked > 3, `${asked}`);
});
