const ROOT = new URL("../../", import.meta.url).pathname;

/** How advice names the shipped operator where it runs from its sources. */
export const COMMAND = `deno run -A ${ROOT}main.ts`;

/** How a process of a program is started. */
export interface BinaryOptions {
  readonly env?: Record<string, string>;
  readonly permissions?: readonly string[];
  /** The program's file, from the root of the repository; the shipped operator's where absent. */
  readonly main?: string;
  /** An executable that is the program already: neither Deno nor its permissions are needed. */
  readonly program?: string;
  /** A command, with its first arguments, that starts the program instead of this process. */
  readonly wrapper?: readonly string[];
  /** Whether {@linkcode Binary.send} is used; the program's input is empty otherwise. */
  readonly input?: boolean;
  /** Whether it gets a process group of its own, and signals reach all of it, as those of a terminal do. */
  readonly group?: boolean;
}

/** What `run` in a cluster may do, and nothing more. */
export const RUN_PERMISSIONS = ["--allow-env", "--allow-net", "--allow-read"];
/** `demo` also writes its kubeconfig. */
export const DEMO_PERMISSIONS = [...RUN_PERMISSIONS, "--allow-write"];

/** How a process ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A process of the program itself, in an empty folder and with nothing in its environment but what is given. */
export class Binary implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>[];
  readonly folder: string;
  readonly #input: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #changed = Promise.withResolvers<void>();
  #over = false;
  readonly #group: boolean;
  out = "";
  err = "";

  private constructor(
    child: Deno.ChildProcess,
    folder: string,
    group: boolean,
    input?: WritableStreamDefaultWriter<Uint8Array>,
  ) {
    this.#child = child;
    this.#group = group;
    this.#input = input;
    this.folder = folder;
    this.#reading = [this.#read(child.stdout, "out"), this.#read(child.stderr, "err")];
    void Promise.all(this.#reading).then(() => {
      this.#over = true;
      this.#changed.resolve();
    });
  }

  /** Starts the program. */
  static async start(
    args: readonly string[],
    options: BinaryOptions = {},
  ): Promise<Binary> {
    const { env, permissions = RUN_PERMISSIONS, main = "main.ts", wrapper = [], program } = options;
    const { input = false, group = false } = options;
    const folder = await Deno.makeTempDir({ prefix: "pintle-cli-test-" });
    const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
    const source = [Deno.execPath(), "run", "-q", "--no-prompt", ...permissions, ROOT + main];
    const [command, ...line] = [...wrapper, ...program ? [program] : source, ...args];
    const child = new Deno.Command(command!, {
      args: line,
      cwd: folder,
      clearEnv: true,
      env: { HOME: folder, PATH: Deno.env.get("PATH") ?? "", ...(program ? {} : { DENO_DIR: cache }), ...env },
      stdin: input ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
      detached: group,
    }).spawn();
    return new Binary(child, folder, group, input ? child.stdin.getWriter() : undefined);
  }

  /** Waits until something has been written to either stream; fails where the process ends without it. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.out) ?? pattern.exec(this.err);
      if (found) return found;
      if (this.#over) throw new Error(`it ended without ${pattern}:\n${this.out}\n${this.err}`);
      await this.#changed.promise;
      this.#changed = Promise.withResolvers<void>();
    }
  }

  /** Writes a line to its input. */
  async send(line: string): Promise<void> {
    await this.#input!.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    if (this.#group) Deno.kill(-this.#child.pid, signal);
    else this.#child.kill(signal);
  }

  /** Waits for the end. */
  async ended(): Promise<Ended> {
    const { code } = await this.#child.status;
    await Promise.all(this.#reading);
    await this.#input?.close().catch(() => {}); // its reader has gone
    return { code, out: this.out, err: this.err };
  }

  /** Ends it where it has not ended, and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended by itself
    }
    await this.ended();
    await Deno.remove(this.folder, { recursive: true });
  }

  async #read(stream: ReadableStream<Uint8Array>, into: "out" | "err"): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this[into] += decoder.decode(chunk, { stream: true });
      this.#changed.resolve();
    }
  }
}

/** The lines of a log in JSON. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

/** Runs the program to its end. */
export async function runBinary(...[args, options]: Parameters<typeof Binary.start>): Promise<Ended> {
  await using binary = await Binary.start(args, options);
  return await binary.ended();
}
