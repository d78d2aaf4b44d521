/** Runs a synchronous action if the process ends before its owner ran it, as after a second Ctrl-C. */
export class ExitHook implements Disposable {
  readonly #act: () => void;

  /** Errors of `act` are ignored. */
  constructor(act: () => void) {
    this.#act = () => {
      try {
        act();
      } catch {
        // Other hooks must still run.
      }
    };
    globalThis.addEventListener("unload", this.#act); // Deno.exit dispatches it as well as an orderly end
  }

  [Symbol.dispose](): void {
    globalThis.removeEventListener("unload", this.#act);
  }
}
