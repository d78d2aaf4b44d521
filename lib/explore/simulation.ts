import { setImmediate } from "node:timers";
import { describeError, SeededRandom, type TimerHandle, VirtualClock } from "../base/mod.ts";
import { controlAmbientCalls } from "./ambient_calls.ts";
import { type SimulatedMachine, SimulatedProcess } from "./simulated_process.ts";

/** Where virtual time begins: a Thursday, so that nothing depends on the day of a run. */
const START_MS = Date.UTC(2026, 0, 1);

/** Errors that are kept of one run. */
const UNCAUGHT_MAX = 20;

/** Nothing can happen any more, and the task has not ended. */
export class StuckError extends Error {
  override readonly name = "StuckError";
}

/**
 * One process's worth of JavaScript under a virtual clock and seeded randomness. Code of `run` is unchanged: timers,
 * dates and random values are the simulation's, for it and for all that it starts.
 *
 * Guarantees: the same task with the same seed takes the same steps. Time passes only when nothing else can happen.
 * Work that the machine does (digests, files) ends in the order of its start, before time passes.
 */
export class Simulation implements SimulatedMachine {
  readonly clock: SimulatedClock;
  readonly ambient: SeededRandom;
  readonly #warnings = new Set<string>();
  readonly #uncaught: string[] = [];
  readonly #onEnd: (() => void)[] = [];
  /** The machine's work that has not ended; each waits for those before it. */
  #working = 0;
  #lastWork: Promise<unknown> = Promise.resolve();

  /** Begins `offsetMs` after the first second of 2026. */
  constructor(readonly seed: number, offsetMs: number = 0) {
    this.clock = new SimulatedClock(START_MS + offsetMs, () => this.#settle());
    this.ambient = this.random("ambient");
  }

  /** Randomness for one purpose; another purpose's draws do not change it. */
  random(purpose: string): SeededRandom {
    let hash = this.seed >>> 0;
    for (const letter of purpose) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0;
    return new SeededRandom(hash);
  }

  /** What was thrown, or rejected, and handled nowhere. */
  get uncaughtErrors(): readonly string[] {
    return this.#uncaught;
  }

  uncaught(error: unknown): void {
    if (this.#uncaught.length < UNCAUGHT_MAX) this.#uncaught.push(describeError(error));
  }

  onEnd(release: () => void): void {
    this.#onEnd.push(release);
  }

  /** Calls that left the simulation, by name. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  warn(call: string): void {
    this.#warnings.add(call);
  }

  work<T>(start: () => Promise<T>): Promise<T> {
    this.#working++;
    const before = this.#lastWork;
    const ended = start().finally(async () => {
      await before.catch(() => {});
      this.#working--;
    });
    ended.catch(() => {}); // the caller's to handle
    this.#lastWork = ended;
    return ended;
  }

  /**
   * Runs `task` until it ends.
   *
   * @throws what `task` throws; {@linkcode StuckError} if it waits for something that cannot happen.
   */
  async run<T>(task: () => Promise<T>): Promise<T> {
    using _controlled = controlAmbientCalls();
    using _rejections = this.#catchRejections();
    using _timers = { [Symbol.dispose]: () => this.#onEnd.splice(0).forEach((release) => release()) };
    let hasEnded = false;
    const ended = new SimulatedProcess(this, "scenario").run(task).finally(() => hasEnded = true);
    ended.catch(() => {}); // thrown below
    for (;;) {
      await this.#settle();
      if (hasEnded) return await ended;
      if (!this.clock.fireNext()) {
        throw new StuckError("the scenario waits for something outside of the simulation, which cannot happen");
      }
    }
  }

  /** A rejection that no code handles would end this process; it is a finding about the scenario. */
  #catchRejections(): Disposable {
    const onRejection = (event: PromiseRejectionEvent) => {
      event.preventDefault();
      this.uncaught(event.reason);
    };
    globalThis.addEventListener("unhandledrejection", onRejection);
    return { [Symbol.dispose]: () => globalThis.removeEventListener("unhandledrejection", onRejection) };
  }

  /** Until every promise that can settle has settled. Promises settle within one turn, unless the machine works. */
  async #settle(): Promise<void> {
    do await new Promise<void>((resolve) => setImmediate(resolve)); while (this.#working > 0);
  }
}

/** A virtual clock whose timers belong to the process that set them. */
class SimulatedClock extends VirtualClock {
  /** Runs `callback` as the process that calls this, unless it has died. */
  override schedule(callback: () => void, delayMs: number): TimerHandle {
    const owner = SimulatedProcess.current;
    if (!owner) return super.schedule(callback, delayMs);
    return super.schedule(() => {
      if (!owner.isAlive) return;
      try {
        owner.run(callback);
      } catch (error) {
        owner.simulation.uncaught(error);
      }
    }, delayMs);
  }
}
