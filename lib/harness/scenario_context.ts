import type { Clock } from "../base/mod.ts";
import type { ApiResource, KubeObject } from "../apimachinery/mod.ts";
import type { Expectation } from "./expectation.ts";
import type { OperatorUnderTest } from "./operator_under_test.ts";
import type { Ref, TypedResource } from "./ref.ts";
import type { ScenarioCluster } from "./scenario_cluster.ts";
import type { LogEntry } from "./timeline.ts";
import type { Verdict } from "./waiting.ts";

/** A step of the body: the report shows its title, the body gets its result. */
export type Step = <T>(title: string, act: () => Promise<T> | T) => Promise<T>;

/** What a body gets, to be destructured. Async functions must not return it: its `then` would make it a promise. */
export interface ScenarioContext<World = unknown> {
  /** What exists before. */
  readonly given: Step;
  /** What happens. */
  readonly when: Step;
  /** What follows. */
  readonly then: Step;
  /** The scenario's part of the cluster. */
  readonly cluster: ScenarioCluster;
  /** The scenario's own namespace. */
  readonly namespace: string;
  /** Prefix of all names that belong to the scenario. */
  readonly prefix: string;
  /** The scenario's world, made by its suite; undefined if the suite makes none. */
  readonly world: World;
  /** The operator. */
  readonly operator: OperatorUnderTest;
  /** Names an object. For a namespaced kind, `namespace` is the scenario's own if absent. */
  ref<T extends KubeObject>(resource: TypedResource<T>, name: string, namespace?: string): Ref<T>;
  /** Expectations of an object: each method waits within the run's bound. */
  expect<T extends KubeObject>(ref: Ref<T>): Expectation<T>;
  /**
   * Waits until a Deployment, StatefulSet, DaemonSet, ReplicaSet, Job or Pod exists, makes it ready (a Job complete)
   * and returns it. Writes the status as its controllers would; on a cluster with nodes (`kind`, `current`) it only
   * waits.
   *
   * @throws {NotYetError} after the run's bound. @throws {UsageError} for another kind.
   */
  makeReady<T extends KubeObject>(ref: Ref<T>): Promise<T>;
  /**
   * The same, but makes it fail, with `message` if its status has a field for one. It stays so until
   * {@linkcode makeReady}; a failed Job or Pod never becomes ready, but another of its name does. With nodes the
   * scenario is skipped: their controllers would overwrite it.
   */
  makeFail<T extends KubeObject>(ref: Ref<T>, message?: string): Promise<T>;
  /**
   * Waits, woken by changes of `resources`, until `check` holds. Without a kind, no change would be noticed.
   *
   * @throws {NotYetError} after the run's bound, with `seen` of `check`, else these kinds' objects in the scenario's
   *   namespaces with conditions. @throws {UsageError} without a kind.
   */
  eventually(
    what: string,
    resources: readonly [ApiResource, ...ApiResource[]],
    check: () => Promise<Verdict>,
  ): Promise<void>;
  /** The operator's log so far; empty if it is a pod. */
  readonly logs: readonly LogEntry[];
  /** Clock of the run. */
  readonly clock: Clock;
  /** Aborts at the scenario's time limit, or when the run is interrupted. */
  readonly signal: AbortSignal;
}
