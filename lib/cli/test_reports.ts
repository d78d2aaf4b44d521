import { resolve } from "node:path";
import { describeError, UsageError } from "../base/mod.ts";
import { htmlReport, junitReport, type RunResult } from "../harness/mod.ts";
import type { TestFlags } from "./test_settings.ts";

interface ReportFile {
  readonly flag: string;
  readonly path: string;
  readonly render: (result: RunResult) => string;
}

/** The requested reports. `program` includes its version; `command` runs it again. */
export function reportFiles(
  { junit, report }: TestFlags,
  program: string,
  rerun: (result: RunResult, name: string) => string,
): ReportFile[] {
  const files: ReportFile[] = [];
  if (junit !== undefined) files.push({ flag: "--junit", path: junit, render: junitReport });
  if (report !== undefined) {
    const render = (result: RunResult) => htmlReport(result, { program, rerun: (name) => rerun(result, name) });
    files.push({ flag: "--report", path: report, render });
  }
  return files;
}

/**
 * Checks before a long run that its reports can be written. An existing file keeps its content; a new one is removed.
 *
 * @throws {UsageError} naming a file that cannot be written, or if two reports share one.
 */
export async function checkReports(files: readonly ReportFile[]): Promise<void> {
  const [first, second] = files;
  if (first && second && resolve(first.path) === resolve(second.path)) {
    throw new UsageError(`${first.flag} and ${second.flag} name one file, ${first.path}`, "give each its own");
  }
  for (const { flag, path } of files) {
    try {
      const exists = await Deno.stat(path).then(() => true, () => false);
      (await Deno.open(path, { append: true, create: true })).close();
      if (!exists) await Deno.remove(path);
    } catch (cause) {
      throw new UsageError(`cannot write ${path}: ${describeError(cause)}`, `give ${flag} a file that can be written`, {
        cause,
      });
    }
  }
}

/** Writes the reports and prints their paths. Returns why any could not be written. */
export async function writeReports(
  files: readonly ReportFile[],
  result: RunResult,
  out: (line: string) => void,
): Promise<string[]> {
  const problems: string[] = [];
  for (const { path, render } of files) {
    try {
      await Deno.writeTextFile(path, render(result));
      out(`report: ${path}`);
    } catch (error) {
      problems.push(`cannot write ${path}: ${describeError(error)}`);
    }
  }
  return problems;
}
