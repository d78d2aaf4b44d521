import assert from "node:assert/strict";
import { Program } from "../../lib/harness/program.ts";

/**
 * A shell that exits with 7 at once. What it started touches `noticed` when that exit has been noticed, and says the
 * last words when `go` exists.
 */
const LATE_WORDS = `me=$$; (while kill -0 $me 2>/dev/null; do :; done; : > noticed
until [ -e go ]; do :; done; echo "cannot open the database" >&2) & exit 7`;

Deno.test("the failure of a program has its last words, also where they arrive after its exit code", async () => {
  const cwd = await Deno.makeTempDir();
  try {
    await using program = new Program("etcd", "/bin/sh", ["-c", LATE_WORDS], { cwd });
    await until(() => Deno.stat(`${cwd}/noticed`).then(() => true, () => false));
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    assert.equal(program.failure, undefined);
    await Deno.writeTextFile(`${cwd}/go`, "");
    await until(() => program.failure !== undefined);
    assert.equal(program.failure, "etcd exited with 7; its last output:\n  cannot open the database");
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!await isSo()) await nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
