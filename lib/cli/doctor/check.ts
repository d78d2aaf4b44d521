import { type Clock, describeError, type Transport } from "../../base/mod.ts";
import { type Client, ForbiddenError } from "../../client/mod.ts";
import type { Operator } from "../../operator/mod.ts";
import type { Account } from "../inventory.ts";
import type { PeeringPlace } from "../peering_place.ts";
import type { SettingTable } from "../setting.ts";

/**
 * How a look at something ended: `problem` keeps the operator from doing its work, `warning` may, and `unknown` could
 * not be looked at, so nobody knows.
 */
export type Verdict = "ok" | "warning" | "problem" | "unknown";

/** What one look found. Holds no value of any Secret. */
export interface CheckResult {
  /** What was looked at, in one word. */
  readonly check: string;
  readonly verdict: Verdict;
  /** What was found, for people. */
  readonly says: string;
  /** The command, or the change, that mends it. */
  readonly fix?: string;
}

/** What a check looks at, and with what. Checks write nothing. */
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

/** Looks at one thing. */
export interface Check {
  /** In one word. */
  readonly name: string;
  look(examination: CheckContext): Promise<readonly Finding[]>;
}

/** A diagnosis before it is known which check made it. */
export type Finding = Omit<CheckResult, "check">;

export const ok = (says: string): Finding => ({ verdict: "ok", says });
export const warning = (says: string, fix: string): Finding => ({ verdict: "warning", says, fix });
export const problem = (says: string, fix: string): Finding => ({ verdict: "problem", says, fix });

/**
 * What a check found. One that may not look finds `unknown`: the others still can.
 *
 * @throws whatever else it throws: a server that does not answer ends them all.
 */
export async function examine(check: Check, examination: CheckContext): Promise<CheckResult[]> {
  const found = await check.look(examination).catch((error): Finding[] => {
    if (!(error instanceof ForbiddenError)) throw error;
    return [{ verdict: "unknown", says: describeError(error), fix: "let an admin run this, or grant that rule" }];
  });
  return found.map((finding) => ({ check: check.name, ...finding }));
}
