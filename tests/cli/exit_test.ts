import assert from "node:assert/strict";
import { Mask, UsageError } from "../../lib/base/mod.ts";
import { reportError } from "../../lib/cli/exit.ts";

// FR-283
Deno.test("an error that ends a command tells no value of a Secret: not in its message, its causes, its hint or its stack", () => {
  const value = "admin-prod-S3cr3t", mask = new Mask(), lines: string[] = [];
  mask.learn({}, value.length, () => [value]);
  const terminal = { err: (line: string) => void lines.push(line), errorColor: false };
  const cause = new Error(`refused ${btoa(value)}`);
  const error = new UsageError(`cannot use ${value}`, `choose another than ${value.slice(0, 12)}…`, { cause });
  reportError(terminal, "p", error, { debug: true, mask });
  assert.equal(lines[0], "p: cannot use [secret]: refused [secret]=");
  assert.equal(lines[1], "  fix: choose another than [secret]…");
  const told = lines.join("\n");
  for (let at = 0; at + 8 <= value.length; at++) assert.ok(!told.includes(value.slice(at, at + 8)), told);
  assert.ok(told.includes("caused by Error: refused [secret]"), told);
});
