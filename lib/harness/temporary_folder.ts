import { describeError, UsageError } from "../base/mod.ts";
import { ExitHook } from "./exit_hook.ts";

/** The system's error of a disk that cannot take a file. */
const DISK_CODES: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOENT", "ENOTDIR"]);
const HINT = "set TMPDIR to a folder that can be written and has free space";

/**
 * A folder of this run that only this user can read (mode 0700). It goes with its content when it is disposed, and also
 * where the process is ended before that.
 */
export class TemporaryFolder implements AsyncDisposable {
  /** Where it is. */
  readonly path: string;
  readonly #duty: ExitHook;

  private constructor(path: string) {
    this.path = path;
    this.#duty = new ExitHook(() => Deno.removeSync(path, { recursive: true }));
  }

  /**
   * Makes one. `purpose` becomes part of its name.
   *
   * @throws {UsageError} where the system's folder for temporary files cannot take it.
   */
  static make(purpose: string): TemporaryFolder {
    try {
      // Synchronous: no signal can end the process between the making of the folder and its duty.
      return new TemporaryFolder(Deno.makeTempDirSync({ prefix: `pintle-${purpose}-` }));
    } catch (cause) {
      throw new UsageError(`cannot make a temporary folder: ${describeError(cause)}`, HINT, { cause });
    }
  }

  /**
   * Puts something into the folder.
   *
   * @throws {UsageError} where the disk is full or cannot be written; what `fill` throws else.
   */
  async filled<T>(what: string, fill: (path: string) => Promise<T>): Promise<T> {
    try {
      return await fill(this.path);
    } catch (cause) {
      if (!DISK_CODES.has((cause as { code?: unknown }).code)) throw cause;
      throw new UsageError(`cannot write ${what}: ${describeError(cause)}`, HINT, { cause });
    }
  }

  /** Removes the folder; one that is gone already is no failure. */
  [Symbol.asyncDispose](): Promise<void> {
    try {
      // Synchronous: a signal in the middle of it would have the duty remove the same folder at the same time.
      Deno.removeSync(this.path, { recursive: true });
      return Promise.resolve();
    } catch (error) {
      return error instanceof Deno.errors.NotFound ? Promise.resolve() : Promise.reject(error);
    } finally {
      this.#duty[Symbol.dispose]();
    }
  }
}
