import assert from "node:assert/strict";
import { type BinaryOptions, DEMO_PERMISSIONS, runBinary } from "./binary.ts";

const PROGRAM: BinaryOptions = { main: "tests/cli/misdeclared_operator.ts", permissions: DEMO_PERMISSIONS };
const COMMANDS = [
  ["run", "--http-port", "0", "--cluster", "embedded"],
  ["plan", "--cluster", "embedded"],
  ["install", "--cluster", "embedded"],
  ["uninstall", "--cluster", "embedded"],
  ["doctor", "--cluster", "embedded"],
  ["migrate-storage", "--cluster", "embedded"],
  ["demo"],
  ["test"],
];

// FR-333, FR-437
Deno.test("a kind that no CRD can hold ends the program with 1 where it is declared, and names kind and field", async () => {
  const { code, err } = await runBinary(["run"], { ...PROGRAM, env: { NO_COLOR: "1" } });
  assert.equal(code, 1, err);
  assert.match(err, /Widget\.spec\.size: a CRD's structural schema cannot hold this union; use z\.discriminatedUnion/);
  const frames = err.match(/^ {4}at .*$/gm)!;
  assert.match(frames[0]!, /misdeclared_operator\.ts:\d+:\d+\)?$/, "the declaration comes first");
  assert.doesNotMatch(err, /\/lib\/|node_modules|zod/, err);
});

// FR-333
Deno.test("every command whose CRD the server refuses ends with 1 and names kind and field", async () => {
  for (const args of COMMANDS) {
    const { code, out, err } = await runBinary(args, { ...PROGRAM, env: { REFUSED: "1" } });
    assert.equal(code, 1, `${args.join(" ")}: ${out}${err}`);
    assert.match(out + err, /widgets\.misdeclared\.test\.pintle\.dev.*properties\[spec\]\.properties\[size\]/);
    assert.doesNotMatch(err, /\n\s+at /, args.join(" "));
  }
});
