/**
 * Thrown by an admission handler: the request is refused, and whoever made it reads the message.
 *
 * @example
 * ```ts
 * import { AdmissionError } from "@pintle/pintle";
 * const error = new AdmissionError("spec.size cannot shrink", { code: 422 });
 * if (error.code !== 422) throw new Error("as given");
 * ```
 */
export class AdmissionError extends Error {
  /** Tells the class in logs, where `instanceof` cannot. */
  override readonly name: string = "AdmissionError";
  /** HTTP status code of the API server's answer. */
  readonly code: number;

  /**
   * `message` says what to correct; it is shown to whoever made the request, so it holds no secret. `code` is 403 where
   * absent.
   *
   * @throws {RangeError} for a code that is no error's (400–599).
   */
  constructor(message: string, options: ErrorOptions & { code?: number } = {}) {
    super(message, options);
    const { code = 403 } = options;
    if (!Number.isInteger(code) || code < 400 || code > 599) throw new RangeError(`${code} is no code of an error`);
    this.code = code;
  }
}
