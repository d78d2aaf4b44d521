/**
 * Bundles the program into a folder that runs anywhere Deno is: `main.js` with its chunks, the files that it reads at
 * run time (what `init` makes a project of, the manifests), and `build.json`, which says what was built. `compile` and
 * `package` start from it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { describeError, UsageError } from "../lib/base/mod.ts";
import { collectScaffold, packScaffold, SCAFFOLD_ARCHIVE } from "../lib/cli/scaffold.ts";

/** The project's folder. */
export const ROOT: string = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/** The bundle and what it carries; the runtime comes on top. */
const PAYLOAD_BYTES_MAX = 5_000_000;

/** Folders and files that the program reads at run time, by their path in the project. */
const CARRIED = ["LICENSE", "deploy"];

/** What was built. */
export interface Build {
  readonly version: string;
  /** Empty outside of a git checkout; ends in `-dirty` where something was not committed. */
  readonly commit: string;
  /** RFC 3339. */
  readonly date: string;
}

/** Where the bundle is, and what it is. */
export interface BuiltApp {
  readonly folder: string;
  readonly build: Build;
  /** Bytes of all its files. */
  readonly bytes: number;
}

/**
 * Builds `dist/app` again. Files that stay the same are not touched, and `main.js` comes last: whoever watches the
 * folder never sees half a program.
 *
 * @throws {Error} that quotes the bundler where it fails.
 */
export async function buildApp(): Promise<BuiltApp> {
  const folder = `${ROOT}/dist/app`, fresh = `${ROOT}/dist/.app`;
  await Deno.remove(fresh, { recursive: true }).catch(() => {});
  await Deno.mkdir(fresh, { recursive: true });
  await run(Deno.execPath(), [
    "bundle",
    "-q",
    "--minify",
    "--code-splitting", // a command loads its own chunks only: `run` does not hold the API server in memory
    "--outdir",
    fresh,
    "main.ts",
  ]);
  await hideChunks(fresh);
  for (const path of CARRIED) await copy(`${ROOT}/${path}`, `${fresh}/${path}`);
  await Deno.writeFile(`${fresh}/${SCAFFOLD_ARCHIVE}`, await packScaffold(await collectScaffold(ROOT)));
  const build = await describeBuild();
  await Deno.writeTextFile(`${fresh}/build.json`, `${JSON.stringify(build)}\n`);
  await mirror(fresh, folder);
  await Deno.remove(fresh, { recursive: true });
  return { folder, build, bytes: await sizeOf(folder) };
}

/**
 * Keeps the program small: what is embedded is read at each start, and downloaded by everybody.
 *
 * @throws {Error} where it has more bytes than it may.
 */
export function requireBudget(bytes: number): void {
  if (bytes <= PAYLOAD_BYTES_MAX) return;
  throw new Error(`the program has ${bytes} bytes, more than the ${PAYLOAD_BYTES_MAX} that it may have`);
}

/**
 * Makes every dynamic import one whose target Deno cannot tell before it runs. Deno parses whatever it can see being
 * imported, and keeps the memory: with the API server and client-node in sight `run` would hold 65 MB more on its first
 * start, and on every start where its cache cannot be written. Loading a chunk takes the permission to read it.
 *
 * @throws {Error} where there is none: then the bundler writes them in another way.
 */
export async function hideChunks(folder: string): Promise<void> {
  let hidden = 0;
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".js")) continue;
    const path = `${folder}/${name}`, text = await Deno.readTextFile(path);
    await Deno.writeTextFile(
      path,
      text.replaceAll(/\bimport\(("\.\/[^"]+\.js")\)/g, (_, chunk: string) => (hidden++, `import((0,${chunk}))`)),
    );
  }
  if (hidden === 0) throw new Error(`the bundle in ${folder} loads no chunk in a way that is known here`);
}

/**
 * The version of deno.json and the commit of the checkout, or `REVISION` where an image is built and git is not there.
 * `SOURCE_DATE_EPOCH` makes builds repeatable.
 */
async function describeBuild(): Promise<Build> {
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`)) as { version: string };
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH");
  const date = new Date(epoch ? Number(epoch) * 1_000 : Date.now()).toISOString();
  const head = await run("git", ["rev-parse", "--short=12", "HEAD"]).catch(() => "");
  const changed = head && await run("git", ["status", "--porcelain", "--untracked-files=no"]).catch(() => "");
  const commit = head ? `${head}${changed ? "-dirty" : ""}` : (Deno.env.get("REVISION") ?? "").slice(0, 12);
  return { version, commit, date };
}

/** What a program prints. @throws {Error} that quotes what it says where it fails. */
export async function run(program: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, cwd: ROOT, stdin: "null" }).output();
  const decoder = new TextDecoder();
  if (code !== 0) throw new Error(`${program} ${args[0]} exited with ${code}:\n${decoder.decode(stderr)}`);
  return decoder.decode(stdout).trim();
}

async function copy(from: string, to: string): Promise<void> {
  const info = await Deno.stat(from).catch(() => undefined);
  if (!info) return;
  if (!info.isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}

/** Makes `to` what `from` is: new files first, `main.js` after them, then what is no longer wanted goes. */
async function mirror(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  const wanted = await Array.fromAsync(Deno.readDir(from));
  for (
    const { name, isDirectory } of wanted.sort((a, b) => Number(a.name === "main.js") - Number(b.name === "main.js"))
  ) {
    if (isDirectory) await mirror(`${from}/${name}`, `${to}/${name}`);
    else if (!await sameContent(`${from}/${name}`, `${to}/${name}`)) {
      await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
    }
  }
  const names = new Set(wanted.map(({ name }) => name));
  for await (const { name } of Deno.readDir(to)) {
    if (!names.has(name)) await Deno.remove(`${to}/${name}`, { recursive: true });
  }
}

async function sameContent(left: string, right: string): Promise<boolean> {
  const [one, other] = await Promise.all([left, right].map((path) => Deno.readFile(path).catch(() => undefined)));
  return one !== undefined && other !== undefined && Buffer.from(one).equals(other);
}

async function sizeOf(path: string): Promise<number> {
  const info = await Deno.stat(path);
  if (!info.isDirectory) return info.size;
  let bytes = 0;
  for await (const { name } of Deno.readDir(path)) bytes += await sizeOf(`${path}/${name}`);
  return bytes;
}

/**
 * Runs a build step as a program: its failure is one line, or with the bundler's own words several, and exit code 1.
 */
export async function runBuildStep(name: string, step: () => Promise<string>): Promise<void> {
  try {
    const done = await step();
    await Deno.stdout.write(new TextEncoder().encode(`${done}\n`));
  } catch (error) {
    const hint = error instanceof UsageError && error.hint ? `\n  fix: ${error.hint}` : "";
    await Deno.stderr.write(new TextEncoder().encode(`${name}: ${describeError(error)}${hint}\n`));
    Deno.exitCode = 1;
  }
}
