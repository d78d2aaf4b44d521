/**
 * `cli`: the commands of an operator's binary, one file each, and its settings. It composes the folders below for a
 * person or a container's entry point; it knows no particular operator. `main.ts` calls it.
 *
 * @module
 */
export type { BuildInfo } from "./command_tree.ts";
export type { DemoRow, DemoScenario, DemoStep, DemoView } from "./demo_scenario.ts";
export type { OwnCheck, OwnFinding } from "./doctor/own_check.ts";
export { EXIT } from "./exit.ts";
export { cli, type CliOptions } from "./program.ts";
export {
  boolean,
  choice,
  duration,
  globs,
  integer,
  list,
  namespaceName,
  type Setting,
  type SettingOptions,
  type SettingTable,
  type SettingValues,
  text,
} from "./setting.ts";
export { SETTINGS, type Settings } from "./settings.ts";
