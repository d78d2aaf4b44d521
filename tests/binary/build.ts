import { type Ended, findProgram, runProgram } from "../outside_program.ts";

/** The project's folder. */
export const ROOT = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");

/** The packaged program, that `deno task test:binary` makes before it runs these tests. */
export const PACKAGED = `${ROOT}/dist/pintle`;

/** A copy of the project, to break. */
export class Checkout implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  /** Copies what is needed to build. */
  static async copy(): Promise<Checkout> {
    const folder = await Deno.makeTempDir({ prefix: "pintle-checkout-" });
    await Deno.mkdir(`${folder}/tests`);
    const parts = ["deno.json", "deno.lock", "main.ts", "lib", "tools", "templates", "deploy", "LICENSE"];
    await runProgram("cp", ["-r", ...parts.map((part) => `${ROOT}/${part}`), folder]);
    await runProgram("cp", ["-r", `${ROOT}/tests/replicator`, `${folder}/tests`]);
    return new Checkout(folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Runs a tool of the project, or of a copy of it. */
export async function runTool(
  name: string,
  args: readonly string[],
  { folder = ROOT, env = {} }: { folder?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const { DENORT_BIN: _, ...own } = Deno.env.toObject();
  return await runProgram(Deno.execPath(), ["run", "-q", "-A", `${folder}/tools/${name}.ts`, ...args], {
    clearEnv: true,
    env: { ...own, NO_COLOR: "1", ...env },
    cwd: folder,
  });
}

/**
 * The program by `deno compile`, where its runtime is there or can be downloaded; otherwise why not. It is made in
 * `folder`.
 */
export async function compiled(folder: string): Promise<{ path: string; missing?: string }> {
  const path = `${folder}/pintle`, denort = Deno.env.get("DENORT_BIN");
  const { code, err } = await runTool("compile", ["--output", path], { env: denort ? { DENORT_BIN: denort } : {} });
  if (code === 0) return { path };
  if (!err.includes("cannot be downloaded")) throw new Error(err);
  return { path, missing: "its runtime cannot be downloaded here" };
}

/** A folder of links to every program of PATH but some. */
export async function pathWithout(folder: string, names: readonly string[]): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  for (
    const name of [
      "sh",
      "ls",
      "id",
      "mkdir",
      "find",
      "wc",
      "tar",
      "gzip",
      "tail",
      "cut",
      "sha256sum",
      "mktemp",
      "rm",
      "mv",
    ]
  ) {
    const path = names.includes(name) ? undefined : await findProgram(name);
    if (path) await Deno.symlink(path, `${folder}/${name}`);
  }
  return folder;
}
