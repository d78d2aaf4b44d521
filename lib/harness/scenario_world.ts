import type { Clock } from "../base/mod.ts";
import type { Operator } from "../operator/mod.ts";
import type { SeeWorld, Suite, SuiteWorld } from "./suite.ts";
import { limited } from "./time_limit.ts";

interface ScenarioWorldOptions {
  readonly clock: Clock;
  /** Longest creation. */
  readonly limitMs: number;
  /** Longest disposal. */
  readonly waitMsMax: number;
  readonly signal: AbortSignal;
  /** How its operators see it. */
  readonly see?: SeeWorld;
}

/** A suite's world, made and disposed of within bounds, and disposed of once. */
export class ScenarioWorld implements SuiteWorld {
  readonly #inner: SuiteWorld;
  readonly #options: ScenarioWorldOptions;
  #isDisposed = false;

  private constructor(inner: SuiteWorld, options: ScenarioWorldOptions, readonly tookMs: number) {
    this.#inner = inner;
    this.#options = options;
  }

  /**
   * Makes the world; disposes of one that comes too late.
   *
   * @throws {TimeoutError} after `limitMs`; the signal's reason; whatever the suite's `world` throws.
   */
  static async open(suite: Suite, options: ScenarioWorldOptions): Promise<ScenarioWorld> {
    const { clock, limitMs, signal } = options, startMs = clock.elapsed();
    let isLate = false;
    const open = async () => {
      const world = new ScenarioWorld(await suite.open(options.see), options, clock.elapsed() - startMs);
      if (isLate) await world[Symbol.asyncDispose]();
      return world;
    };
    try {
      return await limited(open, { clock, limitMs, what: `world() of suite ${suite.name}`, signal });
    } finally {
      isLate = true;
    }
  }

  get world(): unknown {
    return this.#inner.world;
  }

  get operator(): () => Operator {
    return this.#inner.operator;
  }

  /** Disposes of the world once. @throws {Error} that names the world. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    const { clock, waitMsMax: limitMs } = this.#options;
    try {
      await limited(async () => await this.#inner[Symbol.asyncDispose](), { clock, limitMs, what: "that" });
    } catch (cause) {
      throw new Error("its world could not be disposed of", { cause });
    }
  }
}
