import assert from "node:assert/strict";
import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import { SystemClock } from "../../lib/base/mod.ts";
import { Client, connect } from "../../lib/client/mod.ts";
import { parse, stringify } from "../../lib/base/yaml.ts";
import { openServedCluster } from "../served_cluster.ts";

// FR-293
Deno.test("an API server accepts the impersonated user of a kubeconfig, with uid, groups and extra", async () => {
  await using cluster = await openServedCluster();
  const config = parse(await Deno.readTextFile(cluster.kubeconfigPath));
  Object.assign(config.users[0].user, {
    as: "bob",
    "as-uid": "42",
    "as-groups": ["ops", "system:authenticated"],
    "as-user-extra": { "example.com/reason": ["debug", "test"] },
  });
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/config`, stringify(config));
    const { transport } = await connect({ clock: new SystemClock(), kubeconfigPath: `${folder}/config` });
    const client = new Client(transport, { fieldManager: "kubeconfig-test" });
    const review = await client.raw("/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      method: "POST",
      body: {
        apiVersion: "authentication.k8s.io/v1",
        kind: "SelfSubjectReview",
      },
    }) as DynamicObject & { status: { userInfo: Record<string, unknown> } };
    assert.deepEqual(review.status.userInfo, {
      username: "bob",
      uid: "42",
      groups: ["ops", "system:authenticated"],
      extra: { "example.com/reason": ["debug", "test"] },
    });
    transport.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
