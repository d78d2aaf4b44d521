import type { Client } from "../../client/mod.ts";
import type { SettingTable, SettingValues } from "../setting.ts";

/** A finding of an operator's own check. Holds no value of any Secret. */
export interface OwnFinding {
  /** `problem` keeps the operator from doing its work, `warning` may. */
  readonly verdict: "ok" | "warning" | "problem";
  /** The finding, for people. */
  readonly message: string;
  /** The command, or the change, that fixes it. */
  readonly fix?: string;
}

/** A check that an operator adds to `doctor`. It writes nothing. */
export interface OwnCheck<Own extends SettingTable> {
  /** In one word. */
  readonly name: string;
  /** Checks one thing with the settings of the deployed operator, or of this process where none is deployed. */
  run(of: {
    readonly client: Client;
    readonly settings: SettingValues<Own>;
    readonly signal: AbortSignal;
  }): Promise<readonly OwnFinding[]>;
}
