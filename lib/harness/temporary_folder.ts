import { describeError, UsageError } from "../base/mod.ts";
import { ExitHook } from "./exit_hook.ts";

const DISK_CODES: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOENT", "ENOTDIR"]);
const HINT = "set TMPDIR to a folder that can be written and has free space";

/** Suffix of folders that their processes lock. Others may be in use without a lock. */
const LOCKED = "-locked";
/** Per new folder, so that a start is quick. */
const REMOVALS_MAX = 100;

/**
 * A folder of this run with mode 0700; removed on disposal or when the process ends. After SIGKILL the next process
 * that makes one removes it.
 */
export class TemporaryFolder implements AsyncDisposable {
  readonly path: string;
  readonly #lock: Deno.FsFile | undefined;
  readonly #exitHook: ExitHook;

  private constructor(path: string, lock?: Deno.FsFile) {
    this.path = path;
    this.#lock = lock;
    this.#exitHook = new ExitHook(() => Deno.removeSync(path, { recursive: true }));
  }

  /**
   * Makes one. `purpose` becomes part of its name.
   *
   * @throws {UsageError} if the system's temporary folder refuses it.
   */
  static make(purpose: string): TemporaryFolder {
    try {
      // Synchronous: no signal can end the process between folder and exit hook.
      const prefix = `pintle-${purpose}-`;
      if (!canLock()) return new TemporaryFolder(Deno.makeTempDirSync({ prefix }));
      for (;;) {
        const path = Deno.makeTempDirSync({ prefix, suffix: LOCKED }), lock = tryLock(path);
        if (!lock) continue; // another process took it for one without an owner, and removes it
        removeAbandoned(path);
        return new TemporaryFolder(path, lock);
      }
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
      // Synchronous: a signal could make the exit hook remove it concurrently.
      Deno.removeSync(this.path, { recursive: true });
      return Promise.resolve();
    } catch (error) {
      return error instanceof Deno.errors.NotFound ? Promise.resolve() : Promise.reject(error);
    } finally {
      this.#lock?.close();
      this.#exitHook[Symbol.dispose]();
    }
  }
}

/** Windows cannot open a folder, nor can a process without read permission. */
function canLock(): boolean {
  return Deno.build.os !== "windows" && Deno.permissions.querySync({ name: "read" }).state === "granted";
}

/**
 * Undefined if the folder is gone or locked by another process. The kernel releases the lock however the process ends.
 * Process numbers would not do: containers that share the folder have their own.
 */
function tryLock(path: string): Deno.FsFile | undefined {
  let file: Deno.FsFile | undefined;
  try {
    file = Deno.openSync(path);
    if (file.tryLockSync(true) && Deno.lstatSync(path).isDirectory) return file;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  file?.close();
  return undefined;
}

/** Only folders of this user, and no links. */
function removeAbandoned(own: string): void {
  const slash = own.lastIndexOf("/"), parent = own.slice(0, slash), { uid } = Deno.lstatSync(own);
  let removals = 0;
  for (const { name, isDirectory } of Deno.readDirSync(parent)) {
    const path = `${parent}/${name}`;
    if (!isDirectory || !/^pintle-.+-locked$/.test(name) || path === own) continue;
    try {
      if (Deno.lstatSync(path).uid !== uid) continue;
      using _lock = tryLock(path);
      if (_lock) Deno.removeSync(path, { recursive: true });
      if (_lock && ++removals === REMOVALS_MAX) return;
    } catch {
      // Left to the next one, so that this process starts.
    }
  }
}
