/**
 * `deno task package`: one executable file, made without any download, of the Deno that runs this task and the bundled program.
 * It unpacks itself once into a cache folder; tools/launcher.sh says how, and which folders it trusts.
 *
 * @module
 */
import { UsageError } from "../lib/base/mod.ts";
import { buildApp, runBuildStep } from "./build_app.ts";
import { PERMISSIONS } from "./permissions.ts";

const ROOT = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
/** The bundle and what it carries; the runtime comes on top. */
const PAYLOAD_BYTES_MAX = 5_000_000;

await runBuildStep("package", async () => {
  if (Deno.build.os === "windows") throw new UsageError("the launcher is a shell script", "take `deno task compile`");
  const { folder, build, bytes } = await buildApp();
  if (bytes > PAYLOAD_BYTES_MAX) {
    throw new Error(`the program has ${bytes} bytes, more than the ${PAYLOAD_BYTES_MAX} that it may have`);
  }
  const payload = await pack(folder);
  const launcher = await launcherFor(build.version, payload.digest);
  const path = `${ROOT}/dist/pintle`;
  // Written beside and renamed: a file that is being run must not be written into.
  await Deno.writeFile(`${path}.new`, concat(new TextEncoder().encode(launcher), payload.archive), { mode: 0o755 });
  await Deno.rename(`${path}.new`, path);
  const size = (await Deno.stat(path)).size;
  return `dist/pintle ${build.version} ${build.commit}: ${megabytes(size)} MB, of which the program ${
    megabytes(bytes)
  } MB`;
});

/** A gzip-compressed tar archive of the runtime and the program. */
async function pack(app: string): Promise<{ archive: Uint8Array; digest: string }> {
  const stage = await Deno.makeTempDir({ prefix: "pintle-package-" });
  try {
    await Deno.copyFile(Deno.execPath(), `${stage}/deno`);
    await Deno.chmod(`${stage}/deno`, 0o755);
    await Deno.symlink(app, `${stage}/app`);
    const tar = new Deno.Command("tar", { args: ["-chzf", "-", "-C", stage, "deno", "app"], stdout: "piped" });
    const { code, stdout } = await tar.output();
    if (code !== 0) throw new Error(`tar exited with ${code}`);
    return { archive: stdout, digest: new Uint8Array(await crypto.subtle.digest("SHA-256", stdout)).toHex() };
  } finally {
    await Deno.remove(stage, { recursive: true });
  }
}

async function launcherFor(version: string, digest: string): Promise<string> {
  const template = await Deno.readTextFile(new URL("./launcher.sh", import.meta.url));
  const values: Record<string, string> = {
    NAME: "pintle",
    VERSION: version,
    DIGEST: digest,
    LINES: `${template.split("\n").length}`, // the template ends in a line break: the payload begins on the next line
    DENO_BYTES: `${(await Deno.stat(Deno.execPath())).size}`,
    PERMISSIONS: PERMISSIONS.join(" "),
  };
  return template.replaceAll(/@([A-Z_]+)@/g, (_, name: string) => values[name]!);
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
