import type { Clock } from "../base/mod.ts";
import { keyOf } from "../apimachinery/mod.ts";
import { Client, NotFoundError } from "../client/mod.ts";
import { applyInstallation, installation, installNamespace } from "../operator/installation.ts";
import type { Operator } from "../operator/operator.ts";
import type { Cluster } from "./cluster.ts";

/**
 * Installs what an operator needs: its kinds, and the account that it runs as with exactly its rules. Disposing removes what
 * was not there before, in the opposite order, and leaves what was.
 */
export async function install(
  cluster: Cluster,
  operator: Operator,
  clock: Clock,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const transport = cluster.transport();
  stack.defer(() => transport.close());
  const namespace = installNamespace(operator.name);
  const client = new Client(transport, { fieldManager: `${operator.name}-install`, clock });
  for (const { resource, object } of installation(operator, operator.name, namespace)) {
    if (await client.find(resource, keyOf(object), { signal })) continue;
    stack.defer(async () => {
      try {
        await client.delete(resource, keyOf(object));
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
      }
    });
  }
  await applyInstallation(client, operator, { program: operator.name, namespace, signal });
  const owned = stack.move();
  return { [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
