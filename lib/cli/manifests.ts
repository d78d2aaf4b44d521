import { jsonClone } from "../base/json.ts";
import { parse, parseAllDocuments, stringify } from "yaml";
import { describeError, UsageError } from "../base/errors.ts";
import { diff } from "../apimachinery/diff.ts";
import type { DynamicObject } from "../apimachinery/object.ts";
import { installation } from "../operator/installation.ts";
import { EXIT } from "./exit.ts";
import { requireNamespaceName } from "./install.ts";
import type { CommandContext } from "./program.ts";
import { writeBlock } from "./terminal.ts";

/** Flags of `manifests`. */
export interface ManifestsFlags {
  readonly namespace: string;
  readonly output?: string | undefined;
  readonly check?: string | undefined;
}

const KUSTOMIZATION = "kustomization.yaml";

/** The files of a folder of manifests, by what is in each. */
const FILES: readonly { readonly name: string; readonly kinds: readonly string[] }[] = [
  { name: "crds.yaml", kinds: ["CustomResourceDefinition"] },
  { name: "namespace.yaml", kinds: ["Namespace"] },
  { name: "webhooks.yaml", kinds: ["Service", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] },
  { name: "rbac.yaml", kinds: ["ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"] },
];

/**
 * `manifests`: what `install` applies, as YAML that `kubectl apply -f -` takes; as files of a folder; or the proof that a
 * folder's files still say what the operator declares.
 */
export async function manifests(context: CommandContext, flags: ManifestsFlags): Promise<number> {
  const { operator, program, terminal } = context, { namespace, output, check } = flags;
  requireNamespaceName(namespace);
  if (output !== undefined && check !== undefined) throw new UsageError("--output and --check exclude each other");
  const objects = installation(operator, program, namespace).map(({ object }) => object);
  if (check !== undefined) return await checkFolder(context, check, objects);
  if (output === undefined) {
    writeBlock((line) => terminal.out(line), manifestsYaml(objects).trimEnd());
    return EXIT.done;
  }
  for (const { name, kinds } of filesOf(objects)) {
    const path = `${output}/${name}`;
    const text = headOf(program) + manifestsYaml(objects.filter(({ kind }) => kinds.includes(kind!)));
    await Deno.writeTextFile(path, text).catch((cause) => {
      throw new UsageError(`cannot write ${path}: ${describeError(cause)}`, "name a folder that is there", { cause });
    });
    terminal.out(path);
  }
  for (const { name } of FILES.filter((file) => !filesOf(objects).includes(file))) {
    await removeStale(context, `${output}/${name}`);
  }
  const { missing, stale } = await listing(output, objects);
  for (const name of missing) {
    terminal.err(`note: ${output}/${KUSTOMIZATION} does not list ${name}: add it to its resources`);
  }
  for (const name of stale) {
    terminal.err(`note: ${output}/${KUSTOMIZATION} lists ${name}: take it out of its resources`);
  }
  return EXIT.done;
}

/** First line of every file that `--output` writes. */
function headOf(program: string): string {
  return `# Written by \`${program} manifests --output\`: change the operator instead.\n`;
}

/** Removes a file that an earlier release wrote and of which nothing is declared now. One that somebody else wrote is left. */
async function removeStale({ terminal, program }: CommandContext, path: string): Promise<void> {
  const text = await readIfThere(path);
  if (text === undefined) return;
  if (!text.startsWith(headOf(program))) {
    return terminal.err(
      `note: ${path} is left: the operator declares nothing of it, and this command did not write it`,
    );
  }
  await Deno.remove(path).catch((cause) => {
    throw new UsageError(`cannot remove ${path}: ${describeError(cause)}`, undefined, { cause });
  });
  terminal.out(`${path} removed`);
}

/** Compares a folder object by object and field by field; order and comments do not matter. */
async function checkFolder(
  { terminal, program }: CommandContext,
  folder: string,
  objects: readonly DynamicObject[],
): Promise<number> {
  const there = new Map<string, DynamicObject>(), declared = filesOf(objects);
  for (const file of FILES) {
    const path = `${folder}/${file.name}`, text = await readIfThere(path);
    if (text === undefined) {
      if (!declared.includes(file)) continue;
      throw new UsageError(
        `cannot read ${path}: it is not there, or may not be read`,
        `${program} manifests --output ${folder}`,
      );
    }
    for (const object of parseManifests(path, text)) there.set(nameOf(object), object);
  }
  const differences: string[] = [];
  for (const object of objects) {
    const name = nameOf(object), found = there.get(name);
    there.delete(name);
    if (!found) differences.push(`${name} is missing`);
    else {
      const wanted = jsonClone(object);
      for (const { path, operation } of diff(found, wanted)) {
        const how = { add: "is missing", change: "differs", remove: "is not declared" }[operation];
        differences.push(`${name}: ${path.join(".")} ${how}`);
      }
    }
  }
  for (const name of there.keys()) differences.push(`${name} is not declared`);
  const { missing, stale } = await listing(folder, objects);
  for (const name of missing) differences.push(`${KUSTOMIZATION} does not list ${name}`);
  for (const name of stale) differences.push(`${KUSTOMIZATION} lists ${name}, of which nothing is declared`);
  if (differences.length === 0) {
    terminal.out(`${folder} says what the operator declares`);
    return EXIT.done;
  }
  for (const difference of differences) terminal.err(difference);
  terminal.err(`${program}: ${folder} differs from what the operator declares`);
  terminal.err(`  fix: ${program} manifests --output ${folder}`);
  return EXIT.failed;
}

/**
 * The files that a folder's kustomization leaves out, and those that it lists though nothing of them is declared: applying it would miss
 * something, or fail. None where there is no kustomization.
 */
async function listing(
  folder: string,
  objects: readonly DynamicObject[],
): Promise<{ readonly missing: readonly string[]; readonly stale: readonly string[] }> {
  const text = await readIfThere(`${folder}/${KUSTOMIZATION}`);
  if (text === undefined) return { missing: [], stale: [] };
  const { resources } = (parse(text) ?? {}) as { resources?: readonly string[] | null };
  const listed = resources ?? [], declared = filesOf(objects).map(({ name }) => name);
  return {
    missing: declared.filter((name) => !listed.includes(name)),
    stale: FILES.map(({ name }) => name).filter((name) => listed.includes(name) && !declared.includes(name)),
  };
}

/** @throws {UsageError} for a file that is there and cannot be read. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    // A process that may only write cannot look: what it would say of the folder is a courtesy.
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotCapable) return undefined;
    throw new UsageError(`cannot read ${path}: ${describeError(cause)}`, undefined, { cause });
  }
}

/** The files that have something in them. */
function filesOf(objects: readonly DynamicObject[]): typeof FILES {
  return FILES.filter(({ kinds }) => objects.some(({ kind }) => kinds.includes(kind!)));
}

function nameOf({ kind, metadata }: DynamicObject): string {
  return `${kind} ${metadata?.namespace ? `${metadata.namespace}/` : ""}${metadata?.name}`;
}

function parseManifests(path: string, text: string): DynamicObject[] {
  return parseAllDocuments(text, { version: "1.1" }).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new UsageError(`${path} is no YAML: ${error.message.split("\n")[0]}`);
    const object = document.toJS() as DynamicObject | null;
    return object === null ? [] : [object]; // comments alone are a document, too
  });
}

/** YAML as Kubernetes reads it: texts that YAML 1.1 takes for booleans or numbers are quoted. */
function manifestsYaml(objects: readonly DynamicObject[]): string {
  return objects.map((object) => stringify(object, { version: "1.1", lineWidth: 120, aliasDuplicateObjects: false }))
    .join("---\n");
}
