import { SystemClock } from "../base/clock.ts";
import { UsageError } from "../base/errors.ts";
import { silentLogger } from "../base/log.ts";
import { LinkedAbort } from "../base/signal.ts";
import { isDnsLabel } from "../apimachinery/name.ts";
import type { DynamicObject } from "../apimachinery/object.ts";
import { Client, NotFoundError } from "../client/mod.ts";
import type { Operator } from "../operator/operator.ts";
import { EXIT } from "./exit.ts";
import { CRDS, installation } from "./installation.ts";
import { Interrupts } from "./interrupts.ts";
import { openCluster } from "./open_cluster.ts";
import type { CommandContext } from "./program.ts";

/** Flags of `install`. */
export interface InstallFlags {
  readonly namespace: string;
  readonly dryRun?: true | undefined;
}

/** `install`: applies everything that the operator needs in a cluster. Repeating it changes nothing. */
export async function install(context: CommandContext, flags: InstallFlags): Promise<number> {
  const { operator, terminal, program } = context, { namespace, dryRun } = flags;
  requireNamespaceName(namespace);
  const clock = new SystemClock();
  using interrupts = new Interrupts();
  const { signal } = interrupts;
  await using cluster = await openCluster(context, clock, silentLogger);
  const client = new Client(cluster.transport, { fieldManager: `${operator.name}-install`, clock });
  for (const { resource, object } of installation(operator, program, namespace)) {
    const named = `${resource.kind.toLowerCase()} ${object.metadata!.name}`;
    const { namespace: inside } = object.metadata!;
    try {
      await client.apply(resource, object, { force: true, dryRun, signal });
      terminal.out(`${named} applied${dryRun ? " (dry run)" : ""}`);
    } catch (error) {
      // A dry run makes no namespace, so the server cannot check what goes inside.
      if (!(dryRun && inside && error instanceof NotFoundError)) throw error;
      terminal.out(`${named} not checked: namespace ${inside} does not exist yet (dry run)`);
    }
  }
  if (dryRun) return EXIT.done;
  for (const crd of operator.crds()) await untilEstablished(client, crd.metadata!.name!, signal);
  terminal.out(`next: run \`${program} run\` as ServiceAccount ${namespace}/${operator.name}`);
  return EXIT.done;
}

/** @throws {UsageError} where no namespace can have that name. */
export function requireNamespaceName(namespace: string): void {
  if (isDnsLabel(namespace)) return;
  throw new UsageError(
    `--namespace ${JSON.stringify(namespace)} is no name of a namespace`,
    "lower-case letters, digits and -, at most 63",
  );
}

/** Applies the operator's CRDs and waits until the server serves them. */
export async function applyCrds(client: Client, operator: Operator, signal?: AbortSignal): Promise<void> {
  for (const crd of operator.crds()) {
    await client.apply(CRDS, crd, { force: true, signal });
    await untilEstablished(client, crd.metadata!.name!, signal);
  }
}

const ESTABLISHED_SECONDS_MAX = 30;

async function untilEstablished(client: Client, name: string, signal?: AbortSignal): Promise<void> {
  const crd = await client.get<DynamicObject>(CRDS, { name }, { signal });
  if (isEstablished(crd)) return;
  using link = new LinkedAbort([signal]);
  const watch = client.watch<DynamicObject>(CRDS, {
    fieldSelector: `metadata.name=${name}`,
    resourceVersion: crd.metadata!.resourceVersion!,
    timeoutSeconds: ESTABLISHED_SECONDS_MAX,
    signal: link.signal,
  });
  for await (const { object } of watch) if (isEstablished(object)) return;
  signal?.throwIfAborted();
  throw new Error(
    `customresourcedefinition ${name} was not served within ${ESTABLISHED_SECONDS_MAX} s: ` +
      `kubectl describe crd ${name} tells why`,
  );
}

function isEstablished(crd: DynamicObject): boolean {
  // A real server shows `conditions: null` for a CRD that it has just stored.
  const { conditions } = (crd.status ?? {}) as { conditions?: { type: string; status: string }[] | null };
  return (conditions ?? []).some(({ type, status }) => type === "Established" && status === "True");
}
