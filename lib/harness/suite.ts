import { type Duration, durationMs } from "../base/mod.ts";
import type { Operator } from "../operator/mod.ts";
import type { Manifests } from "./manifests.ts";
import type { ScenarioContext } from "./scenario_context.ts";

/** The body of a scenario, step by step; `World` is the type of its outside world. */
export type ScenarioBody<World = unknown> = (context: ScenarioContext<World>) => Promise<void>;

/** Options of a scenario. */
export interface ScenarioOptions {
  /** Whether the operator runs when the story begins. `running` where absent. */
  readonly operator?: "running" | "stopped";
  /**
   * The story stops, kills or starts the operator: where several scenarios share one, it gets it for itself. Implied by
   * `operator: "stopped"` and by `inProcess`.
   */
  readonly alone?: true;
  /** The body inspects the operator's own process, or crashes it: it is skipped where the operator is a pod. */
  readonly inProcess?: true;
  /**
   * The configurations of the operator's admission webhooks stay while it is stopped, as they do in a cluster: what
   * they are for is refused until it runs again. Else they go with it, so that nothing refuses what the story writes.
   * Of an operator that is a pod they always stay.
   */
  readonly webhooksStay?: true;
  /**
   * Every Deployment, StatefulSet, DaemonSet, ReplicaSet, Job and Pod of the scenario becomes ready, or complete, by
   * itself: `readyAfter` on the run's clock after it appears or its spec changes, unless the story makes it fail.
   * Nothing does where absent: no embedded cluster and no envtest has nodes. Without effect on clusters that have some.
   */
  readonly workloads?: { readonly readyAfter: Duration };
  /**
   * Longest run of the story, the making of its world included, its teardown not included. Five minutes where absent.
   * The teardown has a bound of its own, and what takes longer is a failure that names it.
   */
  readonly timeout?: Duration;
}

/** One story about an operator, with a name that is a sentence. */
export interface Scenario {
  /** A sentence that is true if the story comes to its end; unique in its suite. */
  readonly name: string;
  /** What happens. */
  readonly story: ScenarioBody;
  /** Its options. */
  readonly options: ScenarioOptions;
}

/** What the scenarios of a suite need. */
export type SuiteOptions<World> =
  & {
    /**
     * Objects that must be there before the operator starts, as CRDs that it does not own: installed once per cluster,
     * and removed from one that outlives the run.
     */
    readonly given?: Manifests;
  }
  & ({
    /**
     * Makes the outside world of one scenario, as a fake of the service that the operator calls. No other scenario sees
     * it, and the operator finds it as it left it when it starts again. One that can be disposed of is, after the
     * scenario.
     */
    readonly world: () => World | Promise<World>;
    /**
     * Makes a fresh operator in a scenario's world for each start. It is also called without a start, to learn what the
     * operator declares, before the first scenario in a world that no scenario gets.
     */
    readonly operator: (world: World) => Operator;
  } | {
    readonly world?: undefined;
    /** Makes a fresh operator for each start: none keeps what a former one remembered. */
    readonly operator: () => Operator;
  });

/**
 * The scenarios of one operator. The same suite runs under `deno test` ({@linkcode denoTests}) and inside the
 * operator's binary (`test`), on every kind of cluster.
 *
 * @example
 * ```ts
 * import { ConfigMap, Operator } from "@pintle/pintle";
 * import { Suite } from "@pintle/pintle/testing";
 * const suite = new Suite("labels", () => new Operator("labels"));
 * suite.scenario("a ConfigMap is left alone", async ({ given, then, cluster, expect, ref }) => {
 *   await given("a ConfigMap", () => cluster.applyManifest({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a"
 *   } })); await then("it is there", () => expect(ref(ConfigMap, "a")).toExist());
 * });
 * if (suite.scenarios.length !== 1) throw new Error("one scenario");
 *
 * const billed = new Suite("billed", { world: () => new Map<string, number>(), operator: () => new Operator("billed")
 * }); billed.scenario("nothing is billed", ({ world, then }) => then("no bill", () => {
 *   if (world.size > 0) throw new Error("there is a bill");
 * }));
 * ```
 */
export class Suite<World = unknown> {
  /** What must be there before the operator starts. */
  readonly given: Manifests;
  /** Whether each scenario has an outside world of its own, in this process. */
  readonly hasWorld: boolean;
  readonly #open: () => Promise<SuiteWorld>;
  readonly #scenarios: Scenario[] = [];

  /** `suite` contains what its scenarios need; a function that makes the operator is enough. */
  constructor(readonly name: string, suite: (() => Operator) | SuiteOptions<World>) {
    const options: SuiteOptions<World> = typeof suite === "function" ? { operator: suite } : suite;
    this.given = options.given ?? [];
    this.hasWorld = options.world !== undefined;
    this.#open = () => openWorld(options);
  }

  /** Makes an outside world, and the operators in it. Disposing disposes of the world. */
  open(): Promise<SuiteWorld> {
    return this.#open();
  }

  /**
   * Adds a scenario.
   *
   * @throws {RangeError} where the suite has one of that name already.
   */
  scenario(name: string, story: ScenarioBody<World>, options: ScenarioOptions = {}): this {
    if (this.#scenarios.some((scenario) => scenario.name === name)) {
      throw new RangeError(`suite ${this.name} has a scenario "${name}" already`);
    }
    // Only this suite runs it, in a world of its own.
    this.#scenarios.push({ name, story: story as ScenarioBody, options });
    return this;
  }

  /** In the order in which they were added. */
  get scenarios(): readonly Scenario[] {
    return this.#scenarios;
  }
}

/** One outside world, and the operators in it. */
export interface SuiteWorld extends AsyncDisposable {
  /** What the scenario gets; undefined where the suite has none. */
  readonly world: unknown;
  /** Makes a fresh operator in it. */
  readonly operator: () => Operator;
}

async function openWorld<World>({ world: make, operator }: SuiteOptions<World>): Promise<SuiteWorld> {
  if (make === undefined) return { world: undefined, operator, [Symbol.asyncDispose]: () => Promise.resolve() };
  const world = await make();
  return { world, operator: () => operator(world), [Symbol.asyncDispose]: () => disposeOf(world) };
}

async function disposeOf(world: unknown): Promise<void> {
  if (typeof world !== "object" || world === null) return;
  if (Symbol.asyncDispose in world) await (world as AsyncDisposable)[Symbol.asyncDispose]();
  else if (Symbol.dispose in world) (world as Disposable)[Symbol.dispose]();
}

/** Longest body without its own limit. */
const STORY_MS_MAX = 5 * 60_000;

/** How long a scenario may take, its teardown not included. */
export function limitMsOf({ timeout }: ScenarioOptions): number {
  return timeout === undefined ? STORY_MS_MAX : durationMs(timeout);
}

/** Whether a scenario must not share its operator with others that run at the same time. */
export function isAlone({ alone, inProcess, operator }: ScenarioOptions): boolean {
  return alone === true || inProcess === true || operator === "stopped";
}
