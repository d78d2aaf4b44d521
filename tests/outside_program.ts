/** How a program ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** How a program is run. */
export interface RunOptions {
  readonly cwd?: string;
  /** Beside the environment of the tests; its own is all that it gets where `clearEnv` is set. */
  readonly env?: Record<string, string>;
  readonly clearEnv?: boolean;
  readonly stdin?: string;
  /** It is ended as soon as its output matches. */
  readonly until?: RegExp;
  /** It is killed after that long, and says so: a program that hangs must not hang the tests. */
  readonly runMsMax?: number;
}

/** The path of a foreign program; undefined where this machine has none. */
export async function findProgram(
  name: string,
  folders: readonly (string | undefined)[] = [],
): Promise<string | undefined> {
  const path = (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":");
  for (const folder of [...folders, ...path]) {
    if (!folder) continue;
    const candidate = `${folder}/${name}`;
    const { isFile, mode } = await Deno.stat(candidate).catch(() => ({ isFile: false, mode: 0 }));
    if (isFile && (mode === null || (mode & 0o111) !== 0)) return candidate;
  }
  return undefined;
}

/** Runs a program to its end, or until its output is as wanted. */
export async function runProgram(path: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { stdin, until, runMsMax = 300_000, ...rest } = options;
  const over = new AbortController();
  const child = new Deno.Command(path, {
    ...rest,
    args: [...args],
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    signal: over.signal,
  }).spawn();
  let late = "";
  const timer = setTimeout(() => {
    late = `\n(it was ended after ${runMsMax} ms)`;
    over.abort();
  }, runMsMax);
  try {
    if (stdin !== undefined) await new Response(stdin).body!.pipeTo(child.stdin);
    const [out, err, { code }] = await Promise.all([
      text(child.stdout, (soFar) => {
        if (until?.test(soFar)) over.abort();
      }),
      text(child.stderr),
      child.status,
    ]);
    return { code, out, err: err + late };
  } finally {
    clearTimeout(timer);
  }
}

async function text(stream: ReadableStream<Uint8Array>, look?: (soFar: string) => void): Promise<string> {
  let all = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    all += chunk;
    look?.(all);
  }
  return all;
}

/**
 * Registers a test that needs a program: where `missing` says what this machine lacks, the test is ignored, and the
 * reason stands in its name, so that it is not mistaken for a test that passed.
 */
export function testWith(missing: string | undefined, claim: string, run: () => Promise<void>): void {
  Deno.test({ name: missing ? `${claim} (ignored: ${missing})` : claim, ignore: missing !== undefined, fn: run });
}
