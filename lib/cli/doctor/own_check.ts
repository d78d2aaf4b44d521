import type { Client } from "../../client/mod.ts";
import type { SettingTable, SettingValues } from "../setting.ts";

/** A finding of an operator's own check, without any Secret's value. */
export interface OwnFinding {
  /** `problem` stops the operator from working, `warning` may. */
  readonly verdict: "ok" | "warning" | "problem";
  /** The finding, for people. */
  readonly message: string;
  /** The command or change that fixes it. */
  readonly fix?: string;
}

/** A check that an operator adds to `doctor`. It writes nothing. */
export interface OwnCheck<Own extends SettingTable> {
  /** One word. */
  readonly name: string;
  /** Checks with the deployed operator's settings, or this process's if none is deployed. */
  run(of: {
    readonly client: Client;
    readonly settings: SettingValues<Own>;
    readonly signal: AbortSignal;
  }): Promise<readonly OwnFinding[]>;
}
