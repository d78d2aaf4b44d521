import assert from "node:assert/strict";
import { findProgram, runProgram, testWith } from "../outside_program.ts";
import { ROOT, runTool } from "./build.ts";

const folder = await Deno.makeTempDir({ prefix: "pintle-npm-" });
Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));

const { version, imports } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));

/** A program in a folder of its own, where the package is installed as npm does it. */
async function inProject(program: string, args: readonly string[]): Promise<string> {
  const env = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
  const { code, out, err } = await runProgram(program, args, { cwd: folder, env, runMsMax: 300_000 });
  assert.equal(code, 0, `${program} ${args.join(" ")}:\n${out}\n${err}`);
  return out + err;
}

const packed = await runTool("npm_package", []);
const tarball = `${ROOT}/dist/pintle-pintle-${version}.tgz`;

/** The template's operator with its tests; its imports lead to the package instead of to the sources. */
await Deno.writeTextFile(
  `${folder}/package.json`,
  JSON.stringify({ type: "module", dependencies: { "@pintle/pintle": `file:${tarball}`, zod: imports.zod.slice(8) } }),
);
await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ nodeModulesDir: "manual" }));
for (const name of ["main.ts", "demo.ts", "tests", "deploy"]) {
  await runProgram("cp", ["-r", `${ROOT}/templates/operator/${name}`, folder]);
}
await inProject("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"]);

// FR-210
Deno.test("npm makes the package, and its manifest names the exact packages that the library loads", async () => {
  assert.equal(packed.code, 0, packed.err);
  assert.match(packed.out, /^dist\/pintle-pintle-[\d.]+\.tgz: \d+ bytes, depends on \d+ packages\n$/);
  const manifest = JSON.parse(await Deno.readTextFile(`${folder}/node_modules/@pintle/pintle/package.json`));
  assert.deepEqual(Object.keys(manifest.exports), [".", "./client", "./cli", "./testing"]);
  assert.equal(manifest.version, version);
  for (const [name, pinned] of Object.entries(manifest.dependencies)) {
    assert.equal(`npm:${name}@${pinned}`, imports[name]);
  }
  const files = await runProgram("tar", ["-tzf", tarball]);
  assert.doesNotMatch(files.out, /replicator|tests\/|tools\/|\.tsx?$(?<!\.d\.ts)/m, "only the library is in it");
});

// FR-210
Deno.test("an operator on the package passes its type check, its scenarios and its demo", async () => {
  await inProject(Deno.execPath(), ["check", "main.ts", "tests/"]);
  assert.match(await inProject(Deno.execPath(), ["test", "-A", "tests/"]), /\nok \| 4 passed \| 0 failed/);
  assert.match(await inProject(Deno.execPath(), ["run", "-A", "main.ts", "test"]), /\n3 passed, 0 failed\n/);
  assert.match(await inProject(Deno.execPath(), ["run", "-A", "main.ts", "demo", "--once"]), /\nconverged: 3 of 3 /);
});

// FR-210
Deno.test("the package carries its types: what does not fit a resource is refused", async () => {
  const wrong = `import { Widget } from "./main.ts";
import { Operator } from "@pintle/pintle";
new Operator("x").on(Widget).reconcile(({ spec }) => void (spec.size satisfies string));\n`;
  await Deno.writeTextFile(`${folder}/wrong.ts`, wrong);
  const { code, err } = await runProgram(Deno.execPath(), ["check", "wrong.ts"], {
    cwd: folder,
    env: { NO_COLOR: "1" },
    runMsMax: 120_000,
  });
  assert.equal(code, 1);
  assert.match(err, /Type 'number' does not satisfy the expected type 'string'/);
});

/** Prints the name of each entry that the package has, once it is loaded. */
const LOADING = `import { readFileSync } from "node:fs";
const { exports } = JSON.parse(readFileSync("node_modules/@pintle/pintle/package.json", "utf8"));
for (const entry of Object.keys(exports)) {
  const { length } = Object.keys(await import(\`@pintle/pintle\${entry.slice(1)}\`));
  if (length > 0) console.log(entry);
}\n`;
await Deno.writeTextFile(`${folder}/load.mjs`, LOADING);
/** Takes from the package, and from nothing else, what Node 24 lacks: Deno's own modules need it. */
const LACKING = `const deno = Deno;
const get = (_, name) => {
  if (new Error().stack.includes("/@pintle/")) throw new ReferenceError(\`Deno.\${String(name)} is not there\`);
  return Reflect.get(deno, name);
};
Object.defineProperty(globalThis, "Deno", { value: new Proxy({}, { get }) });
delete Uint8Array.prototype.toBase64;
delete Uint8Array.fromBase64;\n`;
await Deno.writeTextFile(`${folder}/lack.mjs`, `${LACKING}await import("./load.mjs");\n`);
const node = await findProgram("node");
const major = node ? Number(/\d+/.exec((await runProgram(node, ["--version"])).out)) : 0;

// FR-357
Deno.test("every entry of the package loads in Deno, and where there is no Deno", async () => {
  for (const file of ["load.mjs", "lack.mjs"]) {
    assert.equal(await inProject(Deno.execPath(), ["run", "-q", "-A", file]), ".\n./client\n./cli\n./testing\n", file);
  }
});

// FR-357, FR-431
testWith(major < 24 ? "there is no Node 24 here" : undefined, "every entry of the package loads in Node", async () => {
  assert.equal(await inProject("node", ["load.mjs"]), ".\n./client\n./cli\n./testing\n");
});
