import assert from "node:assert/strict";
import { Binary, DEMO_PERMISSIONS, runBinary } from "./binary.ts";

const OPTIONS = { main: "tests/cli/given_program.ts", permissions: DEMO_PERMISSIONS };

// FR-393
Deno.test("demo and run --cluster embedded begin with the program's prerequisites, kinds of others and their objects", async () => {
  const demo = await runBinary(["demo", "--once"], OPTIONS);
  assert.equal(demo.code, 0, demo.err);
  assert.match(demo.out, /^converged: 1 of 1 gauges$/m);
  await using run = await Binary.start(["run", "--cluster", "embedded", "--http-port", "0"], OPTIONS);
  await run.until(/ read kind=Gauge .*level=7/);
});

// FR-393
Deno.test("a prerequisite that cannot be installed is exit 2, with its place, kind and field", async () => {
  for (const args of [["demo", "--once"], ["run", "--cluster", "embedded", "--http-port", "0"]]) {
    const { code, err } = await runBinary([...args, "--broken"], OPTIONS);
    assert.equal(code, 2, err);
    assert.match(err, /reader: prerequisites\[1\]: the server refuses Gauge first: .*spec\.level/);
    assert.doesNotMatch(err, /\n\s+at /, "no stack trace");
  }
});

// FR-398
Deno.test("suites may import a main module that does not await the program", async () => {
  const { code, out, err } = await runBinary(["test"], { ...OPTIONS, main: "tests/cli/circular/unawaited.ts" });
  assert.equal(code, 0, err);
  assert.match(out, /1 passed, 0 failed\n$/);
});

// FR-398
Deno.test("suites that import the program's main module are exit 2 with both names and the way out, and no deadlock", async () => {
  const options = { ...OPTIONS, main: "tests/cli/circular/main.ts" };
  for (const args of [["test"], ["test", "--list"]]) {
    const { code, err } = await runBinary(args, options);
    assert.equal(code, 2, err);
    assert.match(
      err,
      /circular: suites\.ts imports main\.ts, which awaits cli\(\) and so cannot end before the suites are loaded\n/,
    );
    assert.match(err, /put what both need in a module of its own/);
    assert.doesNotMatch(err, /Top-level await/);
  }
});
