import { describeError, type Logger, stackOf } from "../base/mod.ts";

interface UnhandledErrorsOptions {
  /** The operator whose code most likely threw. */
  readonly operator: string;
  readonly logger: Logger;
  count(): void;
}

/**
 * Logs and counts errors that no code catches: an unawaited rejection, or a throw in a timer's callback. By default
 * they end the process, and its Lease lasts until it expires. The operator continues, because they failed outside of
 * its passes.
 */
export class UnhandledErrors implements Disposable {
  readonly #options: UnhandledErrorsOptions;
  readonly #onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    this.#report("a promise was rejected that no code awaits", event.reason);
  };
  readonly #onError = (event: ErrorEvent) => {
    event.preventDefault();
    this.#report("an error was thrown where no code catches it, such as in a timer callback", event.error);
  };

  constructor(options: UnhandledErrorsOptions) {
    this.#options = options;
    globalThis.addEventListener("unhandledrejection", this.#onRejection);
    globalThis.addEventListener("error", this.#onError);
  }

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
