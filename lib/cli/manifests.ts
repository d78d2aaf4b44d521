import { cutText, isObject, jsonClone, UsageError } from "../base/mod.ts";
import { isSeq, parseAllDocuments, parseDocument, type YAMLSeq } from "yaml";
import { diff, type DiffItem, type DynamicObject } from "../apimachinery/mod.ts";
import { installation, installNamespace } from "../operator/mod.ts";
import { EXIT } from "./exit.ts";
import { checkChart, isChart, writeChart } from "./helm_folder.ts";
import { requireNamespaceName } from "./install.ts";
import type { CommandContext } from "./command_context.ts";
import { withKeyedLists } from "./keyed_lists.ts";
import {
  firstLine,
  headOf,
  makeFolder,
  manifestsYaml,
  readIfExists,
  removeStale,
  reportDifferences,
  writeFile,
} from "./manifest_files.ts";
import { writeBlock } from "./terminal.ts";

interface ManifestsFlags {
  readonly namespace: string;
  readonly output?: string | undefined;
  readonly helm?: string | undefined;
  readonly check?: string | undefined;
  readonly fromSuite?: true | undefined;
}

const KUSTOMIZATION = "kustomization.yaml";

/** Files of a manifest folder, with the kinds in each. */
const FILES: readonly { readonly name: string; readonly kinds: readonly string[] }[] = [
  { name: "crds.yaml", kinds: ["CustomResourceDefinition"] },
  { name: "namespace.yaml", kinds: ["Namespace"] },
  { name: "webhooks.yaml", kinds: ["Service", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] },
  { name: "rbac.yaml", kinds: ["ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"] },
];

/**
 * `manifests`: `install`'s objects as YAML for `kubectl apply -f -`, a folder's files, or a Helm chart; or checks that
 * a folder's files match.
 */
export async function manifests(context: CommandContext, flags: ManifestsFlags): Promise<number> {
  const { operator, program, terminal } = context, { namespace, output, helm, check } = flags;
  requireNamespaceName(namespace);
  requireOneFolder(flags);
  if (flags.fromSuite) {
    const code = await (await import("./suite_rules.ts")).keepUsedRules(context);
    if (code !== undefined) return code;
  }
  if (helm !== undefined || check !== undefined && await isChart(check)) {
    if (namespace !== installNamespace(program)) {
      throw new UsageError("a chart has no --namespace", "leave it out: each release names its own");
    }
    return helm !== undefined ? await writeChart(context, helm) : await checkChart(context, check!);
  }
  const objects = installation(operator, program, namespace).map(({ object }) => object);
  if (check !== undefined) return await checkFolder(context, check, objects);
  if (output === undefined) {
    writeBlock((line) => terminal.out(line), manifestsYaml(objects).trimEnd());
    return EXIT.done;
  }
  await readKustomization(output, objects); // refuses before anything is written
  await makeFolder(output);
  const head = headOf(program, "--output");
  for (const { name, kinds } of filesOf(objects)) {
    const path = `${output}/${name}`;
    const text = head + manifestsYaml(objects.filter(({ kind }) => kinds.includes(kind!)));
    await writeFile(path, text, "name a folder that you may write");
    terminal.out(path);
  }
  for (const { name } of FILES.filter((file) => !filesOf(objects).includes(file))) {
    await removeStale(context, `${output}/${name}`, head);
  }
  await updateKustomization(context, output, objects);
  return EXIT.done;
}

function requireOneFolder(flags: ManifestsFlags): void {
  const given = (["output", "helm", "check"] as const).filter((flag) => flags[flag] !== undefined);
  if (given.length > 1) throw new UsageError(`${given.map((flag) => `--${flag}`).join(" and ")} exclude each other`);
  const [flag] = given;
  if (flag && flags[flag] === "") { // an unset variable of a script: paths in it would begin at the root
    throw new UsageError(`--${flag} is empty`, "name a folder; . is the present one");
  }
}

/** Updates the resources of a folder's kustomization; the rest stays. */
async function updateKustomization(
  { terminal }: CommandContext,
  folder: string,
  objects: readonly DynamicObject[],
): Promise<void> {
  const read = await readKustomization(folder, objects);
  if (!read) return;
  const { path, text, missing, stale: listed } = read, stale: string[] = [];
  for (const name of listed) {
    if (await readIfExists(`${folder}/${name}`) === undefined) stale.push(name);
    else terminal.err(`note: ${path} lists ${name}, which is not declared: remove both unless they are yours`);
  }
  if (missing.length + stale.length === 0) return;
  await writeFile(path, withResources(text, missing, stale));
  terminal.out(`${path}: ${[...missing.map((name) => `+${name}`), ...stale.map((name) => `-${name}`)].join(", ")}`);
}

/**
 * A folder's kustomization, if any, and its difference from the declared one. @throws {UsageError} if it is invalid.
 */
async function readKustomization(folder: string, objects: readonly DynamicObject[]) {
  const path = `${folder}/${KUSTOMIZATION}`, text = await readIfExists(path);
  return text === undefined ? undefined : { path, text, ...listing(path, text, objects) };
}

/** Only lines of a block list change: comments and layout stay. */
export function withResources(text: string, missing: readonly string[], stale: readonly string[]): string {
  const document = parseDocument(text), resources = document.get("resources");
  if (isSeq(resources) && !resources.flow && resources.items.length > 0) {
    return withLines(text, resources, missing, stale);
  }
  const listed = isSeq(resources) ? resources.toJSON() as string[] : [];
  document.set("resources", [...listed.filter((name) => !stale.includes(name)), ...missing]);
  return document.toString({ lineWidth: 0 });
}

function withLines(
  text: string,
  resources: YAMLSeq,
  missing: readonly string[],
  stale: readonly string[],
): string {
  const places = (resources.items as { readonly value: unknown; readonly range: readonly number[] }[])
    .map(({ value, range: [from = 0] }) => ({ value, start: text.lastIndexOf("\n", from) + 1, from }));
  const endOf = (start: number) => (text.indexOf("\n", start) + 1) || text.length;
  const { start: last, from } = places.at(-1)!, bullet = text.slice(last, from);
  const before = text.slice(0, endOf(last)), rest = text.slice(endOf(last));
  let lines = before.endsWith("\n") ? before : `${before}\n`;
  for (const { start } of places.filter(({ value }) => stale.includes(String(value))).reverse()) {
    lines = lines.slice(0, start) + lines.slice(endOf(start));
  }
  const kept = places.some(({ value }) => !stale.includes(String(value)));
  if (!kept && missing.length === 0) return lines.replace(/resources:([^\n]*)\n$/, "resources: []$1\n") + rest;
  return lines + missing.map((name) => `${bullet}${name}\n`).join("") + rest;
}

/** Compares by object and field; order and comments do not matter. */
async function checkFolder(
  context: CommandContext,
  folder: string,
  objects: readonly DynamicObject[],
): Promise<number> {
  const found = new Map<string, DynamicObject>(), declared = filesOf(objects);
  for (const file of FILES) {
    const path = `${folder}/${file.name}`, text = await readIfExists(path);
    if (text === undefined) {
      if (!declared.includes(file)) continue;
      throw new UsageError(
        `cannot read ${path}: it does not exist, or cannot be read`,
        `${context.command} manifests --output ${folder}`,
      );
    }
    for (const object of parseManifests(path, text)) found.set(nameOf(object), object);
  }
  const differences: string[] = [];
  for (const object of objects) {
    const name = nameOf(object), live = found.get(name);
    found.delete(name);
    if (!live) differences.push(`${name} is missing`);
    else differences.push(...diff(keyed(live), keyed(jsonClone(object))).map((item) => `${name}: ${changeText(item)}`));
  }
  for (const name of found.keys()) differences.push(`${name} is not declared`);
  const kustomization = await readIfExists(`${folder}/${KUSTOMIZATION}`);
  const { missing, stale } = listing(`${folder}/${KUSTOMIZATION}`, kustomization ?? "", objects);
  for (const name of kustomization === undefined ? [] : missing) {
    differences.push(`${KUSTOMIZATION} does not list ${name}`);
  }
  for (const name of stale) differences.push(`${KUSTOMIZATION} lists ${name}, which the operator does not declare`);
  return reportDifferences(context, folder, { differences, option: "--output" });
}

function keyed(object: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([field, value]) => [field, withKeyedLists(value)]));
}

/** Longest text of a value. */
const SHOWN_MAX = 60;

function changeText({ path, operation, old, next }: DiffItem): string {
  const field = path.join("."), shown = (value: unknown) => cutText(JSON.stringify(value), SHOWN_MAX);
  switch (operation) {
    case "add":
      return `${field} is missing${next === true ? "" : `: ${shown(next)}`}`;
    case "remove":
      return `${field} is not declared`;
    case "change":
      return `${field} differs: ${shown(old)}, and declared is ${shown(next)}`;
  }
}

/** Files that a kustomization lacks, and listed ones without a declaration, whose apply would fail. */
function listing(
  path: string,
  text: string,
  objects: readonly DynamicObject[],
): { readonly missing: readonly string[]; readonly stale: readonly string[] } {
  const document = parseDocument(text), [error] = document.errors;
  if (error) throw new UsageError(`${path} is not YAML: ${firstLine(error)}`);
  const read: unknown = document.toJS() ?? {}, resources = isObject(read) ? read.resources ?? [] : undefined;
  if (!Array.isArray(resources)) {
    throw new UsageError(`${path} is not a kustomization: it must be a map whose \`resources\` are a list`);
  }
  const listed = resources as readonly unknown[], declared = filesOf(objects).map(({ name }) => name);
  return {
    missing: declared.filter((name) => !listed.includes(name)),
    stale: FILES.map(({ name }) => name).filter((name) => listed.includes(name) && !declared.includes(name)),
  };
}

function filesOf(objects: readonly DynamicObject[]): typeof FILES {
  return FILES.filter(({ kinds }) => objects.some(({ kind }) => kinds.includes(kind!)));
}

function nameOf({ kind, metadata }: DynamicObject): string {
  return `${kind} ${metadata?.namespace ? `${metadata.namespace}/` : ""}${metadata?.name}`;
}

function parseManifests(path: string, text: string): DynamicObject[] {
  return parseAllDocuments(text, { version: "1.1" }).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new UsageError(`${path} is not YAML: ${firstLine(error)}`);
    const object = document.toJS() as DynamicObject | null;
    return object === null ? [] : [object]; // comments alone are a document, too
  });
}
