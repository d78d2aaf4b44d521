/**
 * Lists which tests show each requirement of docs/functional_requirements.md: a test is for those that the comment
 * above it numbers (`// FR-1, FR-2`), a whole file for those of its first line. Ends with 1 where a requirement has
 * neither, or a number is unknown.
 *
 *     deno task requirements [FR-1 …]
 *
 * @module
 */

/** A test, or a whole file, that shows requirements. */
interface Marker {
  readonly ids: readonly string[];
  readonly place: string;
}

/** What shows each requirement, in the order of the document, and what is wrong. */
export interface Requirements {
  readonly shownBy: ReadonlyMap<string, readonly string[]>;
  readonly problems: readonly string[];
}

const FOLDERS = ["tests", "examples", "bench"];
const MARKER = /^\s*\/\/ (FR-\d+(?:, FR-\d+)*)$/;
/** What is no test of the project says so itself. */
const ELSEWHERE = /\((?:Shown|Tried) by [^)]+\)$/;

/** The tests that a source marks; `path` is its name. */
function markersOf(source: string, path: string): Marker[] {
  const lines = source.split("\n"), first = lines[0]!.startsWith("#!") ? 1 : 0;
  return lines.flatMap((line, at) => {
    const [, ids] = MARKER.exec(line) ?? [];
    if (!ids) return [];
    const [, name] = /["`](.+?)["`]/.exec(lines.slice(at + 1, at + 4).join("\n")) ?? [];
    return [{ ids: ids.split(", "), place: at === first ? path : `${path}: ${name}` }];
  });
}

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory && name !== "node_modules" && !name.startsWith(".")) yield* sources(path);
    else if (/\.tsx?$/.test(name)) yield path;
  }
}

/** Reads the document and the markers of the project in the folder `root`. */
export async function readRequirements(root: string): Promise<Requirements> {
  const text = await Deno.readTextFile(`${root}/docs/functional_requirements.md`), problems: string[] = [];
  const shownBy = new Map<string, string[]>();
  for (const [, id, sentence] of text.matchAll(/^- \*\*(FR-\d+)\*\* ((?:.|\n(?! *\n|- |#))*)/gm)) {
    if (shownBy.has(id!)) problems.push(`${id} stands twice`);
    const [elsewhere] = ELSEWHERE.exec(sentence!.replaceAll(/\s+/g, " ").trim()) ?? [];
    shownBy.set(id!, elsewhere ? [elsewhere] : []);
  }
  for (const folder of FOLDERS) {
    for await (const path of sources(`${root}/${folder}`)) {
      for (const { ids, place } of markersOf(await Deno.readTextFile(path), path.slice(root.length + 1))) {
        for (const id of ids) {
          if (shownBy.has(id)) shownBy.get(id)!.push(place);
          else problems.push(`${id}, which ${place} shows, is no requirement`);
        }
      }
    }
  }
  for (const [id, places] of shownBy) if (places.length === 0) problems.push(`no test shows ${id}`);
  return { shownBy, problems };
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) {
  const { shownBy, problems } = await readRequirements(new URL("..", import.meta.url).pathname.replace(/\/$/, ""));
  const asked = Deno.args.length > 0 ? Deno.args : shownBy.keys();
  for (const id of asked) {
    print(id);
    for (const place of (shownBy.get(id) ?? ["no such requirement"]).toSorted()) print(`  ${place}`);
  }
  for (const problem of problems) print(problem);
  if (problems.length > 0) Deno.exitCode = 1;
}
