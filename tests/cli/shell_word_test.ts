import assert from "node:assert/strict";
import { shellWord } from "../../lib/cli/shell_word.ts";

const WORDS = ["main.ts", "./shop", "it's a shop", "notes: it is repaired", "", "$HOME", 'a "b" `c` \\', "*", "-", "ü"];

// FR-477
Deno.test("a word of a command that is shown to a person comes back from a shell as it was", async () => {
  const script = `printf '%s\\n' ${WORDS.map(shellWord).join(" ")}`;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  assert.deepEqual(new TextDecoder().decode(stdout).split("\n").slice(0, -1), WORDS);
});

Deno.test("a word that every shell reads as it is has no quotes", () => {
  assert.deepEqual(["main.ts", "https://a.b/c@1.0", "x=y,z"].map(shellWord), ["main.ts", "https://a.b/c@1.0", "x=y,z"]);
});
