import assert from "node:assert/strict";
import { countOf } from "../../tools/examples.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

// FR-262
Deno.test("what the examples' tests counted is read, and a run without counts is a failure", () => {
  assert.deepEqual(countOf("ok | 13 passed | 0 failed (3s)", 0), { passed: 13, failed: 0 });
  assert.deepEqual(countOf("x\nFAILED | 2 passed (1 step) | 1 failed | 1 ignored (3s)\n", 1), { passed: 2, failed: 1 });
  assert.deepEqual(countOf("ok | 13 passed | 0 failed (3s)", 1), { passed: 13, failed: 1 }, "it ended badly");
  assert.deepEqual(countOf("ok | 0 passed | 0 failed (3s)", 0), { passed: 0, failed: 1 }, "nothing ran");
  assert.deepEqual(countOf("error: Module not found", 1), { passed: 0, failed: 1 });
});

/** Whole programs: the operators of README and of the tutorial, and one that tests of the cli start. */
const PROGRAMS = ["greetings", "web_app", "widgets"];

// FR-262
Deno.test("every example has a line with what it shows and how to try it, and a test", async () => {
  let count = 0;
  for await (const { name, isDirectory } of Deno.readDir(`${ROOT}examples`)) {
    if (!isDirectory || PROGRAMS.includes(name)) continue;
    const [operator, test] = await Promise.all(
      ["operator", "operator_test"].map((file) => Deno.readTextFile(`${ROOT}examples/${name}/${file}.ts`)),
    );
    assert.match(operator!, /^\/\/ .+\n(?:\/\/ .+\n)*\/\/ Try it: .*deno run -A examples\//, name);
    assert.ok(operator!.includes(`examples/${name}/operator.ts`), name);
    assert.match(operator!, /if \(import\.meta\.main\)/, name);
    assert.match(test!, /testSource|World/, `${name}: on every kind of cluster`);
    count++;
  }
  assert.ok(count >= 3);
});
