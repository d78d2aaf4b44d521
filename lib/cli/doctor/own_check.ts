import type { Client } from "../../client/mod.ts";
import { deploymentsOf } from "../inventory.ts";
import type { SettingTable, SettingValues } from "../setting.ts";
import { deployedSettings } from "./deployed_settings.ts";
import type { Check } from "./check.ts";

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

/** The same as one of the checks of `doctor`. */
export function ownCheck<Own extends SettingTable>(check: OwnCheck<Own>, settings: SettingValues<Own>): Check {
  return {
    name: check.name,
    async look({ client, account, table, signal }) {
      const deployments = await deploymentsOf(client, account, signal);
      const deployed = deployments.flatMap((deployment) => deployedSettings(deployment, table))
        .find((each) => each.settings !== undefined)?.settings as SettingValues<Own> | undefined;
      return await check.look({ client, settings: deployed ?? settings, signal });
    },
  };
}
