import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);

const MISTAKES = [
  [`await apply(ConfigMap, { dat: {} });`, "'dat' does not exist"],
  [
    `await apply(Pod, { spec: { containers: [{ name: "a", imag: "b" }] } });`,
    "'imag' does not exist in type 'Container'",
  ],
  [`await apply(Widget, { spec: { sise: 1 } });`, "'sise' does not exist"],
] as const;

// FR-381
Deno.test("the compiler names a mistyped child field in at most five lines", async () => {
  const messages = await check(MISTAKES.map(([line]) => line));
  assert.equal(messages.length, MISTAKES.length, messages.join("\n"));
  for (const [index, [, said]] of MISTAKES.entries()) {
    const message = messages[index]!;
    assert.ok(message.includes(said), message);
    assert.ok(message.split("\n").length <= 5, message);
  }
});

/** What `deno check` says of a handler with these lines, a message each. */
async function check(lines: readonly string[]): Promise<string[]> {
  const folder = await Deno.makeTempDir({ dir: new URL("tests/", ROOT).pathname, prefix: ".types-" });
  try {
    const path = `${folder}/operator.ts`;
    await Deno.writeTextFile(
      path,
      `import * as z from "zod";
import { ConfigMap, defineResource, Operator, Pod } from "../../lib/mod.ts";
const kind = { group: "shop.example.com", version: "v1", kind: "Widget" };
const Widget = defineResource({ ...kind, spec: z.object({ size: z.int().default(1) }) });
new Operator("widgets").on(Widget).reconcile(async ({ apply }) => {
${lines.join("\n")}
});
`,
    );
    const command = new Deno.Command(Deno.execPath(), {
      args: ["check", "-q", path],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    });
    const { code, stderr } = await command.output();
    assert.equal(code, 1);
    const said = new TextDecoder().decode(stderr).trim();
    return said.split(/\n+(?=TS\d+ |Found \d+ errors|error: )/).filter((message) => message.startsWith("TS"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
