import type { Client } from "../../lib/client/mod.ts";
import { type BuiltinObject, Deployment } from "../../lib/operator/builtin_kinds.ts";

/**
 * Stands in for the controllers of a cluster with nodes, until it is disposed: the pods of every Deployment are ready
 * at once.
 */
export function readyAtOnce(client: Client): AsyncDisposable {
  const stop = new AbortController(), following = follow(client, stop.signal);
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await following;
    },
  };
}

async function follow(client: Client, signal: AbortSignal): Promise<void> {
  try {
    for await (const { type, object } of client.watch<BuiltinObject>(Deployment, { signal })) {
      const { generation = 1, namespace, name, deletionTimestamp } = object.metadata!;
      if (deletionTimestamp) continue;
      if (type === "DELETED" || object.status?.observedGeneration === generation) continue;
      const replicas = object.spec!.replicas as number;
      const status = { observedGeneration: generation, replicas, updatedReplicas: replicas, readyReplicas: replicas };
      await client.patch(Deployment, { namespace: namespace!, name: name! }, {
        type: "merge",
        subresource: "status",
        body: { status },
      });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
