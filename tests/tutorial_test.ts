import assert from "node:assert/strict";
import { type Block, blocksIn } from "./guide_project.ts";
import { Newcomer, WITHOUT_KUBECTL } from "./newcomer.ts";
import { testWith } from "./outside_program.ts";

const ROOT = new URL("../", import.meta.url), EXAMPLE = new URL("examples/web_app/", ROOT);
const page = await Deno.readTextFile(new URL("docs/tutorial.md", ROOT));
const start = await Deno.readTextFile(new URL("docs/start.md", ROOT));
/** Section 11 completes the operator: what stands before it is shown whole. */
const COMPLETE = "\n## 11.";
/** Blocks of these need Docker, or what this machine would have to fetch. */
const ELSEWHERE = /--cluster (?:envtest|kind)|^kind |docker/m;

/** A block that begins with the name of a file, and says so where a later one replaces it. */
function codeOf({ text }: Block): { file: string; code: string; isForNow: boolean } {
  const [, file, forNow, code] = /^(?:\/\/|#) ([\w/.]+)(, for now)?\n([^]+)$/.exec(text) ??
    assert.fail(`no file is named:\n${text}`);
  return { file: file!, code: code!, isForNow: forNow !== undefined };
}

const isCode = ({ language }: Block) => language === "ts" || language === "yaml";

// FR-453
Deno.test("each code block of the tutorial is an excerpt of its finished project, unless it is there for now", async () => {
  const blocks = blocksIn(page);
  assert.deepEqual([...new Set(blocks.map(({ language }) => language))].sort(), ["sh", "text", "ts", "yaml"]);
  const replaced = new Set<string>(), finished = new Set<string>();
  for (const { file, code, isForNow } of blocks.filter(isCode).map(codeOf)) {
    if (isForNow) replaced.add(file);
    else finished.add(file);
    const source = await Deno.readTextFile(new URL(file, EXAMPLE));
    assert.equal(source.includes(code), !isForNow, `${file} ${isForNow ? "is no longer for now" : "lacks"}\n${code}`);
  }
  assert.deepEqual([...replaced.difference(finished)], [], "what is there for now is shown as it becomes");
});

/** Does what the tutorial says in one part: its code goes into files, excerpts of one file below each other. */
async function follow(newcomer: Newcomer, part: string): Promise<void> {
  const written = new Set<string>();
  for (const block of blocksIn(part)) {
    if (block.language === "sh" && ELSEWHERE.test(block.text)) continue;
    if (!isCode(block)) {
      await newcomer.follow(block);
      continue;
    }
    const { file, code } = codeOf(block), path = `${newcomer.project}/${file}`;
    await Deno.writeTextFile(path, written.has(file) ? `\n${code}` : code, { append: written.has(file) });
    written.add(file);
  }
}

testWith(
  WITHOUT_KUBECTL,
  // FR-454
  "who follows the tutorial has an operator that works in its middle, and the finished one at its end",
  async () => {
    await using newcomer = await Newcomer.open("web-app");
    const [shell] = blocksIn(start), middle = page.indexOf("\n## 8."), complete = page.indexOf(COMPLETE);
    await newcomer.follow(shell!);
    await follow(newcomer, page.slice(0, middle));
    await newcomer.interrupt();
    // From here on the page shows parts, and has the reader copy the files.
    const commands = blocksIn(page.slice(complete)).filter((block) => !isCode(block));
    for (const block of commands) {
      if (block.language === "sh" && ELSEWHERE.test(block.text)) continue;
      await newcomer.follow(block);
    }
  },
);
