import { mapConcurrent, silentLogger, SystemClock, UsageError } from "../base/mod.ts";
import { type ApiResource, type DynamicObject, keyOf } from "../apimachinery/mod.ts";
import { Client, ConflictError, isNotFound } from "../client/mod.ts";
import { CRDS } from "../admission/mod.ts";
import { EXIT } from "./exit.ts";
import { Interrupts } from "./interrupts.ts";
import { openCluster } from "./open_cluster.ts";
import type { CommandContext } from "./command_context.ts";

interface MigrateStorageFlags {
  readonly dryRun?: true | undefined;
}

const WRITES_AT_ONCE = 16;

/**
 * `migrate-storage`: stores objects in the CRD's storage version and removes former ones from `status.storedVersions`;
 * only then may a release drop them. Repeating it changes nothing.
 */
export async function migrateStorage(context: CommandContext, flags: MigrateStorageFlags): Promise<number> {
  const { operator } = context, clock = new SystemClock();
  using interrupts = new Interrupts();
  await using cluster = await openCluster(context, clock, silentLogger);
  const client = new Client(cluster.transport, {
    fieldManager: `${operator.name}-migrate-storage`,
    clock,
    mask: context.mask,
  });
  for (const declared of operator.crds()) {
    await migrate(context, client, declared, { ...flags, signal: interrupts.signal });
  }
  return EXIT.done;
}

async function migrate(
  { terminal, command }: CommandContext,
  client: Client,
  declared: DynamicObject,
  { dryRun, signal }: MigrateStorageFlags & { readonly signal: AbortSignal },
): Promise<void> {
  const name = declared.metadata!.name!, version = storageVersion(declared);
  const crd = await client.find<DynamicObject>(CRDS, { name }, { signal });
  if (!crd || storageVersion(crd) !== version) {
    const says = crd
      ? `stores ${storageVersion(crd)} in this cluster, and ${version} by this release`
      : "is not installed";
    throw new UsageError(`${name} ${says}`, `${command} install`);
  }
  const { storedVersions = [] } = (crd.status ?? {}) as { storedVersions?: readonly string[] };
  if (storedVersions.every((stored) => stored === version)) return terminal.out(`${name} is stored in ${version} only`);
  const { group, scope, names } = crd.spec as { group: string; scope: string; names: { kind: string; plural: string } };
  const resource: ApiResource = { group, version, ...names, namespaced: scope === "Namespaced" };
  let count = 0;
  for await (const { items } of client.pages(resource, { metadataOnly: true, signal })) {
    if (!dryRun) await mapConcurrent(items, WRITES_AT_ONCE, (object) => rewrite(client, resource, object, signal));
    count += items.length;
  }
  terminal.out(`${name}: ${count} objects ${dryRun ? "would be" : "are"} rewritten, in ${version}`);
  if (dryRun) return;
  const { resourceVersion } = crd.metadata!;
  const status = { metadata: { resourceVersion }, status: { storedVersions: [version] } };
  try {
    await client.patch(CRDS, { name }, { type: "merge", subresource: "status", signal, body: status });
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    // The change may have set another storage version with newer objects.
    throw new UsageError(
      `${name} was changed meanwhile, so its storedVersions were left unchanged`,
      "run the same command again",
      {
        cause: error,
      },
    );
  }
  terminal.out(`${name}: status.storedVersions is ${version} now, and was ${storedVersions.join(", ")}`);
}

/** An empty patch makes the server store the object in the storage version. */
async function rewrite(
  client: Client,
  resource: ApiResource,
  object: DynamicObject,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.patch(resource, keyOf(object), { type: "merge", metadataOnly: true, signal, body: {} });
  } catch (error) {
    if (!isNotFound(error)) throw error; // a deleted object needs no migration
  }
}

function storageVersion(crd: DynamicObject): string {
  const { versions } = crd.spec as { versions: readonly { name: string; storage: boolean }[] };
  return versions.find(({ storage }) => storage)!.name;
}
