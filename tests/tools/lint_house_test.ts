import assert from "node:assert/strict";
import { breach, exampleBreach } from "../../tools/lint_house.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

const ALLOWED = [["operator", "base"], ["controller", "cache"], ["controller", "queue"], ["cli", "harness"], [
  "handling",
  "apimachinery",
], ["base", "base"]];
for (const [from, to] of ALLOWED) {
  Deno.test(`${from} may import ${to}`, () => assert.equal(breach(from!, to!), undefined));
}

const FORBIDDEN: [string, string, RegExp][] = [
  ["base", "queue", /above it/],
  ["cache", "controller", /above it/],
  ["apimachinery", "queue", /share layer/],
  ["controller", "health", /share layer/],
  ["handling", "queue", /may import only base, apimachinery/],
  ["handling", "client", /may import only/],
  ["apiserver", "client", /may import only/],
  ["replicator", "controller", /may import only the entry points of lib\//],
  ["cli", "replicator", /share layer/],
  ["nowhere", "base", /lib\/nowhere\/ is no room/],
  ["base", "nowhere", /lib\/nowhere\/ is no room/],
];
for (const [from, to, why] of FORBIDDEN) {
  // FR-140
  Deno.test(`${from} may not import ${to}`, () => assert.match(breach(from, to) ?? "allowed", why));
}

/** Lints one file at `path` of a project with this linter alone; what `deno lint` said, and how it ended. */
async function lint(path: string, text: string): Promise<{ code: number; said: string }> {
  const folder = await Deno.makeTempDir();
  try {
    const plugins = [`${ROOT}tools/lint_house.ts`], rules = { tags: [] };
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ lint: { plugins, rules } }));
    await Deno.mkdir(`${folder}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    await Deno.writeTextFile(`${folder}/${path}`, text);
    const command = new Deno.Command(Deno.execPath(), { args: ["lint"], cwd: folder, env: { NO_COLOR: "1" } });
    const { code, stdout, stderr } = await command.output();
    return { code, said: [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("") };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const BREACHES: { claim: string; text: string; says: RegExp }[] = [
  {
    claim: "an import from a room above",
    text: 'import "../operator/mod.ts";\n',
    says: /cache \(layer 3\) may not import operator/,
  },
  {
    claim: "a re-export from a room above",
    text: 'export * from "../operator/mod.ts";\n',
    says: /may not import operator/,
  },
  {
    claim: "a named re-export from a room above",
    text: 'export { a } from "../operator/mod.ts";\n',
    says: /may not import operator/,
  },
  {
    claim: "a dynamic import from a room above",
    text: 'await import("../operator/mod.ts");\n',
    says: /may not import operator/,
  },
  {
    claim: "an import of a type from a room above",
    text: 'import type { A } from "../operator/mod.ts";\n',
    says: /may not import operator/,
  },
  { claim: "the machine's time", text: "export const at: number = Date.now();\n", says: /Date\.now bypasses Clock/ },
  { claim: "a timer of the machine", text: "setTimeout(() => {}, 1);\n", says: /setTimeout bypasses Clock/ },
  { claim: "the machine's date", text: "export const at: Date = new Date();\n", says: /new Date\(\) bypasses Clock/ },
  {
    claim: "the machine's randomness",
    text: "export const n: number = Math.random();\n",
    says: /Math\.random bypasses/,
  },
  {
    claim: "the environment",
    text: 'export const home = Deno.env.get("HOME");\n',
    says: /Deno\.env is read in main\.ts only/,
  },
  {
    claim: "the arguments",
    text: "export const args: string[] = Deno.args;\n",
    says: /Deno\.args is read in main\.ts only/,
  },
  {
    claim: "client-node outside the client",
    text: 'import "@kubernetes/client-node";\n',
    says: /only lib\/client\/ imports/,
  },
  {
    claim: "a function longer than a screen",
    text: `export function long(): void {\n${"  void 0;\n".repeat(70)}}\n`,
    says: /function is 72 lines; limit 70/,
  },
  {
    claim: "an import that goes past the mod.ts of another room",
    text: 'import "../base/clock.ts";\n',
    says: /import base\/mod\.ts: clock\.ts is for files of base alone/,
  },
  {
    claim: "a comment beyond column 120",
    text: `// ${"word ".repeat(24)}\nvoid 0;\n`,
    says: /comment reaches column 123; limit 120/,
  },
  {
    claim: "a function with more than four parameters",
    text:
      "export function sum(a: number, b: number, c: number, d: number, e: number): number {\n  return a + b + c + d + e;\n}\n",
    says: /5 parameters; limit 4/,
  },
  { claim: "a file of more than 500 lines", text: "void 0;\n".repeat(501), says: /file is 50[12] lines; limit 500/ },
];
for (const { claim, text, says } of BREACHES) {
  Deno.test(`deno lint fails on ${claim}`, async () => {
    const { code, said } = await lint("lib/cache/sample.ts", text);
    assert.notEqual(code, 0, said);
    assert.match(said, says);
  });
}

Deno.test("deno lint passes what keeps the rules, and only base may read the machine's time", async () => {
  const kept =
    'import "../base/mod.ts";\nimport "../base/yaml.ts";\nimport "./store.ts";\nexport const at: Date = new Date(5);\n';
  assert.deepEqual((await lint("lib/cache/sample.ts", kept)).code, 0);
  assert.deepEqual((await lint("lib/base/sample.ts", "export const at: number = Date.now();\n")).code, 0);
  assert.deepEqual((await lint("tools/sample.ts", 'Deno.env.get("HOME");\nDate.now();\n')).code, 0);
});

// FR-431
Deno.test("an example imports the library by name alone, and only its test a cluster of the tests", () => {
  const allowed = [
    [
      "a/operator_test.ts",
      "tests/cluster.ts",
    ],
    ["a/operator_test.ts", "tests/cli/binary.ts"],
    ["a/operator_test.ts", "examples/a/operator.ts"],
  ];
  for (const [from, to] of allowed) assert.equal(exampleBreach(`/p/examples/${from}`, `/p/${to}`), undefined);
  for (const to of ["lib/mod.ts", "lib/controller/mod.ts", "tests/cluster.ts"]) {
    assert.match(
      exampleBreach("/p/examples/a/operator.ts", `/p/${to}`) ?? "allowed",
      /imports @pintle\/pintle by name/,
    );
  }
  assert.match(exampleBreach("/p/examples/a/operator_test.ts", "/p/lib/controller/mod.ts") ?? "allowed", /not lib/);
});

// FR-262
Deno.test("the linter fails on an example that reaches behind the public API", async () => {
  const { code, said } = await lint("examples/a/operator.ts", 'import "../../lib/controller/mod.ts";\n');
  assert.deepEqual([code, said.includes("an example imports @pintle/pintle by name")], [1, true], said);
});
