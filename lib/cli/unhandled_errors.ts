import { describeError, type Logger, stackOf } from "../base/mod.ts";

/** Options of {@linkcode UnhandledErrors}. */
interface UnhandledErrorsOptions {
  /** Name of the operator whose code most likely threw. */
  readonly operator: string;
  readonly logger: Logger;
  /** Counts one. */
  count(): void;
}

/**
 * Errors that no code catches: a promise that is rejected and not awaited, or a throw in the callback of a timer.
 * Without this they end the process, and its Lease remains until it expires. With it each is logged and counted, and
 * the operator continues: what failed is outside of its passes.
 */
export class UnhandledErrors implements Disposable {
  readonly #options: UnhandledErrorsOptions;
  readonly #onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    this.#report("a promise was rejected that no code awaits", event.reason);
  };
  readonly #onError = (event: ErrorEvent) => {
    event.preventDefault();
    this.#report("an error was thrown where no code catches it, as in the callback of a timer", event.error);
  };

  /** Listens until it is disposed. */
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

  #report(message: string, error: unknown): void {
    const { operator, logger, count } = this.#options, stack = stackOf(error);
    count();
    logger.error(message, { operator, error: describeError(error), ...(stack === undefined ? {} : { stack }) });
  }
}
