import assert from "node:assert/strict";
import { Binary } from "./cli/binary.ts";
import { blocksIn } from "./guide_project.ts";
import { DENO_CACHE, KUBECTL, Newcomer, WITHOUT_KUBECTL } from "./newcomer.ts";
import { runProgram, testWith } from "./outside_program.ts";

const ROOT = new URL("../", import.meta.url);

testWith(
  WITHOUT_KUBECTL,
  // FR-451
  "who follows docs/start.md from its first to its last line has an operator that reconciles",
  async () => {
    await using newcomer = await Newcomer.open("shop");
    const blocks = blocksIn(await Deno.readTextFile(new URL("docs/start.md", ROOT)));
    assert.deepEqual([...new Set(blocks.map(({ language }) => language))].sort(), ["sh", "text", "ts"]);
    for (const block of blocks) await newcomer.follow(block);
    await newcomer.interrupt();
  },
);

const README = await Deno.readTextFile(new URL("README.md", ROOT));
const GREETINGS = "examples/greetings/main.ts";

// FR-36, FR-145
Deno.test("the README's operator is the example, to the letter, in at most twelve lines of code", async () => {
  const [first] = blocksIn(README), example = await Deno.readTextFile(new URL(GREETINGS, ROOT));
  assert.deepEqual(first, { language: "ts", text: example });
  assert.ok(example.split("\n").filter(Boolean).length <= 12);
  await import("../examples/greetings/main.ts"); // starts nothing: a test may import it
});

testWith(
  WITHOUT_KUBECTL,
  // FR-36
  "the README's operator does what the README shows",
  async () => {
    const session = blocksIn(README).find(({ text }) => text.startsWith("$ "))!.text;
    const started = /^`deno (run .+?)` starts it/m.exec(README)![1]!.split(" ");
    await using operator = await Binary.start([
      "-c",
      'cd "$0" && exec "$@"',
      ROOT.pathname,
      Deno.execPath(),
      ...started,
    ], {
      program: "/bin/sh",
      env: { DENO_DIR: DENO_CACHE, NO_COLOR: "1", PINTLE_HTTP_PORT: "0" },
    });
    const [, kubeconfig] = await operator.until(/kubeconfig=(\S+)/);
    await operator.until(/operator runs/);
    let printed = "";
    for (const [, command] of session.matchAll(/^\$ kubectl (.+)$/gm)) {
      const { out, err } = await runProgram(KUBECTL!, command!.split(" "), {
        cwd: ROOT.pathname,
        env: { KUBECONFIG: kubeconfig!, HOME: operator.folder },
      });
      printed += `$ kubectl ${command}\n${out}${err}`;
    }
    assert.equal(`${printed}\n`, session);
    operator.kill("SIGINT");
    assert.equal((await operator.ended()).code, 0);
  },
);

// FR-452
Deno.test("README's commands for an operator of one's own work as they stand", async () => {
  await using newcomer = await Newcomer.open("shop");
  const block = blocksIn(README).find(({ text }) => / init /.test(text))!;
  await newcomer.follow(block);
  await newcomer.follow({ language: "text", text: "ok | 4 passed | 0 failed" });
});

Deno.test("README fits on a few screens", () => {
  assert.ok(README.trimEnd().split("\n").length <= 150);
});
