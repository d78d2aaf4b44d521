import type { InProcessControl, OperatorUnderTest } from "./operator_under_test.ts";

/**
 * The operator as one body sees it. An abandoned body (timed out or interrupted) continues in the background, but its
 * commands fail: the operator cleans up or is another scenario's by then.
 */
export class ScenarioOperator implements OperatorUnderTest {
  readonly #operator: OperatorUnderTest;
  readonly #isOver: () => boolean;

  /** `isOver` returns whether the scenario body has ended. */
  constructor(operator: OperatorUnderTest, isOver: () => boolean) {
    this.#operator = operator;
    this.#isOver = isOver;
  }

  get runs(): boolean {
    return this.#operator.runs;
  }

  get inProcess(): InProcessControl {
    return this.#commanded.inProcess;
  }

  async start(): Promise<void> {
    await this.#commanded.start();
  }

  async crash(): Promise<void> {
    await this.#commanded.crash();
  }

  async restart(): Promise<void> {
    await this.#commanded.restart();
  }

  async pause(): Promise<void> {
    await this.#commanded.pause();
  }

  async resume(): Promise<void> {
    await this.#commanded.resume();
  }

  get #commanded(): OperatorUnderTest {
    if (this.#isOver()) throw new Error("the scenario is over");
    return this.#operator;
  }
}
