import type { Mask } from "../base/mod.ts";
import type { Manifests, Suite } from "../harness/mod.ts";
import type { Operator } from "../operator/mod.ts";
import type { DemoScenario } from "./demo_scenario.ts";
import type { OwnCheck } from "./doctor/own_check.ts";
import type { ResolvedSettings, SettingTable } from "./setting.ts";
import type { Settings } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

/** What each command is given. */
export interface CommandContext {
  /** Name of the program, for messages, field managers and the namespace of the installation. */
  readonly program: string;
  /** What runs this program again when typed in the current folder, for advice (./typed_command.ts). */
  readonly command: string;
  /** What the program was started with. */
  readonly args: readonly string[];
  readonly version: string;
  readonly operator: Operator;
  readonly settings: Settings;
  readonly table: SettingTable;
  readonly origins: ResolvedSettings<SettingTable>["origins"];
  readonly env: Readonly<Record<string, string>>;
  readonly terminal: Terminal;
  readonly checks?: readonly OwnCheck<SettingTable>[];
  /** Knows the values of Secrets that the command has read or sent, so that nothing that it prints has them. */
  readonly mask: Mask;
  readonly demo?: DemoScenario;
  readonly suites?: () => Promise<readonly Suite[]>;
  readonly prerequisites?: Manifests;
  readonly deletionNote?: string;
  readonly root?: string;
  /**
   * Kubeconfig of the embedded cluster that the process serves which started this one (./run_watched.ts); absent where
   * none did.
   */
  readonly embeddedAt?: string;
}
