/**
 * Counts the concepts of each package of lib/: what a reader has to learn before a change. The table stands in
 * CONTRIBUTING.md; `--write` updates it. Ends with 1 where a name is exported and no other file uses it.
 *
 *     deno task concepts [--write]
 *
 * @module
 */
import { ROOT } from "./build_app.ts";

/** The concepts of one package. */
export interface Concepts {
  readonly name: string;
  readonly files: number;
  /** Names that its `mod.ts` exports, types included. */
  readonly exported: number;
  readonly classes: number;
  /** Interfaces that only carry arguments: `…Options`, `…Deps`, `…Host`, `…Parts`. */
  readonly optionBags: number;
}

const DECLARATION = /^(export )?(?:abstract )?(?:async )?(class|function\*?|const|interface|type|enum) (\w+)/gm;
const OPTION_BAG = /(?:Options|Deps|Host|Parts)$/;
const HEADING = "| package | files | exported names | classes | option bags |\n|---|--:|--:|--:|--:|\n";

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory && !["data", "node_modules"].includes(name) && !name.startsWith(".")) yield* sources(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

/** Every source below these folders of the project, by its path. */
async function read(...folders: string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const folder of folders) {
    for await (const path of sources(`${ROOT}/${folder}`)) {
      texts.set(path.slice(ROOT.length + 1), await Deno.readTextFile(path));
    }
  }
  return texts;
}

function declarations(text: string) {
  return [...text.matchAll(DECLARATION)].map(([, exported, kind, name]) => ({
    exported: exported !== undefined,
    kind: kind!,
    name: name!,
  }));
}

/** The names that a `mod.ts` exports: those that it lists, and those of the files that it exports whole. */
function exportsOf(folder: string, texts: ReadonlyMap<string, string>): Set<string> {
  const mod = texts.get(`${folder}/mod.ts`) ?? "", names = new Set<string>();
  for (const [, list] of mod.matchAll(/^export (?:type )?\{([^}]*)\}/gm)) {
    for (const each of list!.split(",")) if (each.trim()) names.add(each.trim().replace(/^type |.* as /g, ""));
  }
  for (const [, file] of mod.matchAll(/^export (?:type )?\* from "\.\/([^"]+)"/gm)) {
    for (const { exported, name } of declarations(texts.get(`${folder}/${file}`) ?? "")) if (exported) names.add(name);
  }
  return names;
}

/** The concepts of every package of lib/, in the order of their names. */
export async function concepts(): Promise<Concepts[]> {
  const texts = await read("lib"),
    names = new Set([...texts.keys()].flatMap((path) => path.split("/")[2] ? [path.split("/")[1]!] : []));
  return [...names].sort().map((name) => {
    const folder = `lib/${name}`,
      own = [...texts].filter(([path]) => path.startsWith(`${folder}/`)).map(([, text]) => text);
    const declared = own.flatMap(declarations),
      count = (test: (each: { kind: string; name: string }) => boolean) => declared.filter(test).length;
    return {
      name,
      files: own.length,
      exported: exportsOf(folder, texts).size,
      classes: count(({ kind }) => kind === "class"),
      optionBags: count(({ kind, name }) => kind === "interface" && OPTION_BAG.test(name)),
    };
  });
}

/** `path: name` of each name that a file of lib/ exports and no other file of the project uses. */
export async function deadExports(): Promise<string[]> {
  const texts = await read("lib", "tests", "tools", "bench", "examples"), users = new Map<string, Set<string>>();
  texts.set("main.ts", await Deno.readTextFile(`${ROOT}/main.ts`));
  for (const [path, text] of texts) {
    for (const [word] of text.matchAll(/\b[A-Za-z]\w*\b/g)) (users.get(word) ?? set(users, word)).add(path);
  }
  return [...texts].filter(([path]) => path.startsWith("lib/")).flatMap(([path, text]) =>
    declarations(text).filter(({ exported, kind, name }) =>
      exported && users.get(name)!.size === 1 && isDead(kind, text, name)
    )
      .map(({ name }) => `${path}: ${name}`)
  );
}

function set(users: Map<string, Set<string>>, word: string): Set<string> {
  const fresh = new Set<string>();
  users.set(word, fresh);
  return fresh;
}

/** A type that its file uses may be part of an exported signature; anything else needs a user elsewhere. */
function isDead(kind: string, text: string, name: string): boolean {
  const isType = kind === "interface" || kind === "type";
  return !isType || [...text.matchAll(new RegExp(`\\b${name}\\b`, "g"))].length === 1;
}

/** The table of CONTRIBUTING.md. */
export async function conceptsTable(): Promise<string> {
  const rows = await concepts(),
    cells = ({ name, files, exported, classes, optionBags }: Concepts) =>
      `| \`${name}\` | ${
        [files, exported, classes, optionBags].map((each) => each.toLocaleString("en")).join(" | ")
      } |\n`;
  return HEADING + rows.map(cells).join("");
}

/** The text of CONTRIBUTING.md with another table. */
export function withTable(text: string, table: string): string {
  const start = text.indexOf(HEADING), end = text.indexOf("\n\n", start) + 1;
  return text.slice(0, start) + table + text.slice(end);
}

if (import.meta.main) {
  const table = await conceptsTable(), dead = await deadExports(), page = `${ROOT}/CONTRIBUTING.md`;
  if (Deno.args.includes("--write")) await Deno.writeTextFile(page, withTable(await Deno.readTextFile(page), table));
  await Deno.stdout.write(
    new TextEncoder().encode(table + dead.map((each) => `exported and not used: ${each}\n`).join("")),
  );
  if (dead.length > 0) Deno.exitCode = 1;
}
