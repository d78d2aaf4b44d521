import { describeError, UsageError } from "../base/mod.ts";

export type ScaffoldFiles = Readonly<Record<string, string>>;

/** A build's replacement for the sources: `ScaffoldFiles` as gzipped JSON. */
export const SCAFFOLD_ARCHIVE = "scaffold.json.gz";

const VENDOR = "vendor/pintle";
/** The shipped operator, which the library's users do not get. */
const NOT_VENDORED = "lib/replicator";

/**
 * Collects a new project from the repository: the template, and the library with a deno.json for its users.
 *
 * @throws {Deno.errors.NotFound} if `root` has no sources.
 */
export async function collectScaffold(root: string): Promise<ScaffoldFiles> {
  const files: Record<string, string> = {};
  for (const path of await paths(`${root}/templates/operator`)) {
    // Deno would take a template's deno.json for one of the repository.
    files[path.replace(".template.", ".")] = await Deno.readTextFile(`${root}/templates/operator/${path}`);
  }
  const library: Record<string, string> = {};
  for (const path of await paths(`${root}/lib`)) {
    if (`lib/${path}`.startsWith(`${NOT_VENDORED}/`)) continue;
    library[`lib/${path}`] = await Deno.readTextFile(`${root}/lib/${path}`);
  }
  library.LICENSE = await Deno.readTextFile(`${root}/LICENSE`);
  library["deno.json"] = libraryConfig(await Deno.readTextFile(`${root}/deno.json`), Object.values(library));
  for (const [path, text] of Object.entries(library)) files[`${VENDOR}/${path}`] = text;
  // Packages keep the versions and checksums that the library was tested with.
  files["deno.lock"] = await Deno.readTextFile(`${root}/deno.lock`);
  return files;
}

/** The library's name, exports and packages; without the repository's build and tests. */
function libraryConfig(text: string, sources: readonly string[]): string {
  const { name, version, license, exports, imports } = JSON.parse(text) as Record<string, unknown>;
  const used = Object.entries(imports as Record<string, string>).filter(([specifier]) =>
    sources.some((source) => source.includes(`"${specifier}"`) || source.includes(`"${specifier}/`))
  );
  return `${JSON.stringify({ name, version, license, exports, imports: Object.fromEntries(used) }, null, 2)}\n`;
}

async function paths(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...(await paths(`${folder}/${name}`)).map((path) => `${name}/${path}`));
    else found.push(name);
  }
  return found.sort();
}

export async function packScaffold(files: ScaffoldFiles): Promise<Uint8Array> {
  const stream = new Blob([JSON.stringify(files)]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * A new project's files: from a build's archive, or a checkout's sources.
 *
 * @throws {UsageError} if `root` has neither.
 */
export async function readScaffold(root: string): Promise<ScaffoldFiles> {
  try {
    const archive = await Deno.readFile(`${root}/${SCAFFOLD_ARCHIVE}`).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    });
    if (!archive) return await collectScaffold(root);
    return await new Response(new Blob([archive]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  } catch (cause) {
    throw new UsageError(
      `this program does not contain the files of a new transform: ${describeError(cause)}`,
      "use a released one, or run it from its repository",
      { cause },
    );
  }
}
