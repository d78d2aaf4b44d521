import type { Mask } from "../base/mod.ts";
import type { Manifests, Suite } from "../harness/mod.ts";
import type { Operator } from "../operator/mod.ts";
import type { DemoScenario } from "./demo_scenario.ts";
import type { OwnCheck } from "./doctor/own_check.ts";
import type { ResolvedSettings, SettingTable } from "./setting.ts";
import type { Settings } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

export interface CommandContext {
  /** Names the program in messages, field managers and the installation's namespace. */
  readonly program: string;
  /** Typed in the current folder, it runs this program again (./typed_command.ts). */
  readonly command: string;
  readonly args: readonly string[];
  readonly version: string;
  readonly operator: Operator;
  readonly settings: Settings;
  readonly table: SettingTable;
  readonly origins: ResolvedSettings<SettingTable>["origins"];
  readonly env: Readonly<Record<string, string>>;
  readonly terminal: Terminal;
  readonly checks?: readonly OwnCheck<SettingTable>[];
  /** Masks the values of Secrets that the command read or sent. */
  readonly mask: Mask;
  readonly demo?: DemoScenario;
  readonly suites?: () => Promise<readonly Suite[]>;
  readonly prerequisites?: Manifests;
  readonly deletionNote?: string;
  readonly root?: string;
  /** The file in which `run` records what the operator observes, if any. */
  readonly record?: string;
  /** Kubeconfig of the embedded cluster that the parent process serves (./run_watched.ts), if any. */
  readonly embeddedAt?: string;
}
