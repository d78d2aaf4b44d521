/** The lease was lost: another process may be working by now. */
export class LeaseLostError extends Error {
  /** The class in logs. */
  override readonly name = "LeaseLostError";
}
