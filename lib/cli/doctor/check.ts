import { type Clock, describeError, type Transport } from "../../base/mod.ts";
import { type Client, ForbiddenError } from "../../client/mod.ts";
import type { Operator } from "../../operator/mod.ts";
import type { Account } from "../inventory.ts";
import type { PeeringPlace } from "../peering_place.ts";
import type { SettingTable } from "../setting.ts";

/** `problem` stops the operator from working, `warning` may, `unknown` could not be checked. */
export type Verdict = "ok" | "warning" | "problem" | "unknown";

/** A finding of a check, without any Secret's value. */
export interface CheckResult {
  readonly check: string;
  readonly verdict: Verdict;
  readonly message: string;
  /** The command or change that fixes it. */
  readonly fix?: string;
}

/** What a check reads, and with what. Checks write nothing. */
export interface CheckContext {
  readonly client: Client;
  readonly transport: Transport;
  readonly server: string;
  readonly clock: Clock;
  readonly operator: Operator;
  readonly program: string;
  /** Runs the program again when typed, for fixes. */
  readonly command: string;
  readonly account: Account;
  /** The settings' peering, or that of the operator's name. */
  readonly peering: PeeringPlace;
  readonly table: SettingTable;
  readonly signal: AbortSignal;
}

export interface Check {
  /** One word. */
  readonly name: string;
  run(context: CheckContext): Promise<readonly Finding[]>;
}

export type Finding = Omit<CheckResult, "check">;

export const ok = (message: string): Finding => ({ verdict: "ok", message });
export const warning = (message: string, fix: string): Finding => ({ verdict: "warning", message, fix });
export const problem = (message: string, fix: string): Finding => ({ verdict: "problem", message, fix });

/**
 * A forbidden request makes the result `unknown`; other checks still run.
 *
 * @throws every other error: a server that does not answer ends all checks.
 */
export async function examine(check: Check, context: CheckContext): Promise<CheckResult[]> {
  const found = await check.run(context).catch((error): Finding[] => {
    if (!(error instanceof ForbiddenError)) throw error;
    return [{ verdict: "unknown", message: describeError(error), fix: "let an admin run this, or grant that rule" }];
  });
  return found.map((finding) => ({ check: check.name, ...finding }));
}
