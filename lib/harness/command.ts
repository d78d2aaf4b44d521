import { describeError, UsageError } from "../base/mod.ts";

/** How a program is run. */
export interface CommandOptions {
  readonly signal?: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Text for its standard input. */
  readonly input?: string;
}

/** A program ended with another code than 0. */
export class CommandError extends Error {
  /** Tells the class in logs. */
  override readonly name = "CommandError";

  /** `said` is the last of what it wrote to either stream. */
  constructor(command: string, readonly code: number, readonly said: string) {
    super(`${command} exited with ${code}${said ? `:\n${said}` : ""}`);
  }
}

/** Characters of a failed program's output that its error quotes. */
const SAID_LENGTH_MAX = 2_000;

/**
 * Runs a program to its end and returns its standard output.
 *
 * @throws {CommandError} where it ends with another code than 0; the signal's reason where that aborts: the program is then
 * killed; {@linkcode Deno.errors.NotFound} where there is no such program.
 */
export async function runCommand(name: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { signal, env, cwd, input } = options;
  signal?.throwIfAborted();
  const child = new Deno.Command(name, {
    args: [...args],
    env,
    cwd,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const kill = () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It ended in this very moment.
    }
  };
  signal?.addEventListener("abort", kill, { once: true });
  try {
    const writing = input === undefined ? Promise.resolve() : write(child.stdin, input);
    const [{ code, stdout, stderr }] = await Promise.all([child.output(), writing]);
    signal?.throwIfAborted();
    const decoder = new TextDecoder(), out = decoder.decode(stdout);
    if (code === 0) return out;
    const said = `${decoder.decode(stderr)}${out}`.trim().slice(-SAID_LENGTH_MAX);
    throw new CommandError(`${name} ${args.slice(0, 2).join(" ")}`, code, said);
  } finally {
    signal?.removeEventListener("abort", kill);
  }
}

async function write(stream: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch {
    // It has read enough, or has ended; its code tells.
  }
}

/**
 * Looks whether a program is there and answers.
 *
 * @returns why it cannot be used, in words; undefined where it can.
 */
export async function whyUnusable(
  name: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    await runCommand(name, args, { signal });
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Deno.errors.NotFound) return "it is not installed";
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
      return "it may not be run";
    }
    return error instanceof CommandError ? error.said.split("\n").at(-1) || error.message : describeError(error);
  }
}

/**
 * Makes sure that a program can be used.
 *
 * @throws {UsageError} that says how to install it.
 */
export async function requireCommand(
  name: string,
  args: readonly string[],
  install: string,
  signal?: AbortSignal,
): Promise<void> {
  const why = await whyUnusable(name, args, signal);
  if (why) throw new UsageError(`${name} cannot be used: ${why}`, install);
}
