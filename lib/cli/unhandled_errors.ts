import { describeError, type Logger, stackOf } from "../base/mod.ts";

/** What is done about errors that no code catches. */
interface UnhandledErrorsOptions {
  /** Of the operator whose code threw, most likely. */
  readonly operator: string;
  readonly logger: Logger;
  /** Counts one. */
  count(): void;
}

/**
 * Errors that no code catches: a promise that is rejected and not awaited, or a throw in the callback of a timer.
 * Without this they end the process, and its lease stays behind until it runs out. With it each is one line that names
 * the operator, and is counted; the operator works on, since what failed was beside its passes.
 */
export class UnhandledErrors implements Disposable {
  readonly #options: UnhandledErrorsOptions;
  readonly #onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    this.#tell("a promise was rejected that no code awaits", event.reason);
  };
  readonly #onError = (event: ErrorEvent) => {
    event.preventDefault();
    this.#tell("an error was thrown where no code catches it, as in the callback of a timer", event.error);
  };

  /** Watches until it is disposed. */
  constructor(options: UnhandledErrorsOptions) {
    this.#options = options;
    globalThis.addEventListener("unhandledrejection", this.#onRejection);
    globalThis.addEventListener("error", this.#onError);
  }

  /** Errors that no code catches end the process again. */
  [Symbol.dispose](): void {
    globalThis.removeEventListener("unhandledrejection", this.#onRejection);
    globalThis.removeEventListener("error", this.#onError);
  }

  #tell(message: string, error: unknown): void {
    const { operator, logger, count } = this.#options, stack = stackOf(error);
    count();
    logger.error(message, { operator, error: describeError(error), ...(stack === undefined ? {} : { stack }) });
  }
}
