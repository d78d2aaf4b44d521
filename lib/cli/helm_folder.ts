import { isMap, parseDocument, type Scalar } from "yaml";
import { describeError, UsageError } from "../base/mod.ts";
import type { CommandContext } from "./command_context.ts";
import { EXIT } from "./exit.ts";
import { type ChartFiles, DECLARED_FILES, helmChart } from "./helm_chart.ts";
import {
  firstLine,
  headOf,
  makeFolder,
  readIfExists,
  removeStale,
  reportDifferences,
  writeFile,
} from "./manifest_files.ts";

const CHART = "Chart.yaml";
/** As Helm requires it (semver.org). */
const SEMVER = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z.-]+)?$/;

/** Whether a folder holds a Helm chart. */
export async function isChart(folder: string): Promise<boolean> {
  return await readIfExists(`${folder}/${CHART}`) !== undefined;
}

/**
 * `manifests --helm`: writes the operator's chart into a folder, created if missing. Declared files are written each
 * time; others, which are the author's, only if missing. `Chart.yaml` gets the program's version.
 *
 * @throws {UsageError} before anything is written: for a folder with another chart or other files, and for a version
 *   that Helm refuses.
 */
export async function writeChart(context: CommandContext, folder: string): Promise<number> {
  const { terminal } = context, { declared, initial } = chartOf(context), head = headOf(context.program, "--helm");
  await requireOwnFolder(context, folder, head);
  await makeFolder(`${folder}/templates`);
  for (const [path, text] of initial) {
    if (await createFile(`${folder}/${path}`, text)) terminal.out(`${folder}/${path}`);
  }
  for (const [path, text] of declared) {
    await writeFile(`${folder}/${path}`, text);
    terminal.out(`${folder}/${path}`);
  }
  for (const { path } of DECLARED_FILES) {
    if (!declared.has(path)) await removeStale(context, `${folder}/${path}`, head);
  }
  const chart = await readIfExists(`${folder}/${CHART}`), updated = chart && withVersion(chart, context.version);
  if (updated === undefined || updated === chart) return EXIT.done;
  await writeFile(`${folder}/${CHART}`, updated);
  terminal.out(`${folder}/${CHART}: version ${context.version}`);
  return EXIT.done;
}

/** `manifests --check` of a chart: fails where {@linkcode writeChart} would change it. */
export async function checkChart(context: CommandContext, folder: string): Promise<number> {
  const { version } = context, { declared, initial } = chartOf(context);
  const chart = (await readIfExists(`${folder}/${CHART}`))!, differences: string[] = [];
  requireOwnChart(context, folder, chart);
  for (const { path } of DECLARED_FILES) {
    const found = await readIfExists(`${folder}/${path}`), wanted = declared.get(path);
    if (wanted === undefined && found !== undefined) differences.push(`${path} is not declared`);
    else if (wanted !== undefined && found === undefined) differences.push(`${path} is missing`);
    else if (wanted !== found) differences.push(`${path}: line ${firstDifference(found!, wanted!)} differs`);
  }
  for (const path of initial.keys()) {
    if (await readIfExists(`${folder}/${path}`) === undefined) differences.push(`${path} is missing`);
  }
  if (withVersion(chart, version) !== chart) differences.push(`${CHART}: version or appVersion is not ${version}`);
  return reportDifferences(context, folder, { differences, option: "--helm" });
}

/** @throws {UsageError} if the program's version is not SemVer. */
function chartOf({ operator, program, version }: CommandContext): ChartFiles {
  if (!SEMVER.test(version)) {
    throw new UsageError(
      `the program's version ${JSON.stringify(version)} cannot be a chart's: Helm requires SemVer`,
      'cli(operator, { version: "1.0.0" })',
    );
  }
  const { declared, initial } = helmChart(operator, { program, version }), head = headOf(program, "--helm");
  return { initial, declared: new Map([...declared].map(([path, text]) => [path, head + text])) };
}

/** @throws {UsageError} if a write would mix with the files of others, or replace one. */
async function requireOwnFolder(context: CommandContext, folder: string, head: string): Promise<void> {
  const chart = await readIfExists(`${folder}/${CHART}`);
  if (chart === undefined) return await requireEmpty(folder);
  requireOwnChart(context, folder, chart);
  for (const { path } of DECLARED_FILES) {
    const text = await readIfExists(`${folder}/${path}`);
    if (text === undefined || text.startsWith(head)) continue;
    throw new UsageError(`${folder}/${path} exists, and this command did not write it`, "move it, then run this again");
  }
}

async function requireEmpty(folder: string): Promise<void> {
  try {
    for await (const { name } of Deno.readDir(folder)) {
      throw new UsageError(`${folder} has files (${name}) and is no chart`, "name a new or empty folder");
    }
  } catch (cause) {
    // Without the read permission, existing files are not checked.
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotCapable) return;
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`cannot read ${folder}: ${describeError(cause)}`, "name a new or empty folder", { cause });
  }
}

/** @throws {UsageError} for another operator's chart, and for a text that is no Chart.yaml. */
function requireOwnChart({ operator }: CommandContext, folder: string, text: string): void {
  const name = readChart(`${folder}/${CHART}`, text);
  if (name === operator.name) return;
  throw new UsageError(
    `${folder} holds the chart ${JSON.stringify(name)}, not ${JSON.stringify(operator.name)}`,
    "name another folder",
  );
}

/** The chart's name. @throws {UsageError} if the text is no Chart.yaml. */
function readChart(path: string, text: string): unknown {
  const { errors: [error], contents } = parseDocument(text);
  if (error) throw new UsageError(`${path} is not YAML: ${firstLine(error)}`);
  if (!isMap(contents)) throw new UsageError(`${path} is not a chart: it must be a map with a \`name\``);
  return contents.get("name");
}

/** All other text stays. */
function withVersion(text: string, version: string): string {
  let updated = text;
  for (const field of ["version", "appVersion"]) {
    const node = parseDocument(updated).get(field, true) as Scalar | undefined;
    if (node?.value === version) continue;
    const [from, to] = node?.range ?? [updated.length, updated.length];
    updated = updated.slice(0, from) + (node ? version : `${field}: ${version}\n`) + updated.slice(to);
  }
  return updated;
}

/** Writes a file that does not exist. @returns whether it did not. @throws {UsageError} if it cannot be written. */
async function createFile(path: string, text: string): Promise<boolean> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true });
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) return false;
    throw new UsageError(`cannot write ${path}: ${describeError(cause)}`, undefined, { cause });
  }
}

/** Number of the first line in which two texts differ; from 1. */
function firstDifference(one: string, other: string): number {
  const lines = one.split("\n"), others = other.split("\n");
  return lines.findIndex((line, nth) => line !== others[nth]) + 1 || lines.length + 1;
}
