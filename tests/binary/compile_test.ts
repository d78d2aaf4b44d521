import assert from "node:assert/strict";
import { runProgram } from "../outside_program.ts";
import { Checkout, ROOT, runTool } from "./build.ts";

/** With Deno itself as the compile runtime everything happens but the download; the result then only acts as Deno. */
const env = { DENORT_BIN: Deno.execPath() };

// FR-206
Deno.test("compile type-checks, bundles and embeds the program with what it reads, and keeps an older file until it is done", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pintle-compile-" }), output = `${folder}/pintle`;
  await Deno.writeTextFile(output, "an older one, that deno compile did not make");
  const { code, out, err } = await runTool("compile", ["--output", output], { env });
  assert.equal(code, 0, err);
  assert.match(out, /pintle \d+\.\d+\.\d+ [0-9a-f]{12}(-dirty)?\n$/);
  assert.deepEqual((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name), ["pintle"]);
  const { size } = await Deno.stat(output), runtime = (await Deno.stat(Deno.execPath())).size;
  // Deno keeps up to twice what a file has: the file, and what it made of it.
  assert.ok(size - runtime > 1_000_000 && size - runtime < 10_000_000, `${size - runtime} bytes are embedded`);
  const bytes = await Deno.readFile(output);
  for (const part of ["main.js", "deploy", "build.json"]) {
    assert.ok(includes(bytes.subarray(runtime - 1_000_000), new TextEncoder().encode(part)), part);
  }
  await Deno.remove(folder, { recursive: true });
});

/** Whether bytes have others in them. */
function includes(bytes: Uint8Array, part: Uint8Array): boolean {
  for (let at = bytes.indexOf(part[0]!); at >= 0; at = bytes.indexOf(part[0]!, at + 1)) {
    if (part.every((byte, index) => bytes[at + index] === byte)) return true;
  }
  return false;
}

// FR-206
Deno.test("where the compile runtime cannot be downloaded, compile says so in one line with its fix, and makes nothing", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pintle-compile-" });
  // A cache with everything but compile runtimes, behind a proxy that is not there.
  const cache = JSON.parse((await runProgram(Deno.execPath(), ["info", "--json"])).out).denoDir as string;
  await Deno.mkdir(`${folder}/cache/dl`, { recursive: true });
  for (const under of ["", "dl/"]) {
    for await (const { name } of Deno.readDir(`${cache}/${under}`)) {
      // compile runtimes are in dl/release; the bundler is beside them
      if (name === "dl" || name === "release") continue;
      await Deno.symlink(`${cache}/${under}${name}`, `${folder}/cache/${under}${name}`);
    }
  }
  const proxy = "http://127.0.0.1:9";
  const offline = {
    DENO_DIR: `${folder}/cache`,
    HTTPS_PROXY: proxy,
    HTTP_PROXY: proxy,
    ALL_PROXY: proxy,
    NO_PROXY: "",
  };
  const { code, out, err } = await runTool("compile", ["--output", `${folder}/pintle`], { env: offline });
  assert.deepEqual([code, out], [1, ""]);
  assert.equal(
    err,
    "compile: the compile runtime (denort) cannot be downloaded here\n" +
      "  fix: set DENORT_BIN to one, or take `deno task package`, which downloads nothing\n",
  );
  assert.deepEqual((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name), ["cache"]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a target that does not exist is refused with those that do", async () => {
  const { code, err } = await runTool("compile", ["riscv"]);
  assert.equal(code, 1);
  assert.match(
    err,
    /^compile: there is no target riscv\n {2}fix: one of x86_64-unknown-linux-gnu, .* or none for this machine\n$/,
  );
});

// FR-206
Deno.test("a program that does not type-check is not compiled", async () => {
  await using checkout = await Checkout.copy();
  const main = `${checkout.folder}/main.ts`;
  await Deno.writeTextFile(main, `${await Deno.readTextFile(main)}\nexport const wrong: number = "text";\n`);
  const { code, err } = await runTool("compile", [], { folder: checkout.folder, env });
  assert.equal(code, 1);
  assert.match(
    err,
    /^compile: the program does not type-check:\n[\s\S]*Type 'string' is not assignable to type 'number'/,
  );
  await assert.rejects(Deno.stat(`${checkout.folder}/dist/pintle`), Deno.errors.NotFound);
});

// FR-206
Deno.test("a program of more than 5 MB is neither packaged nor compiled, and leaves the file that is there", async () => {
  await using checkout = await Checkout.copy();
  const { folder } = checkout;
  await Deno.writeFile(`${folder}/deploy/large`, new Uint8Array(2_000_000));
  await Deno.mkdir(`${folder}/dist`);
  await Deno.writeTextFile(`${folder}/dist/pintle`, "an older one");
  for (const tool of ["package", "compile"]) {
    const { code, out, err } = await runTool(tool, [], { folder, env });
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, new RegExp(`^${tool}: the program has \\d+ bytes, more than the 5000000 that it may have\n$`));
  }
  assert.equal(await Deno.readTextFile(`${folder}/dist/pintle`), "an older one");
});

// FR-206
Deno.test("a build without git takes its commit from REVISION, and SOURCE_DATE_EPOCH is its date", async () => {
  await using checkout = await Checkout.copy();
  const { code, err } = await runTool("package", [], {
    folder: checkout.folder,
    env: { SOURCE_DATE_EPOCH: "1700000000", REVISION: "0123456789abcdef0123" },
  });
  assert.equal(code, 0, err);
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const build = JSON.parse(await Deno.readTextFile(`${checkout.folder}/dist/app/build.json`));
  assert.deepEqual(build, { version, commit: "0123456789ab", date: "2023-11-14T22:13:20.000Z" });
});
