import { packSelfUnpacking } from "../../tools/self_unpacking.ts";

/** What stands in for Deno: says how it was started, and does what its first argument asks for. */
const RUNTIME = `#!/bin/sh
flags=
while :; do case $1 in *main.js) break ;; *) flags="$flags $1"; shift ;; esac; done
main=$1; shift
case \${1:-} in
  flags) echo "\${flags# }"; cat "$main" ;;
  arguments) shift; for each in "$@"; do echo "<$each>"; done ;;
  exit) exit "$2" ;;
  input) cat ;;
  umask) umask ;;
  variables) echo "\${DENO_DIR#"$HOME"} \${PINTLE_CACHE_HOME-unset} \${OTHER-unset}" ;;
  folder) echo "\${main%/*/*/*}" ;;
  wait) echo "$$"; exec sleep 600 ;;
esac
`;

/** The user that runs programs where tests may choose: root may write anywhere, and would show nothing. */
export const SOMEBODY = 65_534;
export const isRoot = Deno.uid() === 0;

/** How a packaged file is run. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Starts the file; the kernel does where absent. */
  readonly through?: readonly string[];
  readonly path?: string;
  readonly stdin?: string;
  readonly cwd?: string;
}

/** A small packaged file in a folder of its own, and a home of the user that runs it. */
export class Packaged implements AsyncDisposable {
  readonly file: string;
  readonly home: string;

  private constructor(readonly folder: string) {
    this.file = `${folder}/bin of somebody/tool`;
    this.home = `${folder}/home of somebody`;
  }

  /** Packs the stand-in; `more` stands at its end. */
  static async make({ more = "" }: { readonly more?: string } = {}): Promise<Packaged> {
    const packaged = new Packaged(await Deno.makeTempDir({ prefix: "pintle-packaged-" })), { folder } = packaged;
    await Deno.chmod(folder, 0o755);
    for (const path of ["app/lib/deep", "bin of somebody", "home of somebody"]) {
      await Deno.mkdir(`${folder}/${path}`, { recursive: true });
    }
    await Deno.writeTextFile(`${folder}/app/main.js`, "the program\n");
    await Deno.writeTextFile(`${folder}/app/lib/deep/a file.ts`, "a part of it\n");
    await Deno.writeTextFile(`${folder}/runtime`, RUNTIME + more);
    await packSelfUnpacking({
      name: "tool",
      version: "1.2.3",
      runtime: `${folder}/runtime`,
      app: `${folder}/app`,
      permissions: ["--allow-net", "--allow-read"],
      output: packaged.file,
    });
    await packaged.own(packaged.home);
    return packaged;
  }

  /** Gives a file or folder to the user that runs the program. */
  async own(path: string): Promise<void> {
    if (isRoot) await Deno.chown(path, SOMEBODY, SOMEBODY);
  }

  /** The folder that the file unpacks into by default. */
  get cache(): string {
    return `${this.home}/.cache/tool`;
  }

  /** Makes a folder of the user that runs the program. */
  async mkdir(path: string, mode = 0o700): Promise<string> {
    await Deno.mkdir(path, { recursive: true });
    await Deno.chmod(path, mode);
    await this.own(path);
    return path;
  }

  /** Starts the file. */
  spawn(args: readonly string[], options: RunOptions = {}): Deno.ChildProcess {
    const { env = {}, through = [], path = this.file, stdin, cwd = "/" } = options;
    const [command, ...line] = [...through, path, ...args];
    return new Deno.Command(command!, {
      args: line,
      cwd,
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin", HOME: this.home, ...env },
      ...(isRoot ? { uid: SOMEBODY, gid: SOMEBODY } : {}),
      stdin: stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Runs the file to its end. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<{ code: number; out: string; err: string }> {
    const child = this.spawn(args, options);
    if (options.stdin !== undefined) await new Response(options.stdin).body!.pipeTo(child.stdin);
    const { code, stdout, stderr } = await child.output(), decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  }

  /** Everything in a folder, by path. */
  async list(folder: string): Promise<string[]> {
    const found: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      found.push(name);
      if (isDirectory) found.push(...(await this.list(`${folder}/${name}`)).map((each) => `${name}/${each}`));
    }
    return found.sort();
  }

  /** The only version in the cache: fails where there is anything else beside it. */
  async version(cache = this.cache): Promise<string> {
    const [name, ...others] = (await Array.fromAsync(Deno.readDir(cache))).map((entry) => entry.name);
    if (!name || others.length > 0 || !/^[0-9a-f]{64}$/.test(name)) {
      throw new Error(`the cache has ${[name, ...others].join(", ")}`);
    }
    return `${cache}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}
