import assert from "node:assert/strict";

const HOLDER = new URL("folder_holder.ts", import.meta.url).pathname;

/** A process that holds a temporary folder. */
class Holder {
  readonly child: Deno.ChildProcess;

  private constructor(parent: string, permissions: readonly string[]) {
    this.child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", ...permissions, HOLDER],
      env: { TMPDIR: parent },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
  }

  path = "";

  static async start(parent: string, permissions = ["-A"]): Promise<Holder> {
    const holder = new Holder(parent, permissions);
    for await (const text of holder.child.stdout.pipeThrough(new TextDecoderStream())) {
      holder.path += text;
      if (text.includes("\n")) break;
    }
    holder.path = holder.path.trim();
    return holder;
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.status;
    await this.child.stdin.close().catch(() => {});
  }

  async end(): Promise<void> {
    await this.child.stdin.close();
    assert.equal((await this.child.status).code, 0);
  }
}

async function names(parent: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(parent))).map(({ name }) => `${parent}/${name}`).sort();
}

// FR-486
Deno.test("the next process removes the temporary folder of one that SIGKILL ended, and of no other", async () => {
  const parent = await Deno.makeTempDir();
  try {
    const alive = await Holder.start(parent), killed = await Holder.start(parent);
    await killed.kill();
    assert.deepEqual(await names(parent), [alive.path, killed.path].sort());
    // What others leave there: a folder of another name, a link and a file of such a name.
    await Deno.mkdir(`${parent}/pintle-held-1`);
    await Deno.mkdir(`${parent}/target`);
    await Deno.writeTextFile(`${parent}/pintle-file-locked`, "");
    await Deno.symlink(`${parent}/target`, `${parent}/pintle-link-locked`);
    const others = (await names(parent)).filter((path) => path !== killed.path);
    const next = await Holder.start(parent);
    assert.deepEqual(await names(parent), [...others, next.path].sort());
    assert.equal((await Deno.stat(next.path)).mode! & 0o777, 0o700);
    for (const holder of [alive, next]) await holder.end();
    assert.deepEqual(await names(parent), others.filter((path) => path !== alive.path));
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});

// FR-486
Deno.test("the folder of a process that may not read, and so holds no lock, is left alone", async () => {
  const parent = await Deno.makeTempDir();
  try {
    const blind = await Holder.start(parent, ["--allow-write", "--allow-env"]), next = await Holder.start(parent);
    assert.deepEqual(await names(parent), [blind.path, next.path].sort());
    for (const holder of [blind, next]) await holder.end();
    assert.deepEqual(await names(parent), []);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});
