import assert from "node:assert/strict";
import { findProgram, testWith } from "../outside_program.ts";
import { Packaged } from "./packaged.ts";

/** Every shell that may be /bin/sh somewhere. */
const SHELLS: Readonly<Record<string, readonly string[]>> = {
  "the system's sh": [],
  dash: ["dash"],
  bash: ["bash"],
  "bash as sh": ["bash", "--posix"],
  "busybox's sh": ["busybox", "sh"],
};

for (const [name, through] of Object.entries(SHELLS)) {
  const missing = through[0] && !await findProgram(through[0]) ? `there is no ${through[0]} here` : undefined;
  // FR-200
  testWith(missing, `${name} unpacks once, and starts the program with its permissions each time`, async () => {
    await using packaged = await Packaged.make();
    const first = await packaged.run(["flags"], { through });
    assert.deepEqual(first, {
      code: 0,
      out: "run -q --no-prompt --no-config --no-lock --allow-net --allow-read\nthe program\n",
      err: "",
    });
    const version = await packaged.version(), { ino } = await Deno.stat(`${version}/app/main.js`);
    assert.deepEqual(await packaged.list(version), [
      "app",
      "app/lib",
      "app/lib/deep",
      "app/lib/deep/a file.ts",
      "app/main.js",
      "deno",
    ]);
    assert.deepEqual(await packaged.run(["flags"], { through }), first);
    assert.equal((await Deno.stat(`${await packaged.version()}/app/main.js`)).ino, ino, "it was not unpacked again");
  });

  // FR-200
  testWith(missing, `${name} gives the program its arguments, input, umask, environment and exit code`, async () => {
    await using packaged = await Packaged.make();
    const said = async (...[args, options]: Parameters<Packaged["run"]>) =>
      (await packaged.run(args, { ...options, through })).out;
    assert.equal(
      await said(["arguments", "", "a b", "$x", "'", "--", "*"]),
      "<>\n<a b>\n<$x>\n<'>\n<-->\n<*>\n",
    );
    assert.equal(await said(["input"], { stdin: "one\ntwo\n" }), "one\ntwo\n");
    const umask = ["sh", "-c", 'umask 027; exec "$@"', "sh", ...through];
    assert.match((await packaged.run(["umask"], { through: umask })).out, /^0?027\n$/);
    const digest = (await packaged.version()).split("/").at(-1);
    assert.equal(await said(["variables"], { env: { OTHER: "kept" } }), `/.cache/tool/${digest}/cache unset kept\n`);
    assert.equal((await packaged.run(["exit", "7"], { through })).code, 7);
  });
}

// FR-200
Deno.test("the program takes the place of the shell: signals reach it", async () => {
  await using packaged = await Packaged.make();
  await packaged.run([]);
  const child = packaged.spawn(["wait"]), reader = child.stdout.getReader();
  const { value } = await reader.read();
  assert.equal(new TextDecoder().decode(value), `${child.pid}\n`);
  child.kill("SIGTERM");
  assert.equal((await child.status).signal, "SIGTERM");
  await reader.cancel();
  await child.stderr.cancel();
});

// FR-200
Deno.test("it finds itself through PATH, through links, and by a name without a folder", async () => {
  await using packaged = await Packaged.make();
  const bin = `${packaged.folder}/bin of somebody`;
  await Deno.symlink(packaged.file, `${bin}/linked`);
  await Deno.symlink("linked", `${bin}/linked again`);
  const other = await packaged.mkdir(`${packaged.folder}/other`);
  await Deno.writeTextFile(`${other}/tool`, "#!/bin/sh\nexit 9\n", { mode: 0o755 });
  const ways: Record<string, Parameters<Packaged["run"]>[1]> = {
    "by PATH": {
      through: ["sh", "-c", 'exec tool "$@"', "sh"],
      path: "arguments",
      env: { PATH: `${bin}:/usr/bin:/bin` },
    },
    "a link of a link": { path: `${bin}/linked again` },
    "a shell in its folder": { through: ["dash"], path: "tool", cwd: bin },
    "a shell in its folder, another one in PATH": {
      through: ["sh"],
      path: "tool",
      cwd: bin,
      env: { PATH: `${other}:/usr/bin:/bin` },
    },
  };
  for (const [how, options] of Object.entries(ways)) {
    await Deno.remove(packaged.cache, { recursive: true }).catch(() => {});
    const args = how === "by PATH" ? ["x"] : ["arguments", "x"];
    assert.deepEqual(await packaged.run(args, options), { code: 0, out: "<x>\n", err: "" }, how);
  }
});

// FR-201
Deno.test("ten first runs at once all work, and leave one folder and no litter", async () => {
  await using packaged = await Packaged.make();
  const runs = await Promise.all(Array.from({ length: 10 }, (_, at) => packaged.run(["arguments", `${at}`])));
  assert.deepEqual(runs, runs.map((_, at) => ({ code: 0, out: `<${at}>\n`, err: "" })));
  const version = await packaged.version();
  assert.deepEqual((await packaged.list(version)).filter((path) => path.includes(".unpack")), []);
});

// FR-201
Deno.test("ten runs at once on an incomplete cache all work, and complete it", async () => {
  await using packaged = await Packaged.make();
  await packaged.run([]);
  const version = await packaged.version(), complete = await packaged.list(version);
  await Deno.remove(`${version}/app/lib`, { recursive: true });
  const runs = await Promise.all(Array.from({ length: 10 }, (_, at) => packaged.run(["arguments", `${at}`])));
  assert.deepEqual(runs, runs.map((_, at) => ({ code: 0, out: `<${at}>\n`, err: "" })));
  assert.deepEqual(await packaged.list(await packaged.version()), complete);
});

/** Fills a file with zeros: its size stays. */
async function zero(path: string): Promise<void> {
  await Deno.writeFile(path, new Uint8Array((await Deno.stat(path)).size));
}

// FR-201, FR-356
Deno.test("a cache that lacks a file, has a short one, or is none at all is repaired", async () => {
  await using packaged = await Packaged.make();
  await packaged.run([]);
  const version = await packaged.version();
  const damage: Record<string, () => Promise<unknown>> = {
    "no main.js": () => Deno.remove(`${version}/app/main.js`),
    "no deep file": () => Deno.remove(`${version}/app/lib/deep/a file.ts`),
    "no runtime": () => Deno.remove(`${version}/deno`),
    "half a runtime": () => Deno.truncate(`${version}/deno`, 100),
    "an emptied main.js": () => Deno.writeTextFile(`${version}/app/main.js`, ""),
    "a main.js of zeros": () => zero(`${version}/app/main.js`),
    "a short deep file": () => Deno.truncate(`${version}/app/lib/deep/a file.ts`, 3),
    "a runtime of zeros": () => zero(`${version}/deno`),
    "a file in the place of a folder": async () => {
      await Deno.remove(`${version}/app`, { recursive: true });
      await Deno.writeTextFile(`${version}/app`, "");
    },
    "a folder in the place of a file": async () => {
      await Deno.remove(`${version}/app/main.js`);
      await Deno.mkdir(`${version}/app/main.js`);
    },
    "a runtime that may not run": () => Deno.chmod(`${version}/deno`, 0o600),
    "a link in the place of a folder": async () => {
      await Deno.rename(`${version}/app`, `${version}/elsewhere`);
      await Deno.symlink(`${version}/elsewhere`, `${version}/app`);
    },
    "a file too much": () => Deno.writeTextFile(`${version}/app/lib/more.ts`, "more"),
    "no folder but a file": async () => {
      await Deno.remove(version, { recursive: true });
      await Deno.writeTextFile(version, "");
    },
  };
  for (const [what, act] of Object.entries(damage)) {
    await act();
    const ended = await packaged.run(["flags"]);
    assert.deepEqual([ended.code, ended.err], [0, ""], what);
    assert.match(ended.out, /\nthe program\n$/, what);
    assert.equal(await Deno.readTextFile(`${await packaged.version()}/app/lib/deep/a file.ts`), "a part of it\n", what);
  }
});

Deno.test("a later start needs few programs in PATH", async () => {
  await using packaged = await Packaged.make();
  await packaged.run([]);
  const bin = await packaged.mkdir(`${packaged.folder}/few`, 0o755);
  for (const name of ["sh", "ls", "id", "mkdir"]) await Deno.symlink((await findProgram(name))!, `${bin}/${name}`);
  const ended = await packaged.run(["exit", "7"], { env: { PATH: bin } });
  assert.deepEqual([ended.code, ended.err], [7, ""]);
});

// FR-356
Deno.test("a large runtime that lost a part of its content is unpacked again", async () => {
  const bytes = 1_000_000, more = `\nexit 0\n${"#".repeat(bytes)}\n`;
  await using packaged = await Packaged.make({ more });
  await packaged.run([]);
  const version = await packaged.version(), whole = await Deno.readFile(`${version}/deno`);
  for (const at of [0, bytes / 2, bytes - 1_000]) {
    await Deno.writeFile(`${version}/deno`, whole.slice().fill(0, at, at + bytes / 4));
    assert.deepEqual(await packaged.run(["arguments", "x"]), { code: 0, out: "<x>\n", err: "" }, `from ${at}`);
    assert.deepEqual(await Deno.readFile(`${await packaged.version()}/deno`), whole);
  }
});

for (const [name, through] of Object.entries(SHELLS)) {
  const missing = through[0] && !await findProgram(through[0]) ? `there is no ${through[0]} here` : undefined;
  // FR-356
  testWith(missing, `${name} unpacks and runs with closed streams: a closed output is no damaged file`, async () => {
    await using packaged = await Packaged.make();
    const closed = (streams: string) => ["sh", "-c", `exec "$@" ${streams}`, "sh", ...through];
    for (const streams of [">&-", "<&- >&-", "<&- >&- 2>&-"]) {
      assert.deepEqual(await packaged.run(["exit", "7"], { through: closed(streams) }), { code: 7, out: "", err: "" });
      await Deno.remove(packaged.cache, { recursive: true });
    }
  });
}

// FR-202
Deno.test("a damaged file runs nothing, and reports it in one line and a fix", async () => {
  await using packaged = await Packaged.make();
  const whole = await Deno.readFile(packaged.file), head = new TextDecoder().decode(whole).indexOf("\n__PAYLOAD__\n");
  const damaged: Record<string, Uint8Array> = {
    "a flipped byte in the middle": whole.with(head + 300, whole[head + 300]! ^ 1),
    "a flipped byte at the end": whole.with(whole.length - 1, whole.at(-1)! ^ 0x80),
    "half of it": whole.slice(0, head + 200),
    "one byte missing": whole.slice(0, -1),
    "one byte more": new Uint8Array([...whole, 10]),
    "no payload at all": whole.slice(0, head + "\n__PAYLOAD__\n".length),
  };
  for (const [what, bytes] of Object.entries(damaged)) {
    await Deno.writeFile(packaged.file, bytes);
    const { code, out, err } = await packaged.run(["flags"]);
    assert.deepEqual([code, out], [1, ""], what);
    const said = `tool: ${packaged.file} is damaged: its content is not what was packed\n  fix: download it again\n`;
    assert.equal(err, said, what);
    assert.deepEqual(await packaged.list(packaged.cache), [], what);
  }
});

// FR-202
Deno.test("a file that was cut off within its first lines runs nothing", async () => {
  await using packaged = await Packaged.make();
  const whole = await Deno.readFile(packaged.file);
  const text = new TextDecoder().decode(whole), head = text.indexOf("\n}\n__PAYLOAD__\n");
  for (const length of [400, 2_000, text.indexOf("find_cache\nunpacked"), head - 8, head]) {
    await Deno.writeFile(packaged.file, whole.slice(0, length));
    for (const through of [["dash"], ["bash"]]) {
      const { code, out, err } = await packaged.run(["flags"], { through });
      assert.deepEqual([code !== 0, out], [true, ""], `${through} ${length}`);
      assert.match(err, /syntax error|end of file|EOF/i);
      await assert.rejects(Deno.stat(packaged.cache), Deno.errors.NotFound);
    }
  }
});
