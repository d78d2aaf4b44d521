/**
 * Thrown by an admission handler: the request is refused, and its user reads the message.
 *
 * @example
 * ```ts
 * import { AdmissionError } from "@pintle/pintle";
 * const error = new AdmissionError("spec.size cannot shrink", { code: 422 });
 * if (error.code !== 422) throw new Error("as given");
 * ```
 */
export class AdmissionError extends Error {
  /** The class in logs, where `instanceof` does not work. */
  override readonly name: string = "AdmissionError";
  /** HTTP status code of the API server's response. */
  readonly code: number;

  /**
   * `message` states what to correct; the user of the request sees it, so it holds no secret. `code` is 403 where
   * absent.
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
