import type { Clock } from "../base/mod.ts";
import type { ApiResource, KubeObject } from "../apimachinery/mod.ts";
import type { Expectation } from "./expectation.ts";
import type { OperatorUnderTest } from "./operator_under_test.ts";
import type { Ref, TypedResource } from "./ref.ts";
import type { ScenarioCluster } from "./scenario_cluster.ts";
import type { LogEntry } from "./timeline.ts";
import type { Verdict } from "./waiting.ts";

/** One step of a story: its title is for the report, its result goes back to the story. */
export type Step = <T>(title: string, act: () => Promise<T> | T) => Promise<T>;

/**
 * What a story gets, to be destructured. It is never returned from an async function: its `then` is a step, and would
 * be taken for a promise's.
 */
export interface ScenarioContext<World = unknown> {
  /** What there is before anything happens. */
  readonly given: Step;
  /** What happens. */
  readonly when: Step;
  /** What follows from it. */
  readonly then: Step;
  /** The cluster, as far as it belongs to this scenario. */
  readonly cluster: ScenarioCluster;
  /** The scenario's own namespace. */
  readonly namespace: string;
  /** First part of the names of everything that belongs to the scenario. */
  readonly prefix: string;
  /** The scenario's own outside world, which its suite made; undefined where the suite makes none. */
  readonly world: World;
  /** The operator. */
  readonly operator: OperatorUnderTest;
  /** Names an object; its namespace is the scenario's own where absent and the kind has namespaces. */
  ref<T extends KubeObject>(resource: TypedResource<T>, name: string, namespace?: string): Ref<T>;
  /** What is expected of an object: each method waits for it, within the run's bound. */
  expect<T extends KubeObject>(ref: Ref<T>): Expectation<T>;
  /**
   * Waits until a Deployment, StatefulSet, DaemonSet, ReplicaSet, Job or Pod exists, and makes it ready; a Job is
   * complete then. Returns it. Its status is written as its controllers would. On a cluster with nodes (`kind`,
   * `current`) nothing is written: it waits until it is ready.
   *
   * @throws {NotYetError} after the run's bound. @throws {UsageError} where it is of another kind.
   */
  makeReady<T extends KubeObject>(ref: Ref<T>): Promise<T>;
  /**
   * The same, but makes it fail, with `message` where its status has a field for one. It stays so until
   * {@linkcode makeReady} is called; a Job or Pod that has failed never becomes ready. Another object of its name does.
   * On a cluster with nodes the scenario is skipped: the controllers there would write over it.
   */
  makeFail<T extends KubeObject>(ref: Ref<T>, message?: string): Promise<T>;
  /**
   * Waits, woken by changes of `resources`, until `check` reports that it holds. At least one kind is needed: without
   * any, no change would be noticed.
   *
   * @throws {NotYetError} after the run's bound, with what was seen last: `seen` of `check`, else the objects of these
   *   kinds in the scenario's namespaces, with their conditions. @throws {UsageError} where there is no kind.
   */
  eventually(
    what: string,
    resources: readonly [ApiResource, ...ApiResource[]],
    check: () => Promise<Verdict>,
  ): Promise<void>;
  /** What the operator has logged so far; empty where it is a pod. */
  readonly logs: readonly LogEntry[];
  /** The run's time. */
  readonly clock: Clock;
  /** Aborts when the scenario's time is over or the run is interrupted. */
  readonly signal: AbortSignal;
}
