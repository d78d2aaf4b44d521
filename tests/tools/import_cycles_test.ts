import assert from "node:assert/strict";

const LIB = new URL("../../lib/", import.meta.url);
/** The files that each file imports. */
type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** The groups of files of which each imports every other, directly or through others (Tarjan's algorithm). */
function cycles(graph: ImportGraph): string[][] {
  const order = new Map<string, number>(), stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): number => {
    const own = order.size;
    order.set(file, own);
    stack.push(file);
    let low = own;
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, order.get(next)!);
    }
    if (low === own) {
      const group = stack.splice(stack.indexOf(file));
      if (group.length > 1) found.push(group.sort());
    }
    return low;
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return found;
}

async function importGraph(folder: URL, graph = new Map<string, readonly string[]>()): Promise<ImportGraph> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) await importGraph(new URL(`${name}/`, folder), graph);
    else if (name.endsWith(".ts")) {
      const file = new URL(name, folder), source = await Deno.readTextFile(file);
      const specifiers = source.matchAll(/(?:\bfrom\s+|\bimport\(\s*)"(\.[^"]+)"/g);
      graph.set(file.href, [...specifiers].map(([, specifier]) => new URL(specifier!, file).href));
    }
  }
  return graph;
}

Deno.test("a cycle is found through any number of files, and files that only share an import are none", () => {
  const graph = new Map([["a", ["b", "d"]], ["b", ["c"]], ["c", ["a", "d"]], ["d", []], ["e", ["d"]]]);
  assert.deepEqual(cycles(graph), [["a", "b", "c"]]);
});

const PACKAGES = [...Deno.readDirSync(LIB)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name).sort();

for (const name of PACKAGES) {
  Deno.test(`the files of lib/${name} import each other in no cycle, imports of types included`, async () => {
    const graph = await importGraph(new URL(`${name}/`, LIB));
    assert.ok(graph.has(new URL(`${name}/mod.ts`, LIB).href));
    assert.deepEqual(cycles(graph).map((group) => group.map((file) => file.slice(LIB.href.length))), []);
  });
}
