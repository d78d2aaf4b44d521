/**
 * `explore`: finds the crash, the stale read or the lost event that breaks an operator. A scenario runs in virtual
 * time, on the embedded server, once for each fault; what ends differently than without a fault is a failure.
 * `cli/` calls it.
 *
 * @module
 */
export { ExplorationWorkers, isExplorationWorker, serveExplorations } from "./exploration_workers.ts";
export { type Exploration, explore, type ExploreOptions, type FailedPlan, type Finding } from "./explorer.ts";
export { failureStory, failuresToTell, faultSteps } from "./failure_story.ts";
export { Recorder } from "./recorder.ts";
export { escapes } from "./escapes.ts";
export { parseRecording, type RecordedRequest, type Recording } from "./recording.ts";
export { replay, type ReplayDifference, type ReplayResult } from "./replay.ts";
export { type PlanReplay, type PlanReplayOptions, replayPlan } from "./plan_replay.ts";
export { formatPlan, parsePlan, type Plan, PLAN_KINDS, type PlanKind } from "./plan.ts";
