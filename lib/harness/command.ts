import { describeError, truncate, UsageError } from "../base/mod.ts";

interface CommandOptions {
  readonly signal?: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Standard output holds credentials, so no error quotes it. */
  readonly secret?: true;
}

/** A program failed. The message has the most telling line, then the rest of its output, indented. */
export class CommandError extends Error {
  /** The class in logs. */
  override readonly name = "CommandError";

  /** `output` has standard error first. */
  constructor(command: string, readonly code: number, output: string) {
    const lines = output.trim().split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
    const rest = lines.length > 1 ? lines.slice(-SAID_LINES_MAX).map((line) => `\n  ${shortened(line)}`).join("") : "";
    super(`${command} exited with ${code}${lines.length > 0 ? `: ${summaryOf(lines)}` : ""}${rest}`);
    this.summary = summaryOf(lines);
  }

  /** The most telling line of the output, or empty. */
  readonly summary: string;
}

/** Bounds of the output that an error quotes. */
const OUTPUT_LENGTH_MAX = 4_000, SAID_LINES_MAX = 12, LINE_LENGTH_MAX = 300;

/** The inner error of a wrapped one is more precise. */
function summaryOf(lines: readonly string[]): string {
  const inner = lines.find((line) => /^(command output|stderr): \S/i.test(line))?.replace(/^[^:]*: /, "");
  const line = inner ?? lines.find((line) => /^(fatal )?error\b/i.test(line)) ?? lines.at(-1) ?? "";
  return shortened(line.replace(/^error: /i, "").trim());
}

function shortened(line: string): string {
  return line.length > LINE_LENGTH_MAX ? `${truncate(line, LINE_LENGTH_MAX)}…` : line;
}

/**
 * Runs a program to its end; returns its standard output. It has its own session, so that Ctrl-C does not end a program
 * that cleans up.
 *
 * @throws {CommandError} for another exit code than 0; the signal's reason, after killing the program and its
 *   descendants; {@linkcode Deno.errors.NotFound} if there is no such program.
 */
export async function runCommand(name: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { signal, env, cwd, input, secret } = options;
  signal?.throwIfAborted();
  const child = new Deno.Command(name, {
    args: [...args],
    env,
    cwd,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  const kill = () => killSession(child);
  signal?.addEventListener("abort", kill, { once: true });
  try {
    const writing = input === undefined ? Promise.resolve() : write(child.stdin, input);
    const [{ code, stdout, stderr }] = await Promise.all([child.output(), writing]);
    signal?.throwIfAborted();
    const decoder = new TextDecoder(), out = decoder.decode(stdout);
    if (code === 0) return out;
    const err = decoder.decode(stderr).trim(), output = err || (secret ? "" : out);
    throw new CommandError([name, ...verbsOf(args)].join(" "), code, output.slice(-OUTPUT_LENGTH_MAX));
  } finally {
    signal?.removeEventListener("abort", kill);
  }
}

function verbsOf(args: readonly string[]): readonly string[] {
  const flag = args.findIndex((arg) => arg.startsWith("-"));
  return args.slice(0, Math.min(2, flag < 0 ? args.length : flag));
}

/** Kills a detached program and its descendants. A graceful stop could hang. */
export function killSession(child: Deno.ChildProcess): void {
  try {
    if (Deno.build.os === "windows") child.kill("SIGKILL");
    else Deno.kill(-child.pid, "SIGKILL");
  } catch {
    // It has just ended.
  }
}

async function write(stream: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch {
    // The exit code decides.
  }
}

/**
 * Checks that a program runs, and prints `expected` if given.
 *
 * @returns why it is unusable, if so.
 */
export async function whyUnusable(
  name: string,
  args: readonly string[],
  { signal, expected }: { signal?: AbortSignal; expected?: RegExp } = {},
): Promise<string | undefined> {
  try {
    const output = await runCommand(name, args, { signal });
    if (!expected || expected.test(output)) return undefined;
    return `\`${name} ${args.join(" ")}\` prints ${shortened(JSON.stringify(output.trim().split("\n")[0]))}`;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Deno.errors.NotFound) return "it is not installed";
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
      return "this program has no permission to run it";
    }
    return error instanceof CommandError ? error.summary || error.message : describeError(error);
  }
}

/**
 * Checks that a program is usable and its output matches `expected`.
 *
 * @throws {UsageError} that names how to install it.
 */
export async function requireCommand(
  name: string,
  args: readonly string[],
  install: string,
  { signal, expected }: { signal?: AbortSignal; expected?: RegExp } = {},
): Promise<void> {
  const why = await whyUnusable(name, args, { signal, expected });
  if (why) throw new UsageError(`${name} cannot be used: ${why}`, install);
}
