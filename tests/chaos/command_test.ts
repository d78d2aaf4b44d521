import assert from "node:assert/strict";
import { realKubeconfig } from "../cluster.ts";
import { Binary, runBinary } from "../cli/binary.ts";

const PROGRAM = { main: "tests/chaos/main.ts", permissions: ["-A"], group: true };
const ASSETS = { KUBEBUILDER_ASSETS: Deno.env.get("KUBEBUILDER_ASSETS") ?? "" };
/** It starts a control plane of its own, where this run of the tests has one to start. */
const ignore = realKubeconfig === undefined;

/** Files and programs that a run has left: its temporary files are all in `folder`. */
async function leftovers(folder: string): Promise<string[]> {
  const files = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  const { stdout } = await new Deno.Command("ps", { args: ["-eo", "args"] }).output();
  const programs = new TextDecoder().decode(stdout).split("\n").filter((line) => line.includes(`${folder}/`));
  return [...files, ...programs];
}

async function inFolder(run: (env: Record<string, string>) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "chaos-test-" });
  try {
    await run({ ...ASSETS, TMPDIR: folder });
    assert.deepEqual(await leftovers(folder), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  // FR-370
  name: "a short fault run prints its seed and the figures of each fault, passes, and leaves nothing behind",
  ignore,
  fn: () =>
    inFolder(async (env) => {
      const args = ["--seed", "3", "--minutes", "0.4", "--only", "replicator-kills,network"];
      const { code, out, err } = await runBinary(args, { ...PROGRAM, env });
      assert.equal(code, 0, out + err);
      const lines = out.trimEnd().split("\n");
      assert.deepEqual([lines[0], lines.at(-1)], ["seed 3, 0.4 minutes", "2 passed, 0 failed"]);
      assert.match(out, /^ok: replicator-kills: 2 faults, \d+ operations .* 0 violations/m);
      assert.match(out, /^ok: network: \d+ faults, .* 0 violations/m);
    }),
});

Deno.test({
  // FR-372
  name: "Ctrl-C ends a fault run with 130 and the figures so far, and leaves nothing behind",
  ignore,
  fn: () =>
    inFolder(async (env) => {
      await using chaos = await Binary.start(["--only", "children-kills"], { ...PROGRAM, env });
      await chaos.until(/5 of 50 kills/);
      chaos.kill("SIGINT");
      const { code, out } = await chaos.ended();
      assert.equal(code, 130, out);
      assert.match(out, /children-kills: [1-9]\d* faults, .*\n(?: .*\n)*interrupted\n0 passed, 0 failed\n$/);
    }),
});

// FR-372
Deno.test("a fault run with wrong arguments names them, and exits 2", async () => {
  const { code, err } = await runBinary(["--only", "storms"], PROGRAM);
  assert.equal(code, 2);
  assert.match(err, /chaos: there is no fault "storms"\n {2}there are replicator-kills, /);
  const help = await runBinary(["--help"], PROGRAM);
  assert.equal(help.code, 0);
  assert.match(help.out, /usage: deno task chaos/);
});
