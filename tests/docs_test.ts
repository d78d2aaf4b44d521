import assert from "node:assert/strict";
import { parse } from "yaml";
import type { KubeObject } from "../lib/apimachinery/mod.ts";
import { EmbeddedApiServer } from "../lib/apiserver/mod.ts";
import { Client } from "../lib/client/mod.ts";
import { Namespace } from "../lib/operator/mod.ts";
import { applyCrds } from "../lib/operator/installation.ts";
import { Replication, replicator } from "../lib/replicator/mod.ts";
import { readRequirements } from "../tools/requirements.ts";
import { runsOnReal } from "../tools/test_envtest.ts";
import project from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));
const exists = (path: string) => Deno.stat(new URL(path, ROOT)).then(() => true, () => false);

async function documents(): Promise<string[]> {
  const paths = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "CODE_OF_CONDUCT.md"];
  for (const folder of ["docs", "docs/decisions"]) {
    for await (const { name } of Deno.readDir(new URL(folder, ROOT))) {
      if (name.endsWith(".md")) paths.push(`${folder}/${name}`);
    }
  }
  return paths;
}

// FR-145
Deno.test("every link of the documents leads to a file", async () => {
  for (const path of await documents()) {
    for (const [, link] of (await read(path)).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)) {
      const target = new URL(link!, new URL(path, ROOT));
      assert.ok(await exists(target.href), `${path}: ${link}`);
    }
  }
});

Deno.test("each decision has a number of its own, and its title begins with it", async () => {
  const records = (await documents()).filter((path) => path.startsWith("docs/decisions/"));
  const numbers = records.map((path) => /\/(\d{3})-/.exec(path)![1]!);
  assert.deepEqual(numbers.filter((number, nth) => numbers.indexOf(number) !== nth), []);
  for (const [nth, path] of records.entries()) assert.ok((await read(path)).startsWith(`# ${numbers[nth]} `), path);
});

// FR-145
Deno.test("every task that README and CONTRIBUTING name is one", async () => {
  for (const path of ["README.md", "CONTRIBUTING.md"]) {
    const named = [...(await read(path)).matchAll(/\bdeno(?:@[\d.]+)? task ([a-z:-]+)/g)].map(([, task]) => task!);
    assert.ok(named.length > 3);
    for (const task of named) assert.ok(Object.hasOwn(project.tasks, task), `${path}: deno task ${task}`);
  }
});

// FR-145
Deno.test("the README's Replication is one that a server takes", async () => {
  const [, yaml] = /```yaml\n(apiVersion: pintle\.dev[^]*?)```/.exec(await read("README.md"))!;
  const server = new EmbeddedApiServer(), client = new Client(server.transport(), { fieldManager: "test" });
  await applyCrds(client, replicator());
  await client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: "platform" } });
  const taken = await client.create<KubeObject>(Replication, parse(yaml!));
  assert.equal(taken.metadata?.generation, 1);
  await server.settled();
  server.close();
});

/** Whether a source has a test of this name: as it stands, or as one that a template makes. */
function hasTest(source: string, name: string): boolean {
  if (source.includes(`"${name}"`)) return true;
  return [...source.matchAll(/`([^`\n]+)`/g)].some(([, template]) => {
    const parts = template!.split(/\$\{[^}]*\}/).map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
    return parts.length > 1 && parts.join("").length > 2 && new RegExp(`^${parts.join(".+")}$`).test(name);
  }) || contractOf(source, name);
}

/** Tests of several implementations begin with the implementation's name. */
function contractOf(source: string, name: string): boolean {
  const [, rest] = /^[a-z:]+: (.+)$/.exec(name) ?? [];
  return rest !== undefined && source.includes(`"${rest}"`);
}

// FR-145
Deno.test("every requirement has a test that shows it, and tests name requirements that are there", async () => {
  const { shownBy, problems } = await readRequirements(ROOT.pathname.replace(/\/$/, ""));
  assert.ok(shownBy.size > 100, "the list is read");
  assert.deepEqual(problems, []);
});

// FR-263
Deno.test("every row of the page for Kopf's users names a test that is there, or says that there is none yet", async () => {
  const rows = (await read("docs/coming_from_kopf.md")).split("\n").filter((line) => /^\| (?!-)/.test(line));
  const wrong: string[] = [];
  let shown = 0;
  for (const row of rows) {
    const cells = row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()), last = cells.at(-1)!;
    if (last === "shown by" || last === "*not yet*") continue;
    const named = [...last.matchAll(/\[[\w ]+\]\(\.\.\/([\w/.]+)\): ((?:"[^"]+"(?:; )?)+)/g)];
    if (named.length === 0) wrong.push(`no test: ${row.slice(0, 80)}`);
    let real = false;
    for (const [, path, names] of named) {
      const source = await read(path!);
      real ||= runsOnReal(source);
      for (const [, name] of names!.matchAll(/"([^"]+)"/g)) {
        shown++;
        if (!hasTest(source, name!)) wrong.push(`${path}: ${name}`);
      }
    }
    if (real === last.endsWith("°")) wrong.push(`on a real control plane, too, or °: ${row.slice(0, 80)}`);
  }
  assert.ok(shown > 100, `${shown}`);
  assert.deepEqual(wrong, []);
});

for (
  const [page, what] of [["coming_from_kopf", "the page for Kopf's users"], [
    "versions",
    "the page about versions",
  ], [
    "kinds",
    "the page about kinds",
  ]] as const
) {
  // FR-263
  Deno.test(`every block of code on ${what} is typed as it stands`, async () => {
    const blocks = [...(await read(`docs/${page}.md`)).matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code!);
    const folder = await Deno.makeTempDir();
    try {
      const library = Object.entries(project.exports as Record<string, string>).map((
        [name, path],
      ) => [`@pintle/pintle${name.slice(1)}`, new URL(path, ROOT).href]);
      const imports = { ...project.imports, ...Object.fromEntries(library) };
      await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports }));
      const files = blocks.map((block, nth) =>
        `${folder}/${/^\/\/ (\w+\.ts)\n/.exec(block)?.[1] ?? `block_${nth}.ts`}`
      );
      for (const [nth, file] of files.entries()) await Deno.writeTextFile(file, blocks[nth]!);
      const args = ["check", "-q", "--no-lock", "--config", `${folder}/deno.json`, ...files];
      const { code, stderr } = await new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
      assert.equal(code, 0, new TextDecoder().decode(stderr));
      assert.ok(files.length >= 1);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const ROOT_FILES = [
  ".dockerignore",
  ".editorconfig",
  ".gitignore",
  "CHANGELOG.md",
  "CODE_OF_CONDUCT.md",
  "CONTRIBUTING.md",
  "Dockerfile",
  "LICENSE",
  "README.md",
  "SECURITY.md",
  "Tiltfile",
  "deno.json",
  "deno.lock",
  "main.ts",
];

Deno.test("the root holds the files that belong there, and no other", async () => {
  const { success, stdout } = await new Deno.Command("git", { args: ["ls-files"], cwd: ROOT }).output();
  // An exported tree has no index; there, nothing can have been added by mistake.
  if (!success) return;
  const files = new TextDecoder().decode(stdout).split("\n").filter((path) => path !== "" && !path.includes("/"));
  assert.deepEqual(files.sort(), ROOT_FILES.toSorted());
});
