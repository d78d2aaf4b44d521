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
    const path = `${output}/${name}`,
      head = `# Written by \`${program} manifests --output\`: change the operator instead.\n`;
    const text = head + manifestsYaml(objects.filter(({ kind }) => kinds.includes(kind!)));
    await Deno.writeTextFile(path, text).catch((cause) => {
      throw new UsageError(`cannot write ${path}: ${describeError(cause)}`, "name a folder that is there", { cause });
    });
    terminal.out(path);
  }
  for (const name of await unlisted(output, objects)) {
    terminal.err(`note: ${output}/${KUSTOMIZATION} does not list ${name}: add it to its resources`);
  }
  return EXIT.done;
}

/** Compares a folder object by object and field by field; order and comments do not matter. */
async function checkFolder(
  { terminal, program }: CommandContext,
  folder: string,
  objects: readonly DynamicObject[],
): Promise<number> {
  const there = new Map<string, DynamicObject>();
  for (const { name } of filesOf(objects)) {
    const path = `${folder}/${name}`;
    const text = await Deno.readTextFile(path).catch((cause) => {
      throw new UsageError(`cannot read ${path}: ${describeError(cause)}`, `${program} manifests --output ${folder}`, {
        cause,
      });
    });
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
  for (const name of await unlisted(folder, objects)) differences.push(`${KUSTOMIZATION} does not list ${name}`);
  if (differences.length === 0) {
    terminal.out(`${folder} says what the operator declares`);
    return EXIT.done;
  }
  for (const difference of differences) terminal.err(difference);
  terminal.err(`${program}: ${folder} differs from what the operator declares`);
  terminal.err(`  fix: ${program} manifests --output ${folder}`);
  return EXIT.failed;
}

/** The files that a folder's kustomization leaves out: whoever applies that would miss them. None where it has no kustomization. */
async function unlisted(folder: string, objects: readonly DynamicObject[]): Promise<string[]> {
  const text = await Deno.readTextFile(`${folder}/${KUSTOMIZATION}`).catch((error) => {
    // Who may only write is not told: that is a courtesy.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return undefined;
    throw new UsageError(`cannot read ${folder}/${KUSTOMIZATION}: ${describeError(error)}`, undefined, {
      cause: error,
    });
  });
  if (text === undefined) return [];
  const { resources = [] } = (parse(text) ?? {}) as { resources?: readonly string[] };
  return filesOf(objects).map(({ name }) => name).filter((name) => !resources.includes(name));
}

/** The files that have something in them. */
function filesOf(objects: readonly DynamicObject[]): typeof FILES {
  return FILES.filter(({ kinds }) => objects.some(({ kind }) => kinds.includes(kind!)));
}

function nameOf({ kind, metadata }: DynamicObject): string {
  return `${kind} ${metadata?.namespace ? `${metadata.namespace}/` : ""}${metadata?.name}`;
}

function parseManifests(path: string, text: string): DynamicObject[] {
  return parseAllDocuments(text, { version: "1.1" }).map((document) => {
    const [error] = document.errors;
    if (error) throw new UsageError(`${path} is no YAML: ${error.message.split("\n")[0]}`);
    return document.toJS() as DynamicObject;
  });
}

/** YAML as Kubernetes reads it: texts that YAML 1.1 takes for booleans or numbers are quoted. */
function manifestsYaml(objects: readonly DynamicObject[]): string {
  return objects.map((object) => stringify(object, { version: "1.1", lineWidth: 120, aliasDuplicateObjects: false }))
    .join("---\n");
}
