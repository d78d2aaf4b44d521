import { describeError, UsageError } from "../base/mod.ts";
import { ExitHook } from "./exit_hook.ts";

const DISK_CODES: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOENT", "ENOTDIR"]);
const HINT = "set TMPDIR to a folder that can be written and has free space";

/** A folder of this run, readable by this user only (mode 0700); removed on disposal or when the process ends. */
export class TemporaryFolder implements AsyncDisposable {
  readonly path: string;
  readonly #exitHook: ExitHook;

  private constructor(path: string) {
    this.path = path;
    this.#exitHook = new ExitHook(() => Deno.removeSync(path, { recursive: true }));
  }

  /**
   * Makes one. `purpose` becomes part of its name.
   *
   * @throws {UsageError} if the system's temporary folder refuses it.
   */
  static make(purpose: string): TemporaryFolder {
    try {
      // Synchronous: no signal can end the process between making the folder and its exit hook.
      return new TemporaryFolder(Deno.makeTempDirSync({ prefix: `pintle-${purpose}-` }));
    } catch (cause) {
      throw new UsageError(`cannot make a temporary folder: ${describeError(cause)}`, HINT, { cause });
    }
  }

  /** Fills the folder. @throws {UsageError} if the disk is full or not writable; other errors of `fill`. */
  async filled<T>(what: string, fill: (path: string) => Promise<T>): Promise<T> {
    try {
      return await fill(this.path);
    } catch (cause) {
      if (!DISK_CODES.has((cause as { code?: unknown }).code)) throw cause;
      throw new UsageError(`cannot write ${what}: ${describeError(cause)}`, HINT, { cause });
    }
  }

  /** Removes the folder; a missing one is no failure. */
  [Symbol.asyncDispose](): Promise<void> {
    try {
      // Synchronous: otherwise a signal could make the exit hook remove the same folder concurrently.
      Deno.removeSync(this.path, { recursive: true });
      return Promise.resolve();
    } catch (error) {
      return error instanceof Deno.errors.NotFound ? Promise.resolve() : Promise.reject(error);
    } finally {
      this.#exitHook[Symbol.dispose]();
    }
  }
}
