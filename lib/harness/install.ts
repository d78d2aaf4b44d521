import type { Clock } from "../base/mod.ts";
import { type ApiResource, formatGroupResource } from "../apimachinery/mod.ts";
import { ApiError, Client, isNotFound } from "../client/mod.ts";
import { applyInstallation, installation, installNamespace, isWebhook, type Operator } from "../operator/mod.ts";
import type { Cluster } from "./cluster.ts";
import { place } from "./temporary_objects.ts";
import { type Verdict, waitUntil } from "./waiting.ts";

/** How an operator is installed. */
export interface InstallOptions {
  readonly clock: Clock;
  /** Bound of each wait until something is gone. */
  readonly waitMsMax: number;
  readonly signal: AbortSignal;
  /** Bring up to date what is there already and differs, instead of refusing it. */
  readonly replace?: boolean;
}

/**
 * Installs what an operator needs: its kinds, and the account that it runs as with exactly its rules. Disposing removes
 * what was not there before, in the opposite order, waits until it is gone, and leaves what was.
 *
 * @throws {UsageError} where something of it is there already and differs: an operator of that name is installed, and
 *   taking
 * its rights or kinds over would break it.
 */
export async function install(cluster: Cluster, operator: Operator, options: InstallOptions): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const transport = cluster.transport();
  stack.defer(() => transport.close());
  const { clock, signal } = options, program = operator.name, namespace = installNamespace(program);
  const client = new Client(transport, { fieldManager: `${program}-install`, clock });
  // Webhooks are called where the operator runs, which is in this process: it brings configurations of its own.
  const objects = installation(operator, program, namespace).filter((each) => !isWebhook(each));
  stack.use(
    await place(objects, { ...options, client }, (wanted) => {
      return applyInstallation(client, operator, { program, namespace, signal, objects: wanted });
    }),
  );
  for (const { kind } of operator.declarations) if ("crd" in kind) await untilServed(kind, { ...options, client });
  return stack.move();
}

/** Waits until objects of a kind can be listed: that may be some moments after its CRD is established. */
export async function untilServed(
  kind: ApiResource,
  options: InstallOptions & { readonly client: Client },
): Promise<void> {
  const { client, signal } = options;
  const check = async (): Promise<Verdict> => {
    try {
      for await (const _ of client.pages(kind, { limit: 1, metadataOnly: true, signal })) break;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (isNotFound(error)) return { holds: false, seen: "  it is not served" };
    }
    return { holds: true };
  };
  await waitUntil(`${formatGroupResource(kind)} to be served`, [kind], check, options);
}
