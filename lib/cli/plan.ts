import { silentLogger, SystemClock } from "../base/mod.ts";
import { type ApiResource, formatGroupResource, type ObjectKey, scopeOfGlobs } from "../apimachinery/mod.ts";
import { Client } from "../client/mod.ts";
import { type PlannedPass } from "../controller/mod.ts";
import type { Operator } from "../operator/mod.ts";
import { EXIT } from "./exit.ts";
import { Interrupts } from "./interrupts.ts";
import { requireObject, requireSelection, selectionOf } from "./object_argument.ts";
import { openCluster } from "./open_cluster.ts";
import { passLines, planSummary } from "./plan_lines.ts";
import type { CommandContext } from "./command_context.ts";
import { requireReady } from "./require_ready.ts";
import { writeJson } from "./terminal.ts";

interface PlanFlags {
  readonly namespace?: string | undefined;
  readonly output: "text" | "json";
}

/**
 * `plan`: shows as a diff what a reconcile would write now. Each write is a dry run that the server checks. Fails if a
 * reconcile would.
 */
export async function plan(context: CommandContext, wanted: string | undefined, flags: PlanFlags): Promise<number> {
  const { operator, terminal, settings, mask } = context, scope = scopeOfGlobs(settings.namespaces);
  requireSelection(operator, { text: wanted });
  const clock = new SystemClock();
  using interrupts = new Interrupts();
  const { signal } = interrupts;
  await using cluster = await openCluster(context, clock, silentLogger);
  const { transport } = cluster;
  const client = new Client(transport, { fieldManager: operator.name, clock, dryRun: true, mask });
  await requireReady(context, client, { signal });
  const { kind, name } = await selectionOf(operator, client, { text: wanted }, signal);
  // As in kubectl, a name alone is in the context's namespace.
  const namespace = flags.namespace ?? (name && kind?.namespaced ? cluster.namespace : undefined);
  const key = name ? { name, ...(kind?.namespaced ? { namespace } : {}) } : undefined;
  if (kind && key) await requireObject(client, kind, key, signal);
  await requireConverted(operator, client, signal);
  const only = (of: ApiResource, { namespace: its, name: one }: ObjectKey) =>
    (!kind || formatGroupResource(of) === formatGroupResource(kind)) && (!name || one === name) &&
    (!namespace || !its || its === namespace);
  const passes: PlannedPass[] = [];
  for await (const pass of operator.plan({ transport, clock, mask, scope, only, signal })) {
    passes.push(pass);
    if (flags.output === "text") { for (const line of passLines(pass, terminal)) terminal.out(line); }
  }
  if (flags.output === "json") writeJson(terminal, passes.map(passFields));
  else terminal.out(planSummary(passes));
  return passes.some(({ outcome }) => outcome.kind !== "done") ? EXIT.failed : EXIT.done;
}

/** @throws the server's error if stored objects cannot be converted: a plan's stores would never be full. */
async function requireConverted(operator: Operator, client: Client, signal: AbortSignal): Promise<void> {
  const names = operator.conversions.map(({ crd }) => crd);
  for (const { kind } of operator.declarations.filter(({ kind }) => names.includes(formatGroupResource(kind)))) {
    for await (const _page of client.pages(kind, { metadataOnly: true, signal }));
  }
}

/** For programs: plain fields, and only the message of an error. */
function passFields({ kind, key, cause, writes, events, outcome }: PlannedPass) {
  const { error: _, ...ending } = outcome as { error?: unknown };
  return {
    kind: kind.kind,
    ...key,
    cause,
    outcome: ending,
    writes: writes.map(({ resource, ...rest }) => ({ resource: formatGroupResource(resource), ...rest })),
    events,
  };
}
