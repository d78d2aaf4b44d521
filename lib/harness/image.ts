import { UsageError } from "../base/mod.ts";
import { runCommand } from "./command.ts";
import type { ContainerRuntime } from "./container_runtime.ts";
import { TemporaryFolder } from "./temporary_folder.ts";

/** Parts of an image. */
export interface ImageOptions {
  /** Name and tag. */
  readonly image: string;
  /** Folder of the bundle: `main.js` and what it reads. */
  readonly app: string;
  /** The running Deno or compiled binary. */
  readonly executable: string;
  /** Cancels the build. */
  readonly signal?: AbortSignal;
}

/** In a pod the program neither writes files nor starts programs. */
const RUN_FLAGS = ["-q", "--no-prompt", "--no-config", "--no-lock", "--allow-env", "--allow-net", "--allow-read"];
const USER = "65532:65532";

/**
 * Builds an image of the running program from this machine's files: runtime, linked libraries, bundle. For clusters of
 * this machine; the Dockerfile builds released images.
 *
 * @throws {UsageError} on systems other than Linux, or without a bundle.
 */
export async function buildLocalImage(runtime: ContainerRuntime, options: ImageOptions): Promise<void> {
  const { image, app, executable, signal } = options;
  if (Deno.build.os !== "linux") {
    throw new UsageError(
      `an image of this program can be built on Linux only, not on ${Deno.build.os}`,
      "name one with --image",
    );
  }
  await using context = TemporaryFolder.make("image");
  await context.filled("the image's files", async (path) => {
    const root = `${path}/root`;
    for (const library of await librariesOf(executable, signal)) await place(library, `${root}${library}`);
    await place(executable, `${root}/app/deno`);
    await copyFolder(app, `${root}/app`);
    const entry = Deno.build.standalone ? ["/app/deno"] : ["/app/deno", "run", ...RUN_FLAGS, "/app/main.js"];
    const lines = ["FROM scratch", "COPY root/ /", `USER ${USER}`, `ENTRYPOINT ${JSON.stringify(entry)}`];
    await Deno.writeTextFile(`${path}/Dockerfile`, `${lines.join("\n")}\n`);
  });
  await runtime.build(image, context.path, signal);
}

/** Absolute paths of shared libraries and loader, as the system resolves them. */
async function librariesOf(executable: string, signal: AbortSignal | undefined): Promise<string[]> {
  const listed = await runCommand("ldd", [executable], { signal });
  return [...listed.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path!);
}

async function place(from: string, to: string): Promise<void> {
  await Deno.mkdir(to.slice(0, to.lastIndexOf("/")), { recursive: true });
  await Deno.copyFile(await Deno.realPath(from), to);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    if (entry.isDirectory) await copyFolder(`${from}/${entry.name}`, `${to}/${entry.name}`);
    else await Deno.copyFile(`${from}/${entry.name}`, `${to}/${entry.name}`);
  }
}
