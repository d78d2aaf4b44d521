import { type KubeObject, scopeOfGlobs } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import { Namespace, Secret, type SecretObject } from "../../lib/operator/mod.ts";
import { Replication, type ReplicationObject, replicator } from "../../lib/replicator/mod.ts";
import { World } from "../world.ts";
import { secret, TRUSTING } from "./stories.ts";

/** A Secret `token` in a namespace, and a Replication of it to others. */
async function replicate(
  world: World,
  namespace: string,
  targets: readonly string[],
  rest: object = {},
): Promise<void> {
  await world.client.create(Secret, secret("token", { key: namespace }, { metadata: { namespace } }));
  await world.client.create(Replication, {
    apiVersion: "pintle.dev/v1alpha1",
    kind: "Replication",
    metadata: { name: "token", namespace },
    spec: { source: { kind: "Secret", name: "token" }, targets: { namespaces: targets }, ...rest },
  } as ReplicationObject);
}

function readyOf({ status }: ReplicationObject): string | undefined {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return ready && `${ready.status} ${ready.reason}`;
}

// FR-321
Deno.test("two instances for one namespace each leave each other's copies alone, and the second reports it", async () => {
  await using world = await World.open(replicator(TRUSTING));
  const [a, b, shared] = [await world.namespace("a"), await world.namespace("b"), await world.namespace("shared")];
  await world.start({ scope: scopeOfGlobs([a]) });
  await replicate(world, a, [shared], { conflictPolicy: "Adopt" });
  const first = { namespace: a, name: "token" }, second = { namespace: b, name: "token" };
  await world.untilObject<ReplicationObject>(Replication, first, (found) => readyOf(found) === "True Replicated");
  const transport = world.cluster.transport();
  const other = await replicator(TRUSTING).start({ transport, scope: scopeOfGlobs([b]) });
  try {
    await replicate(world, b, [shared], { conflictPolicy: "Adopt" });
    const refused = await world.untilObject<ReplicationObject>(
      Replication,
      second,
      (found) => readyOf(found) === "False ReplicationIncomplete",
    );
    assert.match(refused.status?.failures?.[0]?.message ?? "", new RegExp(`is a copy of Replication ${a}/token`));
    await world.client.patch(Secret, { namespace: a, name: "token" }, {
      type: "merge",
      body: { stringData: { key: "rotated" } },
    });
    const copy = { namespace: shared, name: "token" };
    await world.untilObject<SecretObject>(Secret, copy, ({ data }) => data?.key === btoa("rotated"));
    await world.client.delete(Replication, first);
    await world.untilObject<SecretObject>(Secret, copy, ({ data }) => data?.key === btoa(b));
    await world.untilObject<ReplicationObject>(Replication, second, (found) => readyOf(found) === "True Replicated");
    // The scope of the world's operator has no part in it: the other one cleans up, while it still runs.
    await world.client.delete(Replication, second);
    await world.untilGone(Replication, second);
  } finally {
    await other.stop(1_000);
    transport.close();
  }
});

// FR-322
Deno.test("the operator's own namespace never gets a copy, not even by a glob of a trusted namespace", async () => {
  const operatorNamespace = `ops-${crypto.randomUUID().slice(0, 8)}`;
  await using world = await World.open(replicator({ ...TRUSTING, operatorNamespace }));
  await world.start();
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: operatorNamespace } };
  await world.client.create<KubeObject>(Namespace, namespace);
  try {
    const [home, team] = [await world.namespace("a"), await world.namespace("team")],
      key = { namespace: home, name: "token" };
    await replicate(world, home, [operatorNamespace, team]);
    const partly = await world.untilObject<ReplicationObject>(
      Replication,
      key,
      (found) => readyOf(found) === "True Replicated",
    );
    assert.deepEqual(partly.status?.namespaces, { matched: 1, ready: 1, failed: 0 });
    const reachable = partly.status?.conditions?.find(({ type }) => type === "TargetsReachable");
    assert.match(reachable?.message ?? "", new RegExp(`"${operatorNamespace}" is the operator's own namespace`));
    await world.client.patch(Replication, key, {
      type: "merge",
      body: { spec: { targets: { namespaces: [`${operatorNamespace}*`] } } },
    });
    await world.untilObject<ReplicationObject>(Replication, key, ({ status }) => status?.namespaces?.matched === 0);
    assert.equal(await world.client.find(Secret, { namespace: operatorNamespace, name: "token" }), undefined);
  } finally {
    await world.client.delete(Namespace, { name: operatorNamespace });
  }
});
