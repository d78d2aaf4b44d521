import assert from "node:assert/strict";
import { parse } from "yaml";
import * as z from "zod";
import { type KubeObject, view } from "../lib/apimachinery/mod.ts";
import { EmbeddedApiServer } from "../lib/apiserver/mod.ts";
import { Client } from "../lib/client/mod.ts";
import { ConfigMap, defineResource, Namespace, Operator } from "../lib/operator/mod.ts";
import { applyCrds } from "../lib/operator/installation.ts";
import { Replication, replicator } from "../lib/replicator/mod.ts";
import { conceptsTable, deadExports, withTable } from "../tools/concepts.ts";
import { readRequirements } from "../tools/requirements.ts";
import { ACCEPTED_DIFFERENCES } from "./conformance/accepted_differences.ts";
import { settingsPage } from "../tools/settings_page.ts";
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

/** The anchors of a page's headings, as GitHub and other viewers make them. */
function anchorsOf(page: string): Set<string> {
  const prose = page.replaceAll(/^```[^]*?^```/gm, "");
  const headings = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!.toLowerCase());
  return new Set(headings.map((heading) => heading.replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")));
}

// FR-145
Deno.test("every link of the documents leads to a file, and to a heading of it", async () => {
  for (const path of await documents()) {
    for (const [, link, anchor] of (await read(path)).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
      const target = link === "" ? new URL(path, ROOT) : new URL(link!, new URL(path, ROOT));
      assert.ok(await exists(target.href), `${path}: ${link}`);
      if (anchor) assert.ok(anchorsOf(await read(target.href)).has(anchor), `${path}: ${link}#${anchor}`);
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

// FR-145
Deno.test("every requirement has a test that shows it, and tests name requirements that are there", async () => {
  const { shownBy, problems } = await readRequirements(ROOT.pathname.replace(/\/$/, ""));
  assert.ok(shownBy.size > 100, "the list is read");
  assert.deepEqual(problems, []);
});

/** The cells of each row of the tables of a page whose last column is `shown by`, without the heads. */
async function shownRows(path: string): Promise<string[][]> {
  const rows: string[][] = [];
  let counts = false;
  for (const line of (await read(path)).split("\n")) {
    const cells = line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()), last = cells.at(-1);
    if (last === undefined) counts = false;
    else if (last === "shown by") counts = true;
    else if (counts && !last.startsWith("---")) rows.push(cells);
  }
  return rows;
}

// FR-263
Deno.test("each row of the page for Kopf's users names requirements that tests show, also on a real control plane or with °", async () => {
  const { shownBy } = await readRequirements(ROOT.pathname.replace(/\/$/, "")),
    rows = await shownRows("docs/coming_from_kopf.md");
  const wrong: string[] = [];
  for (const cells of rows) {
    const last = cells.at(-1)!, row = `${cells[0]}: ${last}`;
    if (last === "*not yet*") continue;
    if (!/^FR-\d+(, FR-\d+)*( °)?$/.test(last)) wrong.push(`no requirement: ${row}`);
    let real = false;
    for (const [id] of last.matchAll(/FR-\d+/g)) {
      const places = shownBy.get(id) ?? [];
      if (places.length === 0) wrong.push(`no test: ${row}`);
      for (const place of places) real ||= runsOnReal(await read(place.split(": ", 1)[0]!));
    }
    if (real === last.endsWith("°")) wrong.push(`on a real control plane, or °: ${row}`);
  }
  assert.ok(rows.length > 150, `${rows.length}`);
  assert.deepEqual(wrong, []);
});

/** Pages whose code belongs to projects that tests of their own make and run. */
const PROJECTS = ["start.md", "testing.md", "tutorial.md"];

// FR-263, FR-464
Deno.test("every block of code on the pages of docs/ is typed as it stands, and its tests pass", async () => {
  const folder = await Deno.makeTempDir(), files: string[] = [];
  try {
    const library = Object.entries(project.exports as Record<string, string>).map((
      [name, path],
    ) => [`@pintle/pintle${name.slice(1)}`, new URL(path, ROOT).href]);
    const imports = { ...project.imports, ...Object.fromEntries(library) };
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports }));
    for (const path of (await documents()).filter((each) => /^docs\/\w+\.md$/.test(each))) {
      const page = path.slice("docs/".length);
      if (PROJECTS.includes(page)) continue;
      await Deno.mkdir(`${folder}/${page}`);
      const blocks = [...(await read(path)).matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code!);
      for (const [nth, block] of blocks.entries()) {
        files.push(`${folder}/${page}/${/^\/\/ (\w+\.ts)\n/.exec(block)?.[1] ?? `block_${nth + 1}.ts`}`);
        await Deno.writeTextFile(files.at(-1)!, block);
      }
    }
    assert.ok(files.length > 20, `${files.length}`);
    const options = ["-q", "--no-lock", "--config", `${folder}/deno.json`], env = { NO_COLOR: "1" };
    const tests = files.filter((file) => file.endsWith("_test.ts"));
    for (const args of [["check", ...options, ...files], ["test", "-A", "--no-check", ...options, ...tests]]) {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env }).output();
      assert.equal(code, 0, new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("CONTRIBUTING has the table that `deno task concepts --write` writes, and no export of lib/ is without a user", async () => {
  const text = await read("CONTRIBUTING.md");
  assert.equal(withTable(text, await conceptsTable()), text);
  assert.deepEqual(await deadExports(), []);
});

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

/** The text of the library's sources, file by file, with strings that are joined by `+` in one piece. */
async function librarySources(folder = "lib"): Promise<string[]> {
  const texts: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) texts.push(...await librarySources(`${folder}/${name}`));
    else if (name.endsWith(".ts")) texts.push((await read(`${folder}/${name}`)).replaceAll(/["`]\s*\+\s*["`]/g, ""));
  }
  return texts.map((text) => text.replaceAll("\\`", "`"));
}

const MISTYPED = ["no-such-command", "run --no-such-option"];

/** The messages of docs/errors.md. */
async function listedMessages(): Promise<string[]> {
  const rows = (await read("docs/errors.md")).split("\n").filter((line) => /^\| `/.test(line));
  return rows.map((row) => {
    const [, long, short] = /^\| (?:`` ?(.+?) ?``|`([^`]+)`)/.exec(row)!;
    return long ?? short!;
  });
}

// FR-465
Deno.test("each message of the page about errors is one of the library", async () => {
  const messages = await listedMessages(), sources = await librarySources();
  for (const mistake of MISTYPED) sources.push(await failureOf(mistake)); // in the words of another library
  const isWritten = (message: string) => {
    const parts = message.split("…").map((part) => part.trim()).filter((part) => part.length > 2);
    return sources.some((text) => parts.every((part) => text.includes(part)));
  };
  assert.ok(messages.length > 60, `${messages.length}`);
  assert.deepEqual(messages.filter((message) => !isWritten(message)), []);
});

const NAMED = { group: "shop.example.com", version: "v1", kind: "Shop" };

/** What a user does wrong, and the program says at once. */
const MISTAKES: Readonly<Record<string, () => unknown>> = {
  "an operator's name": () => new Operator("My Operator"),
  "a kind's name": () => defineResource({ ...NAMED, kind: "shop", spec: z.object({}) }),
  "a kind's group": () => defineResource({ ...NAMED, group: "shop", spec: z.object({}) }),
  "a date": () => defineResource({ ...NAMED, spec: z.object({ at: z.date() }) }),
  "a union": () =>
    defineResource({ ...NAMED, spec: z.object({ a: z.discriminatedUnion("t", [z.object({ t: z.literal(1) })]) }) }),
  "two reconcile handlers": () => new Operator("a").on(Namespace).reconcile(() => {}).reconcile(() => {}),
  "two handlers of one id": () => new Operator("a").on(Namespace).create(() => {}).create(() => {}),
  "two views of a child": () =>
    new Operator("a").on(Namespace).reconcile(() => {}, { owns: [ConfigMap, view(ConfigMap, { metadataOnly: true })] }),
  "a time": () => new Operator("a").on(Namespace).create(() => {}, { timeout: "soon" as "1s" }),
};

/** The same of commands: their arguments, with a setting before them. */
const COMMANDS = [
  ...MISTYPED,
  "PINTLE_LOGLEVEL=debug config",
  "PINTLE_WORKERS_MAX=0 config",
  "PINTLE_LEASE_DURATION=1s run --kubeconfig FOLDER/one.yaml --context one",
  "doctor --kubeconfig FOLDER/one.yaml",
  "doctor --kubeconfig FOLDER/one.yaml --context two",
  "test --filter no-such-scenario",
  "run --kubeconfig FOLDER/one.yaml --context one",
];

/** A kubeconfig without a current context, whose one context is of a server that is not there. */
function kubeconfigOfNothing(): string {
  const clusters = [{ name: "here", cluster: { server: `https://127.0.0.1:${closedPort()}` } }];
  const contexts = [{ name: "one", context: { cluster: "here", user: "me" } }];
  const users = [{ name: "me", user: { token: "t" } }];
  return JSON.stringify({ apiVersion: "v1", kind: "Config", clusters, contexts, users });
}

/** What a command says that fails. */
async function failureOf(command: string): Promise<string> {
  const [, name, value, args] = /^(?:(\w+)=(\w+) )?(.*)$/.exec(command)!;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "main.ts", ...args!.split(" ")],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...(name ? { [name]: value! } : {}) },
  }).output();
  assert.notEqual(code, 0, command);
  return new TextDecoder().decode(stderr);
}

// FR-465
Deno.test("what the program says about common mistakes is on the page about errors", async () => {
  const said: string[] = [];
  for (const [what, mistake] of Object.entries(MISTAKES)) {
    assert.throws(mistake, (error) => said.push((error as Error).message) > 0, what);
  }
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/one.yaml`, kubeconfigOfNothing());
    for (const command of COMMANDS) said.push(await failureOf(command.replace("FOLDER", folder)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const patterns = (await listedMessages()).map((message) =>
    new RegExp(message.split("…").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("[^]*"))
  );
  assert.deepEqual(said.filter((text) => !patterns.some((pattern) => pattern.test(text))), []);
});

/** A port on which nothing listens. */
function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

// FR-467
Deno.test("the page about the embedded API server names each request that it refuses, and each answer that differs", async () => {
  const page = (await read("docs/embedded_api_server.md")).replaceAll(/\s+/g, " "), refused: string[] = [];
  for (const text of await librarySources("lib/apiserver")) {
    for (const [, what] of text.matchAll(/notImplemented\(["`]([^"`$]*)/g)) refused.push(what!.trim());
  }
  const reasons = Object.values(ACCEPTED_DIFFERENCES).flatMap((area) => Object.values(area));
  assert.ok(refused.length > 3);
  assert.deepEqual([...refused, ...reasons].filter((each) => !page.includes(each)), []);
});

// FR-81
Deno.test("the README tells the agreement with a real server that the suite wrote into its page", async () => {
  const [, agreed, all] = /^(\d+) of (\d+) cases are answered/m.exec(await read("docs/embedded_api_server.md"))!;
  const grouped = (digits: string) => Number(digits).toLocaleString("en");
  assert.ok((await read("README.md")).includes(`${grouped(agreed!)} of ${grouped(all!)} cases`));
});

// FR-466
Deno.test("the page about settings is what `deno task settings:page` writes", async () => {
  assert.equal(await read("docs/settings.md"), await settingsPage());
});

Deno.test("decision 001 lists the packages of deno.json, and no other", async () => {
  const record = await read("docs/decisions/001-dependencies.md");
  const listed = [...record.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name!);
  assert.deepEqual(listed.sort(), Object.keys(project.imports).sort());
});
