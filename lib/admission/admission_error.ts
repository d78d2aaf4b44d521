/**
 * Thrown by an admission handler: refuses the request; its user reads the message.
 *
 * @example
 * ```ts
 * import { AdmissionError } from "@pintle/pintle";
 * const error = new AdmissionError("spec.size cannot shrink", { code: 422 });
 * if (error.code !== 422) throw new Error("as given");
 * ```
 */
export class AdmissionError extends Error {
  /** For logs, where `instanceof` does not work. */
  override readonly name: string = "AdmissionError";
  /** The response's HTTP status code. */
  readonly code: number;

  /**
   * `message` states what to correct; the request's user sees it, so it holds no secret. `code` is 403 where absent.
   *
   * @throws {RangeError} for a code that is not an error (400–599).
   */
  constructor(message: string, options: ErrorOptions & { code?: number } = {}) {
    super(message, options);
    const { code = 403 } = options;
    if (!Number.isInteger(code) || code < 400 || code > 599) throw new RangeError(`${code} is not an error code`);
    this.code = code;
  }
}
