import { scopeOfGlobs } from "../apimachinery/mod.ts";
import type { Client } from "../client/mod.ts";
import { preflight, type PreflightOptions } from "../operator/mod.ts";
import type { CommandContext } from "./command_context.ts";

/**
 * Reports all that is missing before anything starts.
 *
 * @throws {PreflightError} naming each missing kind and rule with its fix.
 */
export async function requireReady(
  { operator, command, settings }: CommandContext,
  client: Client,
  options: Pick<
    PreflightOptions,
    "leaseNamespace" | "shardsNamespace" | "peeringNamespace" | "webhookNamespace" | "clock" | "logger" | "signal"
  >,
): Promise<void> {
  const { only } = scopeOfGlobs(settings.namespaces);
  const findings = await preflight(operator, client, { command, namespace: only, ...options });
  if (findings.length === 0) return;
  throw new PreflightError(findings.map(({ problem, fix }) => `${problem}\n  fix: ${fix}`).join("\n"));
}

class PreflightError extends Error {
  override readonly name = "PreflightError";
}
