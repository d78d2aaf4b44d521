import { type Duration, durationMs, methodsDeclare } from "../base/mod.ts";
import type { Operator } from "../operator/mod.ts";
import type { Manifests } from "./manifests.ts";
import type { ScenarioContext } from "./scenario_context.ts";

/** A scenario's body, step by step; `World` is the type of its world. */
export type ScenarioBody<World = unknown> = (context: ScenarioContext<World>) => Promise<void>;

/** Options of a scenario. */
export interface ScenarioOptions {
  /** Whether the operator runs when the body begins. `running` if absent. */
  readonly operator?: "running" | "stopped";
  /**
   * The body stops, kills or starts the operator, and gets a shared one for itself. Implied by `operator: "stopped"`
   * and `inProcess`.
   */
  readonly alone?: true;
  /** The body inspects or crashes the operator's process: skipped if the operator is a pod. */
  readonly inProcess?: true;
  /**
   * The operator's admission webhook configurations stay while it is stopped, as in a cluster: writes that they match
   * are refused. Else they go with it, so that the body's writes pass. With the operator in a pod they always stay.
   */
  readonly webhooksStay?: true;
  /**
   * Every Deployment, StatefulSet, DaemonSet, ReplicaSet, Job and Pod of the scenario becomes ready, or complete. This
   * takes `readyAfter` on the run's clock from its creation or spec change, unless the body makes it fail. If absent
   * nothing does: embedded clusters and envtest have no nodes. No effect on clusters with nodes.
   */
  readonly workloads?: { readonly readyAfter: Duration };
  /**
   * Longest body and making of its world, without teardown; five minutes if absent. The teardown has its own bound, and
   * a failure names what exceeds it.
   */
  readonly timeout?: Duration;
}

/** One scenario of an operator. */
export interface Scenario {
  /** A sentence that is true if the body succeeds; unique in its suite. */
  readonly name: string;
  /** The body. */
  readonly body: ScenarioBody;
  /** Its options. */
  readonly options: ScenarioOptions;
}

/** What may differ in the end when a fault struck, for `test --explore`. */
export interface ExploreExceptions {
  /** Fields, as `ConfigMap.data.stamp` or `world.accounts.value.at`: everything below counts too. */
  readonly ignore?: readonly string[];
  /** Kinds, and collections as `world.accounts`, of which a fault may leave, create or delete another number. */
  readonly countsMayDiffer?: readonly string[];
}

/** What the scenarios of a suite need. */
export type SuiteOptions<World> =
  & {
    /**
     * Objects that must exist before the operator starts, such as foreign CRDs. Installed once per cluster, and removed
     * from one that outlives the run.
     */
    readonly given?: Manifests;
    /** What may differ after a fault; nothing if absent. */
    readonly explore?: ExploreExceptions;
  }
  & ({
    /**
     * Makes one scenario's world, such as a fake of a service that the operator calls. Only this scenario sees it; it
     * outlives the operator's restarts. A disposable one is disposed of after the scenario.
     */
    readonly world: () => World | Promise<World>;
    /**
     * Makes a fresh operator in a world for each start. Also called before the first scenario, in a world of no
     * scenario, to learn what the operator declares.
     */
    readonly operator: (world: World) => Operator;
  } | {
    readonly world?: undefined;
    /** Makes a fresh operator for each start, so that none keeps memory. */
    readonly operator: () => Operator;
  });

/**
 * The scenarios of one operator. The same suite runs under `deno test` ({@linkcode denoTests}) and by the binary's
 * `test`, on every kind of cluster.
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
  /** Objects that must exist before the operator starts. */
  readonly given: Manifests;
  /** What may differ after a fault. */
  readonly explore: ExploreExceptions;
  /** Whether each scenario has a world in this process. */
  readonly hasWorld: boolean;
  readonly #open: (see: SeeWorld) => Promise<SuiteWorld>;
  readonly #scenarios: Scenario[] = [];

  /** `suite` is what its scenarios need; a function that makes the operator is enough. */
  constructor(readonly name: string, suite: (() => Operator) | SuiteOptions<World>) {
    const options: SuiteOptions<World> = typeof suite === "function" ? { operator: suite } : suite;
    this.given = options.given ?? [];
    this.explore = options.explore ?? {};
    this.hasWorld = options.world !== undefined;
    this.#open = (see) => openWorld(options, see);
  }

  /** Makes a world, and the operators in it, which get it as `see` shows it. Disposing disposes of the world. */
  open(see: SeeWorld = (world) => world): Promise<SuiteWorld> {
    return this.#open(see);
  }

  /**
   * Adds a scenario.
   *
   * @throws {RangeError} if the suite has one of that name.
   */
  scenario(name: string, body: ScenarioBody<World>, options: ScenarioOptions = {}): this {
    if (this.#scenarios.some((scenario) => scenario.name === name)) {
      throw new RangeError(`suite ${this.name} has a scenario "${name}" already`);
    }
    // Only this suite runs it, in its own world.
    this.#scenarios.push({ name, body: body as ScenarioBody, options });
    return this;
  }

  /** In the order of addition. */
  get scenarios(): readonly Scenario[] {
    return this.#scenarios;
  }

  static {
    methodsDeclare(this);
  }
}

/** One world, and the operators in it. */
export interface SuiteWorld extends AsyncDisposable {
  /** The scenario's world; undefined if the suite has none. */
  readonly world: unknown;
  /** Makes a fresh operator in it. */
  readonly operator: () => Operator;
}

/** Shows a world to an operator: itself, or a stand-in for it. */
export type SeeWorld = <World>(world: World) => World;

async function openWorld<World>(
  { world: make, operator }: SuiteOptions<World>,
  see: SeeWorld,
): Promise<SuiteWorld> {
  if (make === undefined) return { world: undefined, operator, [Symbol.asyncDispose]: () => Promise.resolve() };
  const world = await make();
  return { world, operator: () => operator(see(world)), [Symbol.asyncDispose]: () => disposeOf(world) };
}

async function disposeOf(world: unknown): Promise<void> {
  if (typeof world !== "object" || world === null) return;
  if (Symbol.asyncDispose in world) await (world as AsyncDisposable)[Symbol.asyncDispose]();
  else if (Symbol.dispose in world) (world as Disposable)[Symbol.dispose]();
}

const BODY_MS_MAX = 5 * 60_000;

export function limitMsOf({ timeout }: ScenarioOptions): number {
  return timeout === undefined ? BODY_MS_MAX : durationMs(timeout);
}

/** Whether a scenario must not share its operator. */
export function isAlone({ alone, inProcess, operator }: ScenarioOptions): boolean {
  return alone === true || inProcess === true || operator === "stopped";
}
