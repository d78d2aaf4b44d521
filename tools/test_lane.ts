import { dirname } from "node:path";
import { EnvtestCluster, type EnvtestPrograms } from "../lib/harness/mod.ts";
import { type Clock, formatDuration } from "../lib/base/mod.ts";

const ROOT = new URL("..", import.meta.url).pathname;
/** How `deno test` counts in its last line. */
const COUNTED = /^(?:ok|FAILED) \| (\d+) passed[^|]*\| (\d+) failed(?:[^|]*\| (\d+) ignored)?/;

/** What a run of `deno test` has counted. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

/** What is in the last line of a run, or undefined for any other line. */
export function countsOf(line: string): Counts | undefined {
  const [, passed, failed, ignored = "0"] = COUNTED.exec(line) ?? [];
  return passed && failed ? { passed: +passed, failed: +failed, ignored: +ignored } : undefined;
}

/** Splits files into batches of at most `sizeMax`, in order. */
export function batchesOf(files: readonly string[], sizeMax: number): string[][] {
  return Array.from(
    { length: Math.ceil(files.length / sizeMax) },
    (_, nth) => files.slice(nth * sizeMax, (nth + 1) * sizeMax),
  );
}

/** Where a lane runs, and what it tells. */
export interface LaneOptions {
  readonly programs: EnvtestPrograms;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Gets each line as soon as it is whole; what comes after the tests, as reports of errors, comes at the end. */
  readonly say: (line: string) => void;
}

/** How a lane has ended. */
export interface LaneResult {
  readonly code: number;
  readonly counts: Counts;
  /** The reports at its end. */
  readonly reports: readonly string[];
}

/**
 * Starts a control plane and runs batches on it until none is left: each is a list of arguments of `deno test`. Lanes
 * that share `batches` take turns, so that none is left with all the slow ones. Files of a lane run one after the
 * other: at the same time they would see each other's objects.
 */
export async function runLane(batches: string[][], options: LaneOptions): Promise<LaneResult> {
  const { programs, clock, signal } = options, ended: LaneResult[] = [], before: string[] = [];
  await using cluster = await EnvtestCluster.start({ programs, clock, signal });
  const kubeconfig = `${cluster.folder}/test.kubeconfig`;
  await Deno.writeTextFile(kubeconfig, cluster.kubeconfig, { mode: 0o600 });
  for (let args = batches.shift(); args && !signal.aborted; args = batches.shift()) {
    const result = await runTests(args, kubeconfig, options);
    ended.push(result.code === 0 ? { ...result, reports: [] } : withFilesBefore(result, before));
    before.push(...args);
  }
  return {
    code: Math.max(0, ...ended.map(({ code }) => code)),
    counts: sumOf(ended),
    reports: ended.flatMap(({ reports }) => reports),
  };
}

/** What else its control plane had run: lanes take turns as it comes, and what a test leaves can break the next one. */
export function withFilesBefore(result: LaneResult, before: readonly string[]): LaneResult {
  return before.length === 0
    ? result
    : { ...result, reports: [...result.reports, `before it, its control plane had run: ${before.join(" ")}`] };
}

/** Runs `deno test` on a control plane. */
async function runTests(
  args: readonly string[],
  kubeconfig: string,
  { programs, signal, say }: LaneOptions,
): Promise<LaneResult> {
  const tests = new Deno.Command(Deno.execPath(), {
    // Types are checked by `deno task check`: here each batch would check the library again.
    args: ["test", "-q", "-A", "--no-check", ...args],
    cwd: ROOT,
    env: { PINTLE_TEST_KUBECONFIG: kubeconfig, KUBEBUILDER_ASSETS: dirname(programs.etcd) },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stop = () => {
    try {
      tests.kill("SIGKILL");
    } catch {
      // They ended in this very moment.
    }
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const reports: string[] = [];
    let counts: Counts = { passed: 0, failed: 0, ignored: 0 }, over = false;
    const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
      for await (const line of linesOf(stream)) {
        over ||= line === " ERRORS ";
        counts = countsOf(line) ?? counts;
        if (over || countsOf(line)) reports.push(line);
        else say(line);
      }
    };
    await Promise.all([read(tests.stdout), read(tests.stderr)]);
    return { code: (await tests.status).code, counts, reports };
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function sumOf(results: readonly LaneResult[]): Counts {
  const sum = (count: keyof Counts) => results.reduce((total, { counts }) => total + counts[count], 0);
  return { passed: sum("passed"), failed: sum("failed"), ignored: sum("ignored") };
}

/** What lanes say together: their reports, and a last line as `deno test` has it. */
export function summaryOf(lanes: readonly LaneResult[], tookMs: number): readonly string[] {
  const { passed, failed, ignored } = sumOf(lanes), isFailed = lanes.some(({ code }) => code !== 0);
  const more = ignored > 0 ? ` | ${ignored} ignored` : "";
  return [
    ...lanes.flatMap(({ reports }) => reports),
    `${isFailed ? "FAILED" : "ok"} | ${passed} passed | ${failed} failed${more} (${formatDuration(tookMs)})`,
  ];
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}
