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

/** Deals files to `lanes` lanes in turn: neighbours, which often take alike, are apart. */
export function dealt(files: readonly string[], lanes: number): readonly string[][] {
  return Array.from({ length: lanes }, (_, lane) => files.filter((_, nth) => nth % lanes === lane))
    .filter((files) => files.length > 0);
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
 * Runs test files one after the other against a control plane of their own: at the same time they would see each
 * other's objects.
 */
export async function runLane(files: readonly string[], options: LaneOptions): Promise<LaneResult> {
  const { programs, clock, signal, say } = options;
  await using cluster = await EnvtestCluster.start({ programs, clock, signal });
  const kubeconfig = `${cluster.folder}/test.kubeconfig`;
  await Deno.writeTextFile(kubeconfig, cluster.kubeconfig, { mode: 0o600 });
  const tests = new Deno.Command(Deno.execPath(), {
    args: ["test", "-q", "-A", ...files],
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

/** What lanes say together: their reports, and a last line as `deno test` has it. */
export function summaryOf(lanes: readonly LaneResult[], tookMs: number): readonly string[] {
  const sum = (count: keyof Counts) => lanes.reduce((total, { counts }) => total + counts[count], 0);
  const failed = lanes.some(({ code }) => code !== 0), ignored = sum("ignored");
  const more = ignored > 0 ? ` | ${ignored} ignored` : "";
  return [
    ...lanes.flatMap(({ reports }) => reports),
    `${failed ? "FAILED" : "ok"} | ${sum("passed")} passed | ${sum("failed")} failed${more} (${
      formatDuration(tookMs)
    })`,
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
