import assert from "node:assert/strict";
import { findProgram, testWith } from "../outside_program.ts";
import { isRoot, Packaged, type RunOptions } from "./packaged.ts";

const rootOnly = isRoot ? undefined : "only root gives files away and mounts";

/** Where the program was started from, as it says itself. */
async function startedFrom(packaged: Packaged, options: RunOptions = {}): Promise<string> {
  const { code, out, err } = await packaged.run(["folder"], options);
  assert.deepEqual([code, err], [0, ""]);
  return out.trim();
}

/** A folder for temporary files of every user, like /tmp. */
async function temporary(packaged: Packaged): Promise<{ TMPDIR: string }> {
  const TMPDIR = `${packaged.folder}/tmp`;
  await Deno.mkdir(TMPDIR, { recursive: true });
  await Deno.chmod(TMPDIR, 0o1777);
  return { TMPDIR };
}

Deno.test("it unpacks into the requested cache folder, else XDG's, else home's, closed to others", async () => {
  await using packaged = await Packaged.make();
  const mine = await packaged.mkdir(`${packaged.folder}/my cache`),
    xdg = await packaged.mkdir(`${packaged.folder}/xdg`);
  assert.equal(
    await startedFrom(packaged, { env: { PINTLE_CACHE_HOME: mine, XDG_CACHE_HOME: xdg } }),
    `${mine}/tool`,
  );
  assert.equal(await startedFrom(packaged, { env: { XDG_CACHE_HOME: xdg } }), `${xdg}/tool`);
  assert.equal(await startedFrom(packaged, { env: { XDG_CACHE_HOME: "relative" } }), packaged.cache);
  for (const path of [packaged.cache, await packaged.version(), `${await packaged.version()}/app`]) {
    assert.equal((await Deno.stat(path)).mode! & 0o077, 0, path);
  }
});

// FR-204
Deno.test("without a home that it can write, it unpacks into a temporary folder of this user alone", async () => {
  await using packaged = await Packaged.make();
  const { TMPDIR } = await temporary(packaged), own = `${TMPDIR}/tool-${isRoot ? 65_534 : Deno.uid()}`;
  await Deno.chmod(packaged.home, 0o500);
  assert.equal(await startedFrom(packaged, { env: { TMPDIR } }), own, "a home that cannot be written");
  assert.equal(await startedFrom(packaged, { env: { TMPDIR, HOME: "" } }), own, "an empty HOME");
  const unset = ["env", "-u", "HOME"];
  assert.equal(await startedFrom(packaged, { env: { TMPDIR }, through: unset }), own, "no HOME");
  await packaged.version(own);
  await Deno.chmod(packaged.home, 0o700);
});

/** Ways in which a cache folder is not this user's alone. */
const HOSTILE: Record<string, { act: (packaged: Packaged) => Promise<unknown>; root?: true }> = {
  "a link": {
    act: async (packaged) => {
      await packaged.mkdir(`${packaged.folder}/elsewhere`);
      await Deno.symlink(`${packaged.folder}/elsewhere`, packaged.cache);
    },
  },
  "a link to nothing": { act: (packaged) => Deno.symlink(`${packaged.folder}/nothing`, packaged.cache) },
  "a file": { act: (packaged) => Deno.writeTextFile(packaged.cache, "") },
  "open to its group": { act: (packaged) => packaged.mkdir(packaged.cache, 0o770) },
  "readable for everybody": { act: (packaged) => packaged.mkdir(packaged.cache, 0o755) },
  "writable for everybody": { act: (packaged) => packaged.mkdir(packaged.cache, 0o777) },
  "in a folder that everybody may write": {
    act: async (packaged) => {
      await packaged.mkdir(packaged.cache);
      await Deno.chmod(`${packaged.home}/.cache`, 0o777);
    },
  },
  "another user's": {
    root: true,
    act: async (packaged) => {
      await Deno.mkdir(packaged.cache, { mode: 0o700 });
      await Deno.chown(packaged.cache, 12_345, 12_345);
    },
  },
  "in another user's folder": {
    root: true,
    act: async (packaged) => {
      await packaged.mkdir(packaged.cache);
      await Deno.chown(`${packaged.home}/.cache`, 12_345, 12_345);
    },
  },
};

for (const [what, { act, root }] of Object.entries(HOSTILE)) {
  testWith(
    root && rootOnly,
    // FR-203
    `a cache folder that is ${what} is not used: another one is, and nothing is put there`,
    async () => {
      await using packaged = await Packaged.make();
      const { TMPDIR } = await temporary(packaged);
      // What a stranger has prepared: a version of the right name, with a program of their own.
      const digest = /digest=([0-9a-f]+)/.exec(await Deno.readTextFile(packaged.file))![1]!;
      await packaged.mkdir(`${packaged.home}/.cache`);
      await act(packaged);
      const inside = await Deno.stat(packaged.cache).then(({ isDirectory }) => isDirectory, () => false);
      if (inside) {
        await Deno.mkdir(`${packaged.cache}/${digest}/app`, { recursive: true });
        await Deno.writeTextFile(`${packaged.cache}/${digest}/deno`, "#!/bin/sh\necho hostile\n", { mode: 0o755 });
      }
      const before = inside ? await packaged.list(packaged.cache) : [];
      assert.match(await startedFrom(packaged, { env: { TMPDIR } }), new RegExp(`^${TMPDIR}/tool-\\d+$`));
      if (inside) assert.deepEqual(await packaged.list(packaged.cache), before);
    },
  );
}

// FR-203
Deno.test("where a stranger took the temporary folder too, it refuses and names the way out", async () => {
  await using packaged = await Packaged.make();
  const { TMPDIR } = await temporary(packaged);
  await Deno.chmod(packaged.home, 0o500);
  await packaged.mkdir(`${TMPDIR}/tool-${isRoot ? 65_534 : Deno.uid()}`, 0o777);
  const { code, out, err } = await packaged.run(["folder"], { env: { TMPDIR } });
  assert.deepEqual([code, out], [1, ""]);
  assert.equal(
    err,
    `tool: no folder to unpack into is yours alone: ${packaged.home}/.cache and ${TMPDIR} cannot be used\n` +
      "  fix: set PINTLE_CACHE_HOME to a folder that you own, mode 700\n",
  );
  await Deno.chmod(packaged.home, 0o700);
});

// FR-203
Deno.test("a requested cache folder that cannot be used is refused, not replaced by another", async () => {
  await using packaged = await Packaged.make();
  await packaged.mkdir(`${packaged.folder}/open/tool`, 0o777);
  for (const PINTLE_CACHE_HOME of [`${packaged.folder}/open`, "relative", "/proc/nowhere", packaged.file]) {
    const { code, out, err } = await packaged.run(["folder"], { env: { PINTLE_CACHE_HOME } });
    assert.deepEqual([code, out], [1, ""]);
    assert.match(
      err,
      /^tool: PINTLE_CACHE_HOME=.* cannot be used: .*\n {2}fix: name a folder that you own, mode 700\n$/,
    );
  }
  await assert.rejects(Deno.stat(packaged.cache), Deno.errors.NotFound);
});

// FR-204
Deno.test("a file-size limit, as a full disk, is one line and a fix, and leaves nothing half-made", async () => {
  await using packaged = await Packaged.make();
  const { code, out, err } = await packaged.run(["folder"], { through: ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh"] });
  assert.deepEqual([code, out], [1, ""]);
  assert.equal(
    err,
    `tool: cannot unpack into ${packaged.cache}: is the disk full?\n  fix: free some disk space: 150 MB are needed\n`,
  );
  assert.deepEqual(await packaged.list(packaged.cache), []);
  assert.equal(await startedFrom(packaged), packaged.cache);
});

/** Mounts a small file system of its own for the cache. */
async function mounted(packaged: Packaged, options: string, use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await packaged.mkdir(`${packaged.folder}/mounted`);
  const run = async (...line: string[]) => {
    const { success, stderr } = await new Deno.Command(line[0]!, { args: line.slice(1) }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  };
  await run("mount", "-t", "tmpfs", "-o", `${options},mode=700,uid=65534,gid=65534`, "tmpfs", folder);
  try {
    await use(folder);
  } finally {
    await run("umount", folder);
  }
}

const mayMount = async () => {
  if (rootOnly) return rootOnly;
  const { success } = await new Deno.Command("unshare", { args: ["-m", "true"], stderr: "null" }).output();
  return success ? undefined : "nothing can be mounted here";
};

// FR-204
testWith(await mayMount(), "a full disk is one line and a fix, and leaves nothing half-made", async () => {
  await using packaged = await Packaged.make();
  await mounted(packaged, "size=8k", async (folder) => {
    await Deno.writeFile(`${folder}/much`, new Uint8Array(4_096));
    const { code, out, err } = await packaged.run(["folder"], { env: { PINTLE_CACHE_HOME: folder } });
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /^tool: cannot unpack into .*: is the disk full\?\n {2}fix: free some disk space.*\n$/);
    assert.deepEqual(await packaged.list(folder), ["much", "tool"]);
  });
});

// FR-204
testWith(await mayMount(), "a file system that runs no programs is named", async () => {
  await using packaged = await Packaged.make();
  await mounted(packaged, "noexec", async (folder) => {
    const { code, err } = await packaged.run(["folder"], { env: { PINTLE_CACHE_HOME: folder } });
    assert.equal(code, 1);
    assert.match(err, /^tool: programs cannot be run from .*\n {2}fix: set PINTLE_CACHE_HOME .* noexec\n$/);
  });
});

// FR-201
testWith(await mayMount(), "a complete cache on a file system that cannot be written is used", async () => {
  await using packaged = await Packaged.make();
  await mounted(packaged, "size=1m", async (folder) => {
    const env = { PINTLE_CACHE_HOME: folder };
    assert.equal(await startedFrom(packaged, { env }), `${folder}/tool`);
    assert.ok((await new Deno.Command("mount", { args: ["-o", "remount,ro", folder] }).output()).success);
    assert.equal(await startedFrom(packaged, { env }), `${folder}/tool`);
  });
});

// FR-201
Deno.test("a complete cache whose folder lost its write permission is used", async () => {
  await using packaged = await Packaged.make();
  await startedFrom(packaged);
  await Deno.chmod(packaged.cache, 0o500);
  assert.equal(await startedFrom(packaged), packaged.cache);
  await Deno.chmod(packaged.cache, 0o700);
});

// FR-204
Deno.test("without the programs that unpack, it names the one that is missing", async () => {
  await using packaged = await Packaged.make();
  const bin = await packaged.mkdir(`${packaged.folder}/few`, 0o755);
  for (const name of ["sh", "ls", "id", "mkdir", "find", "wc", "tar", "tail", "mktemp", "rm"]) {
    await Deno.symlink((await findProgram(name))!, `${bin}/${name}`);
  }
  const missing = async () => (await packaged.run([], { env: { PATH: bin } })).err;
  assert.equal(await missing(), "tool: gzip is needed to unpack\n  fix: install it\n");
  await Deno.symlink((await findProgram("gzip"))!, `${bin}/gzip`);
  assert.equal(await missing(), "tool: sha256sum is needed to unpack\n  fix: install it\n");
});

/** Starts a first run that is held in the middle of unpacking, in a process group of its own. */
async function halfUnpacked(packaged: Packaged): Promise<Deno.ChildProcess> {
  const bin = await packaged.mkdir(`${packaged.folder}/slow`, 0o755), reached = `${packaged.folder}/reached`;
  await new Deno.Command("mkfifo", { args: ["-m", "666", reached] }).output();
  const slow =
    `#!/bin/sh\ncd "$4" && mkdir app && echo half >app/main.js && echo reached >"${reached}" && exec sleep 600\n`;
  await Deno.writeTextFile(`${bin}/tar`, slow, { mode: 0o755 });
  const child = packaged.spawn(["folder"], { through: ["setsid"], env: { PATH: `${bin}:/usr/bin:/bin` } });
  assert.equal(await Deno.readTextFile(reached), "reached\n");
  await Deno.remove(bin, { recursive: true });
  await Deno.remove(reached);
  return child;
}

/** Sends a signal to a whole process group, as a terminal does. */
async function killGroup({ pid }: Deno.ChildProcess, signal: string): Promise<void> {
  await new Deno.Command("kill", { args: [`-${signal}`, "--", `-${pid}`] }).output();
}

for (const [signal, code] of Object.entries({ INT: 130, TERM: 143, HUP: 129 })) {
  // FR-204
  Deno.test(`SIG${signal} while it unpacks leaves nothing behind and exits ${code}`, async () => {
    await using packaged = await Packaged.make();
    const child = await halfUnpacked(packaged);
    await killGroup(child, signal);
    const ended = await child.output();
    assert.deepEqual([ended.code, ended.stdout.length], [code, 0]);
    assert.deepEqual(await packaged.list(packaged.cache), []);
    assert.equal(await startedFrom(packaged), packaged.cache);
  });
}

// FR-204
Deno.test("what a killed run left half-made is never trusted, and goes after a day", async () => {
  await using packaged = await Packaged.make();
  const child = await halfUnpacked(packaged);
  await killGroup(child, "KILL");
  await child.output();
  const [left, ...others] = Array.from(Deno.readDirSync(packaged.cache), ({ name }) => name);
  assert.ok(left!.startsWith(".unpack.") && others.length === 0);
  assert.match((await packaged.run(["flags"])).out, /\nthe program\n$/);
  assert.equal((await Deno.stat(`${packaged.cache}/${left}`)).isDirectory, true, "it might be another process's");
  const digest = Array.from(Deno.readDirSync(packaged.cache), ({ name }) => name).find((name) => name !== left)!;
  await Deno.utime(`${packaged.cache}/${left}`, new Date(0), new Date(0));
  await Deno.remove(`${packaged.cache}/${digest}`, { recursive: true });
  await packaged.run([]);
  assert.equal(await packaged.version(), `${packaged.cache}/${digest}`);
});
