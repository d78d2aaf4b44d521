import assert from "node:assert/strict";
import { parse } from "yaml";
import { GuideProject } from "./guide_project.ts";
import { TEST_SETTINGS } from "../lib/cli/test_settings.ts";

const GUIDE = "docs/testing.md";

// FR-179
Deno.test("the guide's project is formatted, linted and typed, and every block of code in the guide is of a known kind", async () => {
  await using guide = await GuideProject.open(GUIDE);
  for (const command of ["deno check .", "deno lint", "deno fmt --check"]) {
    const { code, out, err } = await guide.run(command);
    assert.equal(code, 0, out + err);
  }
  const languages = [...guide.text.matchAll(/^```(\w*)\n/gm)].map(([, language]) => language).filter(Boolean);
  assert.deepEqual([...new Set(languages)].sort(), ["sh", "text", "ts", "yaml"]);
});

// FR-179
Deno.test("every command of the guide, in its shell and for CI, does what its project promises", async () => {
  await using guide = await GuideProject.open(GUIDE);
  const [ci] = guide.blocks("yaml").map((block) => parse(block) as { steps: { run?: string }[] });
  const commands = [...guide.commands, ...ci!.steps.flatMap(({ run }) => run ?? [])];
  const names = [...guide.text.matchAll(/\.scenario\("([^"]+)"/g)].map(([, name]) => name!);
  const ran = new Map<string, string>();
  for (const command of new Set(commands)) {
    const { code, out, err } = await guide.run(command);
    assert.equal(code, 0, `${command}\n${out}${err}`);
    ran.set(command, out);
  }
  const tests = ran.get("deno test -A")!;
  for (const name of names) assert.ok(tests.includes(`: ${name} ... ok`), name);
  assert.match(tests, /timed: a door is inspected every ten minutes \.\.\. ok/);
  assert.match(tests, /\nok \| 11 passed \| 0 failed/);
  const last = (command: string) => ran.get(command)!.trimEnd().split("\n").at(-1);
  assert.equal(last("deno run -A main.ts test"), "8 passed, 0 failed");
  assert.equal(ran.get("deno run -A main.ts test --list")!.trimEnd().split("\n").length, 8);
  assert.equal(last("deno run -A main.ts test doors"), "4 passed, 0 failed");
  assert.equal(last("deno run -A main.ts test --filter label"), "3 passed, 0 failed");
  assert.equal(last(`deno run -A main.ts test --filter "/^process: killed/"`), "2 passed, 0 failed");
  assert.match(
    ran.get("deno run -A main.ts test --seed 42 --wait 10s --parallel 2")!,
    /seed 42\n8 passed, 0 failed\n$/,
  );
  for (const report of ["results.xml", "report.html"]) await Deno.stat(`${guide.folder}/${report}`);
});

// FR-179
Deno.test("a failure looks as the guide shows it", async () => {
  await using guide = await GuideProject.open(GUIDE);
  const path = `${guide.folder}/operator.ts`, source = await Deno.readTextFile(path);
  const broken = source.replace('keys === 1 ? "one key" : `${keys} keys`', "`${keys} keys`");
  assert.notEqual(broken, source);
  await Deno.writeTextFile(path, broken);
  const { code, out } = await guide.run(`deno run -A main.ts test --wait 1s --filter "a door has a label"`);
  assert.equal(code, 1, out);
  const anyRun = (text: string) =>
    text.replaceAll(/\(\d[\d.]*m?s\)/g, "(1s)").replaceAll(/test-[a-z0-9]+-/g, "test-0-")
      .replace(/seed \d+/, "seed 1");
  const [shown] = guide.blocks("text");
  assert.ok(anyRun(out).startsWith(anyRun(shown!)), `${out}\n--- is not\n${shown}`);
});

// FR-179
Deno.test("every flag and every bound that the guide names is one", async () => {
  await using guide = await GuideProject.open(GUIDE);
  const { out: help } = await guide.run("deno run -A main.ts test --help");
  const flags = [...new Set(guide.text.match(/(?<=[\s`(])--[a-z][a-z-]+/g))];
  assert.ok(flags.length > 10, flags.join(" "));
  for (const flag of flags) assert.match(help, new RegExp(`  ${flag}[ \\n]`));
  assert.equal(TEST_SETTINGS.testWaitMsMax.default, "60s", "a minute by default");
  for (const kind of guide.text.matchAll(/^\| `(\w+)`/gm)) assert.ok(help.includes(kind[1]!), kind[0]);
});
