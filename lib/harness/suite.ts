import type { Duration } from "../base/mod.ts";
import type { Operator } from "../operator/operator.ts";
import type { ScenarioContext } from "./scenario_context.ts";

/** What a scenario tells, step by step. */
export type Story = (context: ScenarioContext) => Promise<void>;

/** What a scenario asks of the runner. */
export interface ScenarioOptions {
  /** Whether the operator runs when the story begins. `running` where absent. */
  readonly operator?: "running" | "stopped";
  /**
   * The story stops, kills or starts the operator: where several scenarios share one, it gets it for itself. Implied by
   * `operator: "stopped"` and by `inProcess`.
   */
  readonly alone?: true;
  /** The story looks into the operator's own process, or makes it fail: it is skipped where the operator is a pod. */
  readonly inProcess?: true;
  /** Longest run of the story, its teardown not included. Five minutes where absent. */
  readonly timeout?: Duration;
}

/** One story about an operator, with a name that is a sentence. */
export interface Scenario {
  /** A sentence that is true if the story comes to its end; unique in its suite. */
  readonly name: string;
  /** What happens. */
  readonly story: Story;
  /** What it asks of the runner. */
  readonly options: ScenarioOptions;
}

/**
 * The scenarios of one operator. The same suite runs under `deno test` ({@linkcode denoTests}) and inside the operator's
 * binary (`test`), on every kind of cluster.
 *
 * @example
 * ```ts
 * import { ConfigMap, Operator } from "@pintle/pintle";
 * import { Suite } from "@pintle/pintle/testing";
 * const suite = new Suite("labels", () => new Operator("labels"));
 * suite.scenario("a ConfigMap is left alone", async ({ given, then, cluster, expect, ref }) => {
 *   await given("a ConfigMap", () => cluster.applyManifest({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } }));
 *   await then("it is there", () => expect(ref(ConfigMap, "a")).toExist());
 * });
 * if (suite.scenarios.length !== 1) throw new Error("one scenario");
 * ```
 */
export class Suite {
  readonly #scenarios: Scenario[] = [];

  /** `operator` makes a fresh operator for each start: none keeps what a former one remembered. */
  constructor(readonly name: string, readonly operator: () => Operator) {}

  /**
   * Adds a scenario.
   *
   * @throws {RangeError} where the suite has one of that name already.
   */
  scenario(name: string, story: Story, options: ScenarioOptions = {}): this {
    if (this.#scenarios.some((scenario) => scenario.name === name)) {
      throw new RangeError(`suite ${this.name} has a scenario "${name}" already`);
    }
    this.#scenarios.push({ name, story, options });
    return this;
  }

  /** In the order in which they were added. */
  get scenarios(): readonly Scenario[] {
    return this.#scenarios;
  }
}

/** Whether a scenario must not share its operator with others that run at the same time. */
export function isAlone({ alone, inProcess, operator }: ScenarioOptions): boolean {
  return alone === true || inProcess === true || operator === "stopped";
}
