/** The lease was lost: somebody else may be at work by now. */
export class LeaseLostError extends Error {
  /** Tells the class in logs. */
  override readonly name = "LeaseLostError";
}
