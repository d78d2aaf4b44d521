import { describeError, UsageError } from "../base/mod.ts";
import { stringify } from "yaml";
import type { DynamicObject } from "../apimachinery/mod.ts";
import type { CommandContext } from "./command_context.ts";
import { EXIT } from "./exit.ts";

/** As Kubernetes reads it: quotes texts that YAML 1.1 takes for booleans or numbers. */
export function manifestsYaml(objects: readonly DynamicObject[]): string {
  return objects.map((object) => stringify(object, { version: "1.1", lineWidth: 120, aliasDuplicateObjects: false }))
    .join("---\n");
}

/** What the YAML parser says, without the excerpt that it appends after a colon. */
export function firstLine({ message }: Error): string {
  return message.split("\n")[0]!.replace(/:$/, "");
}

/** `manifests` recognizes its files by this first line. */
export function headOf(program: string, flag: "--output" | "--helm"): string {
  return `# Written by \`${program} manifests ${flag}\`: change the operator instead.\n`;
}

/** Ends a `--check`: prints what differs, and by which option of `manifests` it is written again. */
export function reportDifferences(
  { terminal, program, command }: CommandContext,
  folder: string,
  { differences, option }: { readonly differences: readonly string[]; readonly option: string },
): number {
  if (differences.length === 0) {
    terminal.out(`${folder} matches what the operator declares`);
    return EXIT.done;
  }
  for (const difference of differences) terminal.err(difference);
  terminal.err(`${program}: ${folder} differs from what the operator declares`);
  terminal.err(`  fix: ${command} manifests ${option} ${folder}`);
  return EXIT.failed;
}

/** @throws {UsageError} if an existing file cannot be read. */
export async function readIfExists(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    // Without the read permission, existing files are not checked.
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotCapable) return undefined;
    const hint = cause instanceof Deno.errors.NotADirectory ? "name a folder" : undefined;
    throw new UsageError(`cannot read ${path}: ${describeError(cause)}`, hint, { cause });
  }
}

/** Makes a folder, with those above it, where it is missing. @throws {UsageError} if that is refused. */
export async function makeFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true }).catch((cause) => {
    throw new UsageError(`cannot make ${path}: ${describeError(cause)}`, "name a folder that you may write", { cause });
  });
}

/** @throws {UsageError} if the file cannot be written. */
export async function writeFile(path: string, text: string, hint?: string): Promise<void> {
  await Deno.writeTextFile(path, text).catch((cause) => {
    throw new UsageError(`cannot write ${path}: ${describeError(cause)}`, hint, { cause });
  });
}

/** Removes a file of an earlier release without a declaration. Other files stay. */
export async function removeStale({ terminal }: CommandContext, path: string, head: string): Promise<void> {
  const text = await readIfExists(path);
  if (text === undefined) return;
  if (!text.startsWith(head)) {
    return terminal.err(
      `note: ${path} is kept: the operator does not declare it, and this command did not write it`,
    );
  }
  await Deno.remove(path).catch((cause) => {
    throw new UsageError(`cannot remove ${path}: ${describeError(cause)}`, undefined, { cause });
  });
  terminal.out(`${path} removed`);
}
