import type { Client } from "../../client/mod.ts";
import type { SettingTable, SettingValues } from "../setting.ts";

/** What such a check found. Holds no value of any Secret. */
export interface OwnFinding {
  /** `problem` keeps the operator from doing its work, `warning` may. */
  readonly verdict: "ok" | "warning" | "problem";
  /** What was found, for people. */
  readonly says: string;
  /** The command, or the change, that mends it. */
  readonly fix?: string;
}

/** A check that an operator adds to `doctor`. It writes nothing. */
export interface OwnCheck<Own extends SettingTable> {
  /** In one word. */
  readonly name: string;
  /**
   * Looks at one thing, with the settings of the deployed operator, or those of this process where none is deployed.
   */
  look(of: {
    readonly client: Client;
    readonly settings: SettingValues<Own>;
    readonly signal: AbortSignal;
  }): Promise<readonly OwnFinding[]>;
}
