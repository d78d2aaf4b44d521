import { formatJson, parseJson } from "../../lib/base/mod.ts";
import type { Cluster } from "../../lib/harness/mod.ts";
import { ACCEPTED_DIFFERENCES } from "./accepted_differences.ts";
import { type Difference, differenceOf } from "./agreement.ts";
import open from "./open_differences.json" with { type: "json" };
import type { Area, Script } from "./script.ts";
import { ScriptRun, type StepAnswer } from "./script_run.ts";

/** What a real server answered to one script. */
export interface Recording {
  /** Digest of the steps: a script that was changed has to be recorded again. */
  readonly digest: string;
  readonly answers: readonly StepAnswer[];
}

/** Recordings of an area, by the scripts' names. */
export type Recordings = Readonly<Record<string, Recording>>;

/** How one script was answered. */
export interface Compared {
  readonly area: string;
  readonly script: Script;
  readonly difference?: Difference | undefined;
  /** Why the difference is accepted, or that it is open. */
  readonly accepted?: string | undefined;
}

/** Scripts that still differ, by area: what is to be closed. The list only shrinks. */
export type OpenDifferences = Readonly<Record<string, readonly string[]>>;

const REAL_AT_ONCE = 8;

/** Compares one script's answers. */
export function compared(
  area: Area,
  script: Script,
  real: readonly StepAnswer[],
  embedded: readonly StepAnswer[],
): Compared {
  const isOpen = (open as OpenDifferences)[area.name]?.includes(script.name);
  const accepted = ACCEPTED_DIFFERENCES[area.name]?.[script.name] ?? (isOpen ? "open" : undefined);
  return { area: area.name, script, difference: differenceOf(real, embedded), accepted };
}

/** Runs scripts of an area on a cluster, as many at the same time as it likes; their answers in order. */
export async function answersOf(
  cluster: Cluster,
  area: Area,
  scripts: readonly Script[],
): Promise<(readonly StepAnswer[])[]> {
  await ScriptRun.setUp(cluster, area.setup ?? []);
  const run = crypto.randomUUID().slice(0, 6), answers: (readonly StepAnswer[])[] = [], queue = [...scripts.entries()];
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, script] = next;
      answers[index] = await ScriptRun.run(cluster, `case-${run}-${index}`, script);
    }
  };
  await Promise.all(Array.from({ length: cluster.kind === "embedded" ? 1 : REAL_AT_ONCE }, work));
  return answers;
}

/** Identifies the steps of a script. */
export async function digestOf({ steps }: Script): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(steps)));
  return new Uint8Array(bytes).toHex().slice(0, 16);
}

function recordingFile(area: Area): URL {
  return new URL(`answers/${area.name}.json`, import.meta.url);
}

/** The recorded answers to scripts of an area. @throws {Error} naming a script that was not recorded as it is now. */
export async function recordedAnswers(area: Area, scripts: readonly Script[]): Promise<(readonly StepAnswer[])[]> {
  const recordings = parseJson(await Deno.readTextFile(recordingFile(area))) as Recordings;
  return await Promise.all(scripts.map(async (script) => {
    const recording = recordings[script.name];
    if (recording?.digest === await digestOf(script)) return recording.answers;
    throw new Error(
      `${area.name}: "${script.name}" is not recorded as it is now; ` +
        `run: KUBEBUILDER_ASSETS=… deno task conformance --record --area ${area.name}`,
    );
  }));
}

/** Writes the answers of a real server; those to scripts that are not among these stay, while the area has them. */
export async function record(
  area: Area,
  scripts: readonly Script[],
  answers: readonly (readonly StepAnswer[])[],
): Promise<void> {
  const file = recordingFile(area), former: Recordings = await readOr(file), recordings: Record<string, Recording> = {};
  for (const script of area.scripts) {
    const index = scripts.indexOf(script);
    if (index >= 0) recordings[script.name] = { digest: await digestOf(script), answers: answers[index]! };
    else if (Object.hasOwn(former, script.name)) recordings[script.name] = former[script.name]!;
  }
  const lines = Object.entries(recordings).map(([name, recording]) =>
    ` ${JSON.stringify(name)}: ${formatJson(recording)}`
  );
  await Deno.writeTextFile(file, `{\n${lines.join(",\n")}\n}\n`);
}

async function readOr(file: URL): Promise<Recordings> {
  try {
    return parseJson(await Deno.readTextFile(file)) as Recordings;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}
