import { shellWord } from "./shell_word.ts";

interface ProgramStart {
  readonly program: string;
  readonly mainModule: string;
  /** Path of a compiled program; absent if Deno runs modules. */
  readonly executable?: string;
  /** The current folder; absent if unreadable. */
  readonly folder?: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The command that runs this program again from the current folder, for advice such as `COMMAND install`. Examples are
 * `deno run -A main.ts` from sources, and `./shop` for a compiled program outside `PATH`.
 *
 * A bundle gets the program's name, which is its launcher's; so does a pod, whose log is read elsewhere.
 */
export function typedCommand({ program, mainModule, executable, folder, env }: ProgramStart): string {
  if (env.KUBERNETES_SERVICE_HOST) return program;
  if (executable !== undefined) {
    const name = executable.split("/").at(-1)!, onPath = (env.PATH ?? "").split(":").map((each) => `${each}/${name}`);
    if (onPath.includes(executable)) return shellWord(name);
    const path = fromFolder(executable, folder);
    return shellWord(path.includes("/") ? path : `./${path}`);
  }
  const isFile = mainModule.startsWith("file:");
  if (isFile && mainModule.endsWith("/main.js")) return program;
  const module = isFile ? fromFolder(decodeURIComponent(new URL(mainModule).pathname), folder) : mainModule;
  return `deno run -A ${shellWord(module)}`;
}

/** Asks for no permission. */
export function programStart(program: string, env: Readonly<Record<string, string>>): ProgramStart {
  const mayRead = Deno.permissions.querySync({ name: "read", path: "." }).state === "granted";
  return {
    program,
    mainModule: Deno.mainModule ?? location.href, // a worker has only the second
    executable: Deno.build.standalone ? Deno.execPath() : undefined,
    folder: mayRead ? Deno.cwd() : undefined,
    env,
  };
}

function fromFolder(path: string, folder: string | undefined): string {
  return folder !== undefined && path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
}
