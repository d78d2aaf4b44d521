import { type Clock, describeError, type Transport } from "../../base/mod.ts";
import { type Client, ForbiddenError } from "../../client/mod.ts";
import type { Operator } from "../../operator/mod.ts";
import type { Account } from "../inventory.ts";
import type { PeeringPlace } from "../peering_place.ts";
import type { SettingTable } from "../setting.ts";

/**
 * How a check ended: `problem` keeps the operator from doing its work, `warning` may, and `unknown` could not be
 * checked.
 */
export type Verdict = "ok" | "warning" | "problem" | "unknown";

/** A finding of a check. Holds no value of any Secret. */
export interface CheckResult {
  /** What was checked, in one word. */
  readonly check: string;
  readonly verdict: Verdict;
  /** The finding, for people. */
  readonly message: string;
  /** The command, or the change, that fixes it. */
  readonly fix?: string;
}

/** What a check reads, and with what. Checks write nothing. */
export interface CheckContext {
  readonly client: Client;
  readonly transport: Transport;
  /** Address of the server. */
  readonly server: string;
  readonly clock: Clock;
  readonly operator: Operator;
  readonly program: string;
  /** What runs the program again when typed, for fixes. */
  readonly command: string;
  readonly account: Account;
  /** The peering that the settings name, or that of the operator's own name. */
  readonly peering: PeeringPlace;
  /** Every setting of the program, to read those of its pods with. */
  readonly table: SettingTable;
  readonly signal: AbortSignal;
}

/** Checks one thing. */
export interface Check {
  /** In one word. */
  readonly name: string;
  run(context: CheckContext): Promise<readonly Finding[]>;
}

/** A result before it is known which check made it. */
export type Finding = Omit<CheckResult, "check">;

export const ok = (message: string): Finding => ({ verdict: "ok", message });
export const warning = (message: string, fix: string): Finding => ({ verdict: "warning", message, fix });
export const problem = (message: string, fix: string): Finding => ({ verdict: "problem", message, fix });

/**
 * Runs a check. Where its requests are forbidden the result is `unknown`, and the other checks still run.
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
