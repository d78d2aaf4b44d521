import { describeError, UsageError } from "../base/mod.ts";
import { ExitHook } from "../harness/exit_hook.ts";
import { guessPlural, isDnsLabel } from "../apimachinery/mod.ts";
import { EXIT } from "./exit.ts";
import { Interrupts } from "./interrupts.ts";
import { kindOf } from "./kind_name.ts";
import type { CommandContext } from "./command_context.ts";
import { shellWord } from "./shell_word.ts";
import { readScaffold, type ScaffoldFiles } from "./scaffold.ts";

const TEMPLATE_NAME = "my-operator";
/** The template's kind and plural, as its files write them. */
const TEMPLATE_KIND = "Widget", TEMPLATE_PLURAL = "widgets";
/** `NAME-system` must also be a DNS label. */
const NAME_LENGTH_MAX = 50;
const VENDORED = "vendor/";

/**
 * `init`: a new operator project in a folder. The folder's name is the operator's, and names its kind
 * ({@linkcode kindOf}). The project appears whole or not at all, and overwrites nothing.
 *
 * @throws {UsageError} for a folder whose name is no operator name, that is not empty or cannot be created.
 */
export async function init({ terminal, root }: CommandContext, folder: string): Promise<number> {
  const path = folder.replace(/\/+$/, ""), slash = path.lastIndexOf("/"), name = path.slice(slash + 1);
  requireOperatorName(name);
  using interrupts = new Interrupts();
  await requireFree(path);
  const files = named(await readScaffold(root ?? "."), name);
  const fresh = makeFolder(path.slice(0, slash + 1) || ".", `.${name}-`);
  using _hook = new ExitHook(() => Deno.removeSync(fresh, { recursive: true }));
  try {
    await writeFiles(fresh, files, interrupts.signal);
    await Deno.chmod(fresh, 0o755);
    await Deno.rename(fresh, path); // takes the place of an empty folder, and of nothing else
  } catch (cause) {
    await Deno.remove(fresh, { recursive: true });
    if (interrupts.signal.aborted) throw interrupts.signal.reason;
    throw new UsageError(`cannot write ${path}: ${describeError(cause)}`, "free some space, or choose another folder", {
      cause,
    });
  }
  const own = Object.keys(files).filter((path) => !path.startsWith(VENDORED));
  terminal.out(`${path}: ${own.length} files, and the library in ${VENDORED}; main.ts is the one to edit`);
  terminal.out("next:");
  for (const line of [`cd ${shellWord(path)}`, "deno task demo", "deno task test"]) terminal.out(`  ${line}`);
  return EXIT.done;
}

/** Synchronous: no signal can end the process before the exit hook that removes the folder is set. */
function makeFolder(dir: string, prefix: string): string {
  try {
    return Deno.makeTempDirSync({ dir, prefix });
  } catch (cause) {
    const where = dir === "." ? "here" : `in ${dir}`;
    const hint = "choose a folder that exists and that you may write";
    // Deno's message ends with the name of an internal operation.
    if (cause instanceof Deno.errors.NotFound) {
      throw new UsageError(`cannot make a folder ${where}: it does not exist`, hint);
    }
    throw new UsageError(`cannot make a folder ${where}: ${describeError(cause)}`, hint, { cause });
  }
}

function requireOperatorName(name: string): void {
  if (isDnsLabel(name) && name.length <= NAME_LENGTH_MAX) return;
  throw new UsageError(
    `${JSON.stringify(name)} is not a valid operator name`,
    `lower-case letters, digits and - in between, at most ${NAME_LENGTH_MAX}, as in ${TEMPLATE_NAME}`,
  );
}

async function requireFree(name: string): Promise<void> {
  const info = await Deno.lstat(name).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new UsageError(`cannot read ${name}: ${describeError(error)}`, undefined, { cause: error });
  });
  if (!info) return;
  if (!info.isDirectory) throw new UsageError(`${name} exists already and is not a folder`, "choose another name");
  for await (const _ of Deno.readDir(name)) {
    throw new UsageError(`${name} exists already and is not empty`, "choose another name, or empty it");
  }
}

function named(files: ScaffoldFiles, name: string): ScaffoldFiles {
  const kind = kindOf(name), singular = kind.toLowerCase(), plural = guessPlural(kind);
  const renamed = (text: string) =>
    text.replaceAll(TEMPLATE_KIND, kind).replaceAll(TEMPLATE_PLURAL, plural)
      .replaceAll(TEMPLATE_KIND.toLowerCase(), singular).replaceAll(TEMPLATE_NAME, name)
      .replace(/^import \{ (.+) \} from/gm, (_, names: string) => `import { ${sorted(names)} } from`);
  const rename = ([path, text]: [string, string]) =>
    path.startsWith(VENDORED) ? [path, text] as const : [renamed(path), renamed(text)] as const;
  return Object.fromEntries(Object.entries(files).map(rename));
}

/** Import names in the order of `deno fmt`, which another kind changes. */
function sorted(names: string): string {
  const key = (name: string) => name.replace("type ", "").toLowerCase();
  return names.split(", ").sort((one, other) => key(one) < key(other) ? -1 : 1).join(", ");
}

async function writeFiles(folder: string, files: ScaffoldFiles, signal: AbortSignal): Promise<void> {
  const made = new Set<string>();
  for (const [path, text] of Object.entries(files)) {
    signal.throwIfAborted();
    const parent = `${folder}/${path}`.replace(/\/[^/]*$/, "");
    if (!made.has(parent)) await Deno.mkdir(parent, { recursive: true });
    made.add(parent);
    await Deno.writeTextFile(`${folder}/${path}`, text, { createNew: true });
  }
}
