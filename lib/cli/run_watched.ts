import { type Logger, maskLogger, SystemClock, UsageError } from "../base/mod.ts";
import { EXIT } from "./exit.ts";
import { Interrupts } from "./interrupts.ts";
import { openLogging } from "./logging.ts";
import { openEmbedded } from "./open_cluster.ts";
import type { CommandContext } from "./command_context.ts";

const SOURCE = /\.(?:[cm]?[jt]sx?|json)$/;
/** Folders without sources: build output, packages, hidden ones. */
const OTHER_FOLDER = /(?:^|\/)(?:dist|node_modules|\.[^/]+)\//;
/** After the grace period, kills a process with a blocked event loop. */
const KILL_AFTER_MS = 2_000;

/**
 * `run --cluster embedded --watch`: this process serves the cluster, another runs the operator. A change of a source
 * file beside or below the main file restarts that one; the API server, kubeconfig and objects stay until this process
 * ends.
 *
 * If a program fails or cannot be loaded, it waits for the next change. The operator's process ends with this one, even
 * by SIGKILL.
 *
 * @throws {UsageError} for another cluster, and for a program without sources to watch.
 */
export async function runWatched(context: CommandContext): Promise<number> {
  const { settings, program, mask } = context, main = new URL(Deno.mainModule), clock = new SystemClock();
  if (settings.cluster !== "embedded") {
    throw new UsageError(
      "--watch needs --cluster embedded",
      "`deno run --watch main.ts run` starts again on any cluster",
    );
  }
  if (Deno.build.standalone || main.protocol !== "file:") {
    throw new UsageError("--watch needs the program's sources", "start it with `deno run main.ts`");
  }
  const root = openLogging({ level: settings.logLevel, format: settings.logFormat, name: program, clock });
  const logger = maskLogger(root, mask);
  using interrupts = new Interrupts();
  await using cluster = await openEmbedded({ clock, logger, port: 0, prerequisites: context.prerequisites });
  using sources = new Sources(decodeURIComponent(main.pathname.replace(/[^/]*$/, "")));
  const kubeconfig = cluster.kubeconfigPath!;
  logger.info("the embedded API server and its objects stay while the operator restarts", { kubeconfig });
  while (!interrupts.signal.aborted) {
    const next = Promise.race([sources.change(), interrupts.received]);
    await using _operator = start(kubeconfig, context.args, {
      clock,
      logger,
      killAfterMs: settings.gracePeriodMs + KILL_AFTER_MS,
    });
    const changed = await next;
    if (changed) logger.info("a source file changed: the operator restarts", { file: changed });
  }
  return EXIT.done;
}

/** The operator on a kubeconfig's cluster. Its own process group gets Ctrl-C once, as this process's SIGTERM. */
function start(
  kubeconfig: string,
  programArgs: readonly string[],
  { clock, logger, killAfterMs }: {
    readonly clock: SystemClock;
    readonly logger: Logger;
    readonly killAfterMs: number;
  },
): AsyncDisposable {
  const args = ["run", "-q", "-A", Deno.mainModule, ...programArgs, "--embedded-at", kubeconfig];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "null", detached: true }).spawn();
  let isStopped = false, hasEnded = false;
  const ended = child.status.then(({ code }) => {
    hasEnded = true;
    if (!isStopped) logger.warn("the operator ended; it restarts when a source file changes", { code });
  });
  const kill = (signal: Deno.Signal) => hasEnded || child.kill(signal);
  return {
    async [Symbol.asyncDispose]() {
      isStopped = true;
      kill("SIGTERM");
      const late = clock.schedule(() => kill("SIGKILL"), killAfterMs);
      await ended;
      clock.clear(late);
    },
  };
}

class Sources implements Disposable {
  readonly #watcher: Deno.FsWatcher;
  #changed = Promise.withResolvers<string>();

  constructor(folder: string) {
    this.#watcher = Deno.watchFs(folder);
    void this.#read(folder);
  }

  change(): Promise<string> {
    this.#changed = Promise.withResolvers();
    return this.#changed.promise;
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
  }

  async #read(folder: string): Promise<void> {
    for await (const { kind, paths } of this.#watcher) {
      if (kind === "access") continue;
      const path = paths.map((each) => each.slice(folder.length)).find((each) =>
        SOURCE.test(each) && !OTHER_FOLDER.test(each)
      );
      if (path !== undefined) this.#changed.resolve(path);
    }
  }
}
