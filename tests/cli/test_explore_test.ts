import assert from "node:assert/strict";
import { Binary, DEMO_PERMISSIONS, type Ended } from "./binary.ts";

const MAIN = "main.ts", SCENARIO = "a ConfigMap is copied with its binary data";

async function explored(args: readonly string[]): Promise<Ended & { lines: readonly string[] }> {
  await using binary = await Binary.start(["test", "--explore", ...args], {
    main: MAIN,
    permissions: DEMO_PERMISSIONS,
  });
  const ended = await binary.ended();
  return { ...ended, lines: ended.out.trimEnd().split("\n") };
}

// FR-502
Deno.test("test --explore runs the plans of a scenario, and counts them in its last line", async () => {
  const { code, err, lines } = await explored(["--seed", "3", "--filter", SCENARIO, "--plans-max", "6"]);
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(lines[0], "exploring 1 scenarios, seed 3");
  assert.match(
    lines[1]!,
    /^replication: a ConfigMap is copied .* \.\.\. ok \(\d+ requests, 6 of \d+ plans; left out: .*\)$/,
  );
  assert.equal(lines.at(-1), "6 passed, 0 failed");
});

// FR-502
Deno.test("test --plan runs one plan of one scenario, and refuses what is not one", async () => {
  const once = await explored(["--filter", SCENARIO, "--plan", "write:1:crash:before"]);
  assert.deepEqual([once.code, once.lines.at(-1)], [0, "1 passed, 0 failed"]);
  const wrong = await explored(["--filter", SCENARIO, "--plan", "write:1:nap"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /^pintle: write:1:nap is not a plan of this version\n {2}fix: /);
  const many = await explored(["--plan", "write:1:late"]);
  assert.deepEqual([many.code, many.err.split("\n")[0]], [2, "pintle: --plan is for one scenario"]);
});
