import { silentLogger, SystemClock, UsageError } from "../base/mod.ts";
import { isDnsLabel } from "../apimachinery/mod.ts";
import { Client } from "../client/mod.ts";
import { EXIT } from "./exit.ts";
import { applyInstallation, installation, isWebhook } from "../operator/mod.ts";
import { Interrupts } from "./interrupts.ts";
import { openCluster } from "./open_cluster.ts";
import type { CommandContext } from "./command_context.ts";

interface InstallFlags {
  readonly namespace: string;
  readonly dryRun?: true | undefined;
  readonly skipWebhooks?: true | undefined;
}

/** `install`: applies all that the operator needs in a cluster. Repeating it changes nothing. */
export async function install(context: CommandContext, flags: InstallFlags): Promise<number> {
  const { operator, terminal, program, command } = context, { namespace, dryRun } = flags;
  requireNamespaceName(namespace);
  const clock = new SystemClock();
  using interrupts = new Interrupts();
  const { signal } = interrupts;
  await using cluster = await openCluster(context, clock, silentLogger);
  const client = new Client(cluster.transport, { fieldManager: `${operator.name}-install`, clock, mask: context.mask });
  await applyInstallation(client, operator, {
    program,
    namespace,
    dryRun,
    signal,
    keepsUrl: flags.skipWebhooks,
    objects: flags.skipWebhooks && installation(operator, program, namespace).filter((each) => !isWebhook(each)),
    onApplied: ({ kind, metadata }, checked) => {
      const named = `${kind!.toLowerCase()} ${metadata!.name}`;
      if (checked) terminal.out(`${named} applied${dryRun ? " (dry run)" : ""}`);
      else terminal.out(`${named} not checked: namespace ${metadata!.namespace} does not exist yet (dry run)`);
    },
  });
  if (dryRun) return EXIT.done;
  terminal.out(`next: run \`${command} run\` as ServiceAccount ${namespace}/${operator.name}`);
  return EXIT.done;
}

/** @throws {UsageError} for an invalid namespace name. */
export function requireNamespaceName(namespace: string): void {
  if (isDnsLabel(namespace)) return;
  throw new UsageError(
    `--namespace ${JSON.stringify(namespace)} is not a valid namespace name`,
    "lower-case letters, digits and -, at most 63",
  );
}
