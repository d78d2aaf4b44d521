/**
 * `harness`: clusters for tests and demos, scenarios on them, and their runner. It judges nothing itself: the scenarios
 * contain what is expected of an operator. `cli/` and the tests call it.
 *
 * @module
 */
export { SeededRandom, VirtualClock } from "../base/mod.ts";
export type { ProxyVariables } from "../client/mod.ts";
export * from "./check_conversion.ts";
export * from "./cluster.ts";
export { CommandError, requireCommand } from "./command.ts";
export { ContainerRuntime, type ContainerRuntimeName } from "./container_runtime.ts";
export * from "./current.ts";
export * from "./deno_tests.ts";
export { deploy, type DeployOptions } from "./deploy.ts";
export * from "./embedded.ts";
export * from "./envtest.ts";
export { type EnvtestFolders, envtestFolders, type Platform } from "./envtest_folders.ts";
export * from "./envtest_mirror.ts";
export * from "./envtest_programs.ts";
export * from "./expectation.ts";
export { buildLocalImage, type ImageOptions } from "./image.ts";
export * from "./kind.ts";
export type { KindProgramOptions } from "./kind_program.ts";
export * from "./kubeconfig_cluster.ts";
export type { Manifests } from "./manifests.ts";
export type { Matcher, Mismatch, Pattern } from "./match.ts";
export * from "./operator_under_test.ts";
export { mergedUse } from "./rbac.ts";
export type { RbacUse, UncoveredRequest } from "./rbac.ts";
export * from "./rbac_report.ts";
export type { Ref, TypedResource } from "./ref.ts";
export { htmlReport, type HtmlReportOptions } from "./report_html.ts";
export * from "./report_junit.ts";
export * from "./report_lines.ts";
export { type LiveArea, TerminalReporter, type TerminalReporterOptions } from "./report_terminal.ts";
export * from "./result.ts";
export * from "./runner.ts";
export type { ScenarioCluster } from "./scenario_cluster.ts";
export type { ScenarioContext, Step } from "./scenario_context.ts";
export {
  type ExploreExceptions,
  type Scenario,
  type ScenarioBody,
  type ScenarioOptions,
  Suite,
  type SuiteOptions,
  type SuiteWorld,
} from "./suite.ts";
export type { EventEntry, LogEntry, StepKind, StepRecord, WriteEntry } from "./timeline.ts";
export { NotYetError, type Verdict } from "./waiting.ts";
