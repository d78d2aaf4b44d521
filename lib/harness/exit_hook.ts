/**
 * Runs a synchronous action when the process ends before its owner could run it, as after a second Ctrl-C. It removes a
 * folder, kills a program, or starts one that outlives the process. Disposing it removes the hook.
 */
export class ExitHook implements Disposable {
  readonly #act: () => void;

  /** Errors of `act` are ignored. */
  constructor(act: () => void) {
    this.#act = () => {
      try {
        act();
      } catch {
        // The process ends: the other hooks must still run.
      }
    };
    globalThis.addEventListener("unload", this.#act); // Deno.exit dispatches it as well as an orderly end
  }

  /** Removes the hook: its action was done, or is no longer needed. */
  [Symbol.dispose](): void {
    globalThis.removeEventListener("unload", this.#act);
  }
}
