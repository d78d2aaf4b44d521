/** Another process may be working by now. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}
