import assert from "node:assert/strict";
import { hideChunks } from "../../tools/build_app.ts";

async function inFolder(files: Record<string, string>, test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "pintle-build-" });
  try {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${name}`, text);
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function deno(...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  return new TextDecoder().decode(stdout);
}

// FR-133
Deno.test("Deno sees no chunk of a bundle before it is loaded, and loads it then", async () => {
  const files = {
    "main.js": 'import"./a.js";if(Deno.args[0])import("./b.js").then(m=>console.log(m.name));',
    "a.js": "export const a=1;",
    "b.js": 'export const name="b";',
  };
  await inFolder(files, async (folder) => {
    await hideChunks(folder);
    const { modules } = JSON.parse(await deno("info", "--json", `${folder}/main.js`));
    const seen = modules.map(({ specifier }: { specifier: string }) => specifier.split("/").pop());
    assert.deepEqual(seen.sort(), ["a.js", "main.js"]);
    assert.equal(await deno("run", "--allow-read", `${folder}/main.js`, "load"), "b\n");
  });
});

Deno.test("a bundle whose chunks cannot be identified is refused", async () => {
  await inFolder({ "main.js": "import(`./b.js`)" }, (folder) => assert.rejects(hideChunks(folder), /loads no chunk/));
});
