import { type Clock, jsonEqual, UsageError } from "../base/mod.ts";
import { type DynamicObject, keyOf } from "../apimachinery/mod.ts";
import { Client, NotFoundError } from "../client/mod.ts";
import { applyInstallation, installation, type InstalledObject, installNamespace } from "../operator/installation.ts";
import type { Operator } from "../operator/operator.ts";
import type { Cluster } from "./cluster.ts";
import { Expectation } from "./expectation.ts";
import { formatRef, type Ref } from "./ref.ts";

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
 * Installs what an operator needs: its kinds, and the account that it runs as with exactly its rules. Disposing removes what
 * was not there before, in the opposite order, waits until it is gone, and leaves what was.
 *
 * @throws {UsageError} where something of it is there already and differs: an operator of that name is installed, and taking
 * its rights or kinds over would break it.
 */
export async function install(cluster: Cluster, operator: Operator, options: InstallOptions): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const transport = cluster.transport();
  stack.defer(() => transport.close());
  const { clock, waitMsMax, signal } = options, namespace = installNamespace(operator.name);
  const client = new Client(transport, { fieldManager: `${operator.name}-install`, clock });
  const gone = (ref: Ref<never>, signal?: AbortSignal) =>
    new Expectation(ref, { client, clock, waitMsMax, signal }).toBeGone();
  const made: Ref<never>[] = [];
  stack.defer(async () => {
    for (const ref of made) await gone(ref);
  });
  for (const installed of installation(operator, operator.name, namespace)) {
    const ref = { resource: installed.resource, key: keyOf(installed.object) } as Ref<never>;
    const present = await client.find(ref.resource, ref.key, { signal });
    if (present?.metadata?.deletionTimestamp) await gone(ref, signal); // of a run before this one
    else if (present) {
      if (!options.replace) await requireSame(client, installed, present, ref, signal);
      continue;
    }
    made.push(ref);
    stack.defer(async () => {
      try {
        await client.delete(ref.resource, ref.key);
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
      }
    });
  }
  await applyInstallation(client, operator, { program: operator.name, namespace, signal });
  const owned = stack.move();
  return { [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** What an apply would make of an object must be what it is, labels apart. */
async function requireSame(
  client: Client,
  { resource, object }: InstalledObject,
  present: DynamicObject,
  ref: Ref<never>,
  signal: AbortSignal,
): Promise<void> {
  const applied = await client.apply(resource, object, { force: true, dryRun: true, signal });
  const content = ({ metadata: _, status: __, ...rest }: DynamicObject) => rest;
  if (jsonEqual(content(applied), content(present))) return;
  throw new UsageError(
    `${formatRef(ref)} is in this cluster already, and not as this operator declares it`,
    "an operator of that name seems to be installed: uninstall it, or test on another cluster",
  );
}
