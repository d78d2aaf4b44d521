import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { ConfigMap, Namespace, Secret, type SecretObject } from "../../lib/operator/mod.ts";
import { Replication, type ReplicationObject, replicator } from "../../lib/replicator/mod.ts";
import { World } from "../world.ts";

/** Everything whose changes a replication test waits on. */
export const ALL = [Replication, Secret, ConfigMap, Namespace];

/** Opens a world of the replicator. */
export function openReplicationWorld(): Promise<World> {
  return World.open(replicator());
}

/** Creates a Secret. */
export function createSecret(
  world: World,
  namespace: string,
  name: string,
  more: Partial<SecretObject>,
): Promise<SecretObject> {
  return world.client.create<SecretObject>(Secret, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace, name },
    ...more,
  });
}

/** Creates a Replication of Secret `name`, to every namespace of the world that begins with `team`, unless told otherwise. */
export function createReplication(
  world: World,
  namespace: string,
  name: string,
  spec: { source?: object; targets?: object; [field: string]: unknown } = {},
): Promise<ReplicationObject> {
  const { source, targets, ...rest } = spec;
  const body = {
    apiVersion: "pintle.dev/v1alpha1",
    kind: "Replication",
    metadata: { namespace, name },
    spec: {
      source: { kind: "Secret", name, ...source },
      targets: targets ?? { namespaces: [`${world.prefix}-team*`] },
      ...rest,
    },
  };
  return world.client.create(Replication, body as KubeObject as ReplicationObject);
}

/** Whether a condition has this status, and this reason where one is given, for the present generation. */
export function hasCondition(replication: ReplicationObject, type: string, status: string, reason?: string): boolean {
  return replication.status?.observedGeneration === replication.metadata.generation &&
    (replication.status?.conditions ?? []).some((each) =>
      each.type === type && each.status === status && (reason === undefined || each.reason === reason)
    );
}

/** Waits until a Replication is Ready with this many copies. */
export function untilReady(world: World, namespace: string, name: string, copies?: number): Promise<ReplicationObject> {
  return world.untilObject<ReplicationObject>(
    Replication,
    { namespace, name },
    (replication) =>
      hasCondition(replication, "Ready", "True") &&
      (copies === undefined || replication.status?.namespaces?.ready === copies),
  );
}

/** Waits until a Replication is not Ready for this reason. */
export function untilNotReady(
  world: World,
  namespace: string,
  name: string,
  reason: string,
): Promise<ReplicationObject> {
  return world.untilObject<ReplicationObject>(
    Replication,
    { namespace, name },
    (replication) => hasCondition(replication, "Ready", "False", reason),
  );
}

/** Waits until the copy in a namespace holds this text under a key. */
export function untilCopy(
  world: World,
  namespace: string,
  name: string,
  key: string,
  text: string,
): Promise<SecretObject> {
  return world.untilObject<SecretObject>(Secret, { namespace, name }, ({ data }) => data?.[key] === btoa(text));
}
