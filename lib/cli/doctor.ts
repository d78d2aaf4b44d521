import { silentLogger, SystemClock } from "../base/mod.ts";
import { Client } from "../client/mod.ts";
import { type Check, type CheckContext, type CheckResult, examine, type Verdict } from "./doctor/check.ts";
import { conversionCheck } from "./doctor/conversion_check.ts";
import { installationCheck } from "./doctor/installation_check.ts";
import { memoryCheck } from "./doctor/memory_check.ts";
import { objectsCheck } from "./doctor/objects_check.ts";
import { deployedSettings } from "./doctor/deployed_settings.ts";
import type { OwnCheck } from "./doctor/own_check.ts";
import { peeringCheck } from "./doctor/peering_check.ts";
import { kindsCheck, ownRightsCheck, rightsCheck } from "./doctor/rights_check.ts";
import { shardsCheck } from "./doctor/shards_check.ts";
import { clockCheck, serverCheck } from "./doctor/server_checks.ts";
import { leaderCheck, namespaceCheck, podsCheck, settingsCheck } from "./doctor/workload_checks.ts";
import { webhooksCheck } from "./doctor/webhooks_check.ts";
import { EXIT } from "./exit.ts";
import { deploymentsOf } from "./inventory.ts";
import type { SettingTable, SettingValues } from "./setting.ts";
import { requireNamespaceName } from "./install.ts";
import { Interrupts } from "./interrupts.ts";
import { openCluster } from "./open_cluster.ts";
import { peeringPlace } from "./peering_place.ts";
import type { CommandContext } from "./command_context.ts";
import { paint, type Terminal, writeJson } from "./terminal.ts";

interface DoctorFlags {
  readonly namespace: string;
  readonly output: "table" | "json";
}

/** In order: later checks rely on earlier findings. */
const CHECKS = [
  serverCheck,
  clockCheck,
  installationCheck,
  kindsCheck,
  rightsCheck,
  ownRightsCheck,
  namespaceCheck,
  settingsCheck,
  podsCheck,
  webhooksCheck,
  conversionCheck,
  leaderCheck,
  shardsCheck,
  peeringCheck,
  objectsCheck,
  memoryCheck,
];

/**
 * `doctor`: checks what can stop the operator from working, and names a fix for each finding. Writes nothing. Fails on
 * a problem, or if a check could not run.
 */
export async function doctor(context: CommandContext, flags: DoctorFlags): Promise<number> {
  const { operator, program, command, table, terminal } = context, { namespace, output } = flags;
  requireNamespaceName(namespace);
  const clock = new SystemClock();
  using interrupts = new Interrupts();
  const { signal } = interrupts;
  await using cluster = await openCluster(context, clock, silentLogger);
  const { transport, server } = cluster;
  const client = new Client(transport, {
    fieldManager: `${operator.name}-doctor`,
    clock,
    dryRun: true,
    mask: context.mask,
  });
  const account = { namespace, name: operator.name };
  const peering = peeringPlace(context, cluster);
  const checked: CheckContext = {
    client,
    transport,
    server,
    clock,
    operator,
    program,
    command,
    account,
    peering,
    table,
    signal,
  };
  const found: CheckResult[] = [];
  const show = output === "json" ? () => {} : printer(terminal);
  const own = (context.checks ?? []).map((check) =>
    ownCheck(check, context.settings as unknown as Readonly<Record<string, unknown>>)
  );
  for (const check of [...CHECKS, ...own]) {
    const results = await examine(check, checked);
    found.push(...results);
    results.forEach(show);
    signal.throwIfAborted();
  }
  if (output === "json") writeJson(terminal, found);
  else terminal.out(summary(found));
  return found.some(({ verdict }) => verdict === "problem" || verdict === "unknown") ? EXIT.failed : EXIT.done;
}

const STYLES = { ok: "green", warning: "yellow", problem: "red", unknown: "cyan" } as const satisfies Record<
  Verdict,
  string
>;
const CHECK_WIDTH = Math.max(...CHECKS.map(({ name }) => name.length)), VERDICT_WIDTH = "problem".length;

/** A table that grows with each finding on a terminal; elsewhere one line each, for grep. */
function printer(terminal: Terminal): (result: CheckResult) => void {
  if (!terminal.interactive) {
    return ({ check, verdict, message, fix }) => {
      terminal.out(`${verdict}: ${check}: ${message}`);
      if (fix) terminal.out(`  fix: ${fix}`);
    };
  }
  const indent = " ".repeat(CHECK_WIDTH + VERDICT_WIDTH + 4);
  terminal.out(
    paint(terminal, "bold", `${"CHECK".padEnd(CHECK_WIDTH)}  ${"RESULT".padEnd(VERDICT_WIDTH)}  FINDING`),
  );
  return ({ check, verdict, message, fix }) => {
    const painted = paint(terminal, STYLES[verdict], verdict.padEnd(VERDICT_WIDTH));
    const [first = "", ...rest] = wrap(message, Math.max(20, terminal.columns() - indent.length));
    terminal.out(`${check.padEnd(CHECK_WIDTH)}  ${painted}  ${first}`);
    const more = fix ? [...rest, ...wrap(`fix: ${fix}`, Math.max(20, terminal.columns() - indent.length))] : rest;
    for (const line of more) terminal.out(`${indent}${line}`);
  };
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function summary(found: readonly CheckResult[]): string {
  const count = (verdict: Verdict) => found.filter((each) => each.verdict === verdict).length;
  const parts = [`${count("ok")} ok`];
  for (const verdict of ["warning", "problem"] as const) {
    const number = count(verdict);
    if (number > 0) parts.push(`${number} ${verdict}${number > 1 ? "s" : ""}`);
  }
  if (count("unknown") > 0) parts.push(`${count("unknown")} not checked`);
  return parts.join(", ");
}

function ownCheck<Own extends SettingTable>(check: OwnCheck<Own>, settings: SettingValues<Own>): Check {
  return {
    name: check.name,
    async run({ client, account, table, signal }) {
      const deployments = await deploymentsOf(client, account, signal);
      const deployed = deployments.flatMap((deployment) => deployedSettings(deployment, table))
        .find((each) => each.settings !== undefined)?.settings as SettingValues<Own> | undefined;
      return await check.run({ client, settings: deployed ?? settings, signal });
    },
  };
}
