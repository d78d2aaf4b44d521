import assert from "node:assert/strict";
import project from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);

// FR-455
Deno.test("the task doc:html builds the reference of every entry point", async () => {
  const { command } = project.tasks["doc:html"], [deno, ...args] = command.split(" ");
  const entries = Object.values(project.exports).map((path) => path.replace("./", ""));
  assert.deepEqual([deno, args.filter((arg) => arg.endsWith(".ts"))], ["deno", entries]);
  assert.ok(args.includes("--output=dist/reference"));
  const folder = await Deno.makeTempDir({ prefix: "pintle-reference-" });
  try {
    const moved = args.map((arg) => arg.replace("dist/reference", folder));
    const { code, stderr } = await new Deno.Command(Deno.execPath(), { args: moved, cwd: ROOT }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    for (const page of ["~/Operator", "client/~/Client", "cli/~/cli", "testing/~/Suite"]) {
      assert.ok((await Deno.stat(`${folder}/${page}.html`)).isFile, page);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
