import type { InProcessControl, OperatorUnderTest } from "./operator_under_test.ts";

/**
 * The operator as one story sees it. A story that was left behind, since its time was over or the run was interrupted,
 * goes on in the background: it commands the operator no more, which clears up by then or is another scenario's.
 */
export class ScenarioOperator implements OperatorUnderTest {
  readonly #operator: OperatorUnderTest;
  readonly #isOver: () => boolean;

  /** `isOver` returns whether the scenario body has ended, by itself or not. */
  constructor(operator: OperatorUnderTest, isOver: () => boolean) {
    this.#operator = operator;
    this.#isOver = isOver;
  }

  /** See {@linkcode OperatorUnderTest.runs}. */
  get runs(): boolean {
    return this.#operator.runs;
  }

  /** See {@linkcode OperatorUnderTest.inProcess}. */
  get inProcess(): InProcessControl {
    return this.#commanded.inProcess;
  }

  /** See {@linkcode OperatorUnderTest.start}. */
  async start(): Promise<void> {
    await this.#commanded.start();
  }

  /** See {@linkcode OperatorUnderTest.crash}. */
  async crash(): Promise<void> {
    await this.#commanded.crash();
  }

  /** See {@linkcode OperatorUnderTest.restart}. */
  async restart(): Promise<void> {
    await this.#commanded.restart();
  }

  /** See {@linkcode OperatorUnderTest.pause}. */
  async pause(): Promise<void> {
    await this.#commanded.pause();
  }

  /** See {@linkcode OperatorUnderTest.resume}. */
  async resume(): Promise<void> {
    await this.#commanded.resume();
  }

  get #commanded(): OperatorUnderTest {
    if (this.#isOver()) throw new Error("the scenario is over");
    return this.#operator;
  }
}
