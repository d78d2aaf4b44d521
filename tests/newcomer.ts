import assert from "node:assert/strict";
import { Binary } from "./cli/binary.ts";
import type { Block } from "./guide_project.ts";
import { findProgram, runProgram } from "./outside_program.ts";

const ROOT = new URL("../", import.meta.url);
/** Path of kubectl, where this machine has one. */
export const KUBECTL: string | undefined = await findProgram("kubectl", [Deno.env.get("KUBEBUILDER_ASSETS")]);
/** Where this machine has the packages already. */
export const DENO_CACHE: string = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
/** Why tests that need it are ignored. */
export const WITHOUT_KUBECTL: string | undefined = KUBECTL
  ? undefined
  : "there is no kubectl in KUBEBUILDER_ASSETS or PATH";

/**
 * A person at a terminal who follows a page. The folder of the clone is beside them, and of Deno they have what `npx`
 * fetches. Code is looked up in the project; a block that follows one of the same file takes its place there.
 */
export class Newcomer implements AsyncDisposable {
  /** What a shell keeps from one block to the next: its folder, its variables and functions. */
  readonly #kept: string[] = [];
  readonly #shown = new Map<string, string>();
  #running: Binary | undefined;
  #printed = "";

  private constructor(readonly folder: string, readonly project: string) {}

  /** `project` is the folder that the page makes. */
  static async open(project: string): Promise<Newcomer> {
    const folder = await Deno.makeTempDir({ prefix: "pintle-newcomer-" }), bin = `${folder}/.bin`;
    await Deno.symlink(ROOT.pathname.replace(/\/$/, ""), `${folder}/pintle`);
    await Deno.mkdir(bin);
    const npx = `#!/bin/sh\n[ "$1 $2" = "--yes deno@2.9.6" ] || exit 2\nshift 2\nexec ${Deno.execPath()} "$@"\n`;
    await Deno.writeTextFile(`${bin}/npx`, npx, { mode: 0o755 });
    if (KUBECTL) await Deno.symlink(KUBECTL, `${bin}/kubectl`);
    return new Newcomer(folder, `${folder}/${project}`);
  }

  /** What this person's programs find around them: no Deno in PATH, and the packages that this machine has already. */
  get #env(): Record<string, string> {
    return { PATH: `${this.folder}/.bin:/usr/bin:/bin`, HOME: this.folder, DENO_DIR: DENO_CACHE, NO_COLOR: "1" };
  }

  /** Does what a block says. */
  async follow({ language, text }: Block): Promise<void> {
    if (language === "sh" && text.includes("dev:embedded")) await this.#start(text);
    else if (language === "sh") this.#printed = await this.#run(text);
    else if (language === "text") this.#compare(text);
    else await this.#edit(text);
  }

  /** A program that runs on while the next blocks are followed. */
  async #start(script: string): Promise<void> {
    const lines = [...this.#kept, `exec ${script.replace(/^deno /, "npx --yes deno@2.9.6 ")}`];
    this.#running = await Binary.start(["-ec", `cd "${this.folder}"\n${lines.join("\n")}`], {
      program: "/bin/sh",
      env: { ...this.#env, PINTLE_HTTP_PORT: "0" }, // tests run beside each other
      group: true,
    });
    await this.#running.until(/operator runs/);
    this.#printed = this.#running.out;
  }

  async #run(script: string): Promise<string> {
    const [, kubeconfig = "PATH"] = /kubeconfig=(\S+)/.exec(this.#running?.out ?? "") ?? [];
    const lines = script.replace("=PATH\n", `=${kubeconfig}\n`).trimEnd().split("\n");
    const { code, out, err } = await runProgram("/bin/sh", ["-ec", [...this.#kept, ...lines].join("\n")], {
      cwd: this.folder,
      clearEnv: true,
      env: this.#env,
      runMsMax: 600_000,
    });
    assert.equal(code, 0, `${script}${out}${err}`);
    this.#kept.push(...lines.filter((line) => /^(cd|export) |^\w+\(\) \{/.test(line)));
    return out;
  }

  /** Each line of the page is part of what the block before it printed. */
  #compare(text: string): void {
    const anyRun = (text: string) =>
      text.replaceAll(/kubeconfig=\S+/g, "kubeconfig=FILE").replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:0")
        .replaceAll(/^(\S+ +\S+ +)\d+s$/gm, "$10s");
    for (const line of anyRun(text).trimEnd().split("\n")) {
      assert.ok(anyRun(this.#printed).includes(line), `${line}\n--- was not printed:\n${this.#printed}`);
    }
  }

  async #edit(block: string): Promise<void> {
    const [, file, code] = /^\/\/ (\S+)\n([^]+)$/.exec(block) ?? assert.fail(`no file is named:\n${block}`);
    const path = `${this.project}/${file}`, source = await Deno.readTextFile(path);
    if (!source.includes(code!)) {
      const before = this.#shown.get(file!);
      assert.ok(before, `${file} has nothing like\n${code}`);
      await Deno.writeTextFile(path, source.replace(before, () => code!));
    }
    this.#shown.set(file!, code!);
  }

  /** Ctrl-C in the first terminal. */
  async interrupt(): Promise<void> {
    this.#running!.kill("SIGINT");
    const { code, err } = await this.#running!.ended(); // which waits until no process has its output open
    assert.ok(code === 0 || code === 130, `${code} ${err}`); // a task that was interrupted says so
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}
