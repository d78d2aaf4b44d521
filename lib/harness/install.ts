import type { Clock } from "../base/mod.ts";
import { type ApiResource, formatGroupResource } from "../apimachinery/mod.ts";
import { ApiError, Client, isNotFound } from "../client/mod.ts";
import { applyInstallation, installation, installNamespace, isWebhook, type Operator } from "../operator/mod.ts";
import type { Cluster } from "./cluster.ts";
import { place } from "./temporary_objects.ts";
import { type Verdict, waitUntil } from "./waiting.ts";

export interface InstallOptions {
  readonly clock: Clock;
  readonly waitMsMax: number;
  readonly signal: AbortSignal;
  /** Update existing objects that differ, instead of refusing them. */
  readonly replace?: boolean;
}

/**
 * Installs an operator's kinds, and its account with exactly its rules. Disposing removes what it added, in reverse
 * order, and waits until it is gone.
 *
 * @throws {UsageError} if one exists and differs: replacing another operator's rules or kinds would break it.
 */
export async function install(cluster: Cluster, operator: Operator, options: InstallOptions): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const transport = cluster.transport();
  stack.defer(() => transport.close());
  const { clock, signal } = options, program = operator.name, namespace = installNamespace(program);
  const client = new Client(transport, { fieldManager: `${program}-install`, clock });
  // Webhooks are called in this process, which has its own configurations.
  const objects = installation(operator, program, namespace).filter((each) => !isWebhook(each));
  stack.use(
    await place(objects, { ...options, client }, (wanted) => {
      return applyInstallation(client, operator, { program, namespace, signal, objects: wanted });
    }),
  );
  for (const { kind } of operator.declarations) if ("crd" in kind) await untilServed(kind, { ...options, client });
  return stack.move();
}

/** A kind may be listed only moments after its CRD is established. */
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
