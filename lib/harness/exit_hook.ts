/**
 * Something that must be done though the process is ended before its owner could do it: a second Ctrl-C ends the
 * process at once, and what runs outside of it would stay. The act is synchronous, and bounded by its nature: it
 * removes a folder, kills a program, or starts one that lives on. Disposing it takes the duty away.
 */
export class ExitHook implements Disposable {
  readonly #act: () => void;

  /** `act` never throws where what it should undo is gone already. */
  constructor(act: () => void) {
    this.#act = () => {
      try {
        act();
      } catch {
        // Nobody is left who could be told, and other duties wait.
      }
    };
    globalThis.addEventListener("unload", this.#act); // Deno.exit dispatches it as well as an orderly end
  }

  /** It was done, or is no longer needed. */
  [Symbol.dispose](): void {
    globalThis.removeEventListener("unload", this.#act);
  }
}
