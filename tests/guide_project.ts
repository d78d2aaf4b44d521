import assert from "node:assert/strict";
import project from "../deno.json" with { type: "json" };
import { type Ended, runProgram } from "./outside_program.ts";

const ROOT = new URL("../", import.meta.url);

/** A guide's blocks of code: those that begin with a file's name are a project, which stands in a folder of its own. */
export class GuideProject implements AsyncDisposable {
  private constructor(readonly folder: string, readonly text: string, readonly files: readonly string[]) {}

  /** Writes the files of a guide, with an import map that has the library where the registry would have it. */
  static async open(guide: string): Promise<GuideProject> {
    const text = await Deno.readTextFile(new URL(guide, ROOT)),
      folder = await Deno.makeTempDir({ prefix: "pintle-guide-" });
    const files: string[] = [];
    for (const block of blocksOf(text, "ts")) {
      const [, path] = /^\/\/ (\S+\.ts)\n/.exec(block) ?? assert.fail(`a block of ${guide} names no file:\n${block}`);
      assert.ok(!files.includes(path!), `${guide} has ${path} twice`);
      files.push(path!);
      const target = `${folder}/${path}`;
      await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(target, block);
    }
    const { imports, test, compilerOptions, fmt: { lineWidth }, exports } = project;
    const library = Object.entries(exports).map(([name, path]) => [
      `@pintle/pintle${name.slice(1)}`,
      new URL(path, ROOT).href,
    ]);
    const config = {
      imports: { ...imports, ...Object.fromEntries(library) },
      test,
      compilerOptions,
      fmt: { lineWidth },
      lock: false,
    };
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config, null, 2) + "\n");
    return new GuideProject(folder, text, files);
  }

  /** Blocks of another language. */
  blocks(language: string): string[] {
    return blocksOf(this.text, language);
  }

  /** The commands of its shell blocks, without their comments. */
  get commands(): string[] {
    return this.blocks("sh").flatMap((block) => block.split("\n")).map((line) => line.replace(/\s+#.*$/, "").trim())
      .filter(Boolean);
  }

  /**
   * Runs a command of the guide with nothing of this process's environment but what finds programs; it must begin with
   * `deno`.
   */
  run(command: string): Promise<Ended> {
    const [program, ...args] = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!);
    assert.equal(program, "deno", command);
    const home = Deno.env.get("HOME") ?? "", DENO_DIR = Deno.env.get("DENO_DIR") ?? `${home}/.cache/deno`;
    const env = { NO_COLOR: "1", HOME: home, PATH: Deno.env.get("PATH") ?? "", DENO_DIR };
    return runProgram(Deno.execPath(), args, { cwd: this.folder, clearEnv: true, env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

function blocksOf(text: string, language: string): string[] {
  return blocksIn(text).filter((block) => block.language === language).map(({ text }) => text);
}

/** A block of a page between its fences. */
export interface Block {
  readonly language: string;
  readonly text: string;
}

/** Every block of a page, in its order. */
export function blocksIn(page: string): Block[] {
  return [...page.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language, text]) => ({
    language: language!,
    text: text!,
  }));
}
