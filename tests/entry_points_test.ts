import assert from "node:assert/strict";

const ROOT = new URL("../", import.meta.url).pathname;
const { exports } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`)) as { exports: Record<string, string> };

/** Every name that an entry point exports, types included. */
async function namesOf(path: string): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", path],
    cwd: ROOT,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout)) as {
    nodes: Record<string, { symbols: { name: string }[] }>;
  };
  return [...new Set(Object.values(nodes).flatMap(({ symbols }) => symbols.map(({ name }) => name)))];
}

// FR-431
Deno.test("the package has four entry points, and the first has at most 90 names, types included", async () => {
  assert.deepEqual(Object.keys(exports), [".", "./client", "./cli", "./testing"]);
  const names = await namesOf(exports["."]!);
  assert.ok(names.includes("Operator") && names.includes("ReconcileContext"), "values and types are seen");
  assert.ok(names.length <= 90, `${names.length} names`);
});

Deno.test("every entry point can be imported by name", async () => {
  for (const [entry, value] of [["", "Operator"], ["/client", "Client"], ["/cli", "cli"], ["/testing", "Suite"]]) {
    assert.equal(typeof (await import(`@pintle/pintle${entry}`))[value!], "function", `@pintle/pintle${entry}`);
  }
});

// FR-431
Deno.test("cli says that it needs Deno where there is none", async () => {
  const program = `
    const { cli } = await import("@pintle/pintle/cli");
    const { Operator } = await import("@pintle/pintle");
    delete globalThis.Deno;
    await cli(new Operator("a"), { args: ["version"], env: {} });`;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args: ["eval", "-q", program], cwd: ROOT })
    .output();
  assert.equal(code, 1);
  assert.match(new TextDecoder().decode(stderr), /UsageError: the commands of an operator need Deno/);
});

Deno.test("examples in the documentation of an entry point import the package by name", async () => {
  for (const entry of ["mod", "client", "cli"]) {
    const [, head = ""] = /^\/\*\*([^]*?)\*\//.exec(await Deno.readTextFile(`${ROOT}lib/${entry}.ts`)) ?? [];
    assert.match(head, /from "@pintle\/pintle/, entry);
    assert.doesNotMatch(head, /from "\./, entry);
  }
});
