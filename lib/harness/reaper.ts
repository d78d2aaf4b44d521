/**
 * The shell waits until this process or its killer closes the input, then finds the programs. Each leads a session; its
 * command line has its path and a file of the folder, whose name is unique.
 */
const SCRIPT = `folder=$1; shift
read -r _
ps -ww -eo pid=,args= | while read -r pid args; do
  for program; do
    case $args in *"$program "*"$folder/"*) [ "$pid" = $$ ] || kill -9 "-$pid" ;; esac
  done
done
for attempt in 1 2 3 4 5; do rm -rf -- "$folder" && break; sleep 1; done`;

/**
 * A shell that cleans up after SIGKILL: ends programs that work in a folder, and removes the folder. Windows has no
 * such shell, so there it does nothing.
 */
export class Reaper implements AsyncDisposable {
  readonly #child: Deno.ChildProcess | undefined;

  /** `programs` are paths; their command lines name files in `folder`. Start this before them. */
  constructor(folder: string, programs: readonly string[]) {
    if (Deno.build.os === "windows") return;
    const command = new Deno.Command("sh", {
      args: ["-c", SCRIPT, "sh", folder, ...programs],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      // Its own session, so that it survives the end of this process's group.
      detached: true,
    });
    this.#child = command.spawn();
  }

  /** Ends it; call this after the programs have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child?.stdin.close().catch(() => {}); // it was ended from outside
    await this.#child?.status;
  }
}
