/** What one executable file is made of. */
export interface SelfUnpacking {
  /** Of the program: names its cache folder and begins its messages. */
  readonly name: string;
  readonly version: string;
  /** The runtime's file; it is started as Deno is. */
  readonly runtime: string;
  /** The folder of the program: `main.js` and what it reads. */
  readonly app: string;
  /** What Deno lets the program do. */
  readonly permissions: readonly string[];
  /** The file to make, replaced where it is there. */
  readonly output: string;
}

/**
 * Packs a runtime and a program into one file that unpacks itself once and runs: tools/launcher.sh says how, and which
 * folders it trusts. Downloads nothing.
 *
 * @returns its size in bytes.
 */
export async function packSelfUnpacking(made: SelfUnpacking): Promise<number> {
  const payload = await pack(made);
  const launcher = await launcherFor(made, payload);
  const { output } = made;
  // Written beside and renamed: a file that is being run must not be written into.
  await Deno.writeFile(`${output}.new`, concat(new TextEncoder().encode(launcher), payload.archive), { mode: 0o755 });
  await Deno.rename(`${output}.new`, output);
  return (await Deno.stat(output)).size;
}

interface Payload {
  readonly archive: Uint8Array;
  /** SHA-256 of the archive. */
  readonly digest: string;
  /** What the launcher's `content_of` says of the unpacked archive. */
  readonly content: string;
}

/** A gzip-compressed tar archive of the runtime and the program. */
async function pack({ runtime, app }: SelfUnpacking): Promise<Payload> {
  const stage = await Deno.makeTempDir({ prefix: "pintle-package-" });
  try {
    await Deno.copyFile(runtime, `${stage}/deno`);
    await Deno.chmod(`${stage}/deno`, 0o755);
    await Deno.symlink(await Deno.realPath(app), `${stage}/app`);
    const tar = new Deno.Command("tar", { args: ["-chzf", "-", "-C", stage, "deno", "app"], stdout: "piped" });
    const { code, stdout } = await tar.output();
    if (code !== 0) throw new Error(`tar exited with ${code}`);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", stdout)).toHex();
    return { archive: stdout, digest, content: await contentOf(stage) };
  } finally {
    await Deno.remove(stage, { recursive: true });
  }
}

/** The sum of an unpacked archive, by the launcher's own function. */
async function contentOf(folder: string): Promise<string> {
  const [sum] = /^content_of\(\) \{\n[^]*?^\}$/m.exec(await launcherTemplate())!;
  const runtimeBytes = (await Deno.stat(`${folder}/deno`)).size;
  const script = `runtime_bytes=${runtimeBytes}\n${sum}\ncontent_of "$1"`;
  const { code, stdout } = await new Deno.Command("sh", { args: ["-c", script, "sh", folder] }).output();
  if (code !== 0) throw new Error(`cksum exited with ${code}`);
  return new TextDecoder().decode(stdout).trim();
}

function launcherTemplate(): Promise<string> {
  return Deno.readTextFile(new URL("./launcher.sh", import.meta.url));
}

async function launcherFor({ name, version, runtime, permissions }: SelfUnpacking, { digest, content }: Payload) {
  const template = await launcherTemplate();
  const values: Record<string, string> = {
    NAME: name,
    VERSION: version,
    DIGEST: digest,
    LINES: `${template.split("\n").length}`, // the template ends in a line break: the payload begins on the next line
    RUNTIME_BYTES: `${(await Deno.stat(runtime)).size}`,
    CONTENT: content,
    PERMISSIONS: permissions.join(" "),
  };
  return template.replaceAll(/@([A-Z_]+)@/g, (_, word: string) => values[word]!);
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
