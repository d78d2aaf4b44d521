import assert from "node:assert/strict";
import { Binary, type BinaryOptions, type Ended } from "../cli/binary.ts";
import { runProgram, testWith } from "../outside_program.ts";
import { environment, KIND, MISSING, RUNTIME } from "./kind_here.ts";

/** Names of its own for each run, so that runs at the same time, and leftovers of a killed one, do not collide. */
const PREFIX = `pintle-kind-test-${Deno.pid}`;

function start(args: readonly string[]): Promise<Binary> {
  const options: BinaryOptions = { permissions: ["-A"], group: true, env: environment() };
  return Binary.start(["test", "--cluster", "kind", ...args], options);
}

async function run(args: readonly string[]): Promise<Ended> {
  await using binary = await start(args);
  return await binary.ended();
}

/** Names of clusters of this run that exist. */
async function clusters(): Promise<string[]> {
  const { out } = await runProgram(KIND!, ["get", "clusters"]);
  return out.split("\n").filter((name) => name.startsWith(PREFIX));
}

/** Deletes a cluster where a test that failed left it. */
function deletion(name: string): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      if ((await clusters()).includes(name)) await runProgram(KIND!, ["delete", "cluster", "--name", name]);
    },
  };
}

// FR-174
testWith(MISSING, "a run creates a kind cluster, runs a scenario there and deletes the cluster", async () => {
  const name = `${PREFIX}-one`;
  await using _deleted = deletion(name);
  const { code, out, err } = await run(["replication", "--kind-name", name, "--filter", "mebibyte"]);
  assert.deepEqual([code, err], [0, ""], out);
  assert.match(out, /on kind v1\.\d+\S*, operator in-process[^]*\n1 passed, 0 failed\n$/);
  assert.deepEqual(await clusters(), []);
});

testWith(
  MISSING,
  // FR-174
  "a cluster that is kept is used again, with the operator as a pod, and its node gets no image",
  async () => {
    const name = `${PREFIX}-two`,
      filter = ["replication", "--kind-name", name, "--filter", "is copied to every matching"];
    await using _deleted = deletion(name);
    const kept = await run([...filter, "--keep-cluster"]);
    assert.equal(kept.code, 0, kept.out + kept.err);
    assert.deepEqual(await clusters(), [name]);
    const { code, out, err } = await run([...filter, "--reuse", "--deployed"]);
    assert.deepEqual([code, err], [0, ""], out);
    assert.match(out, /operator deployed[^]*\n1 passed, 0 failed\n$/);
    assert.deepEqual(await clusters(), [name], "it was there before");
    const again = await run([...filter, "--reuse", "--deployed", "--image", "pintle:nobody-built-this"]);
    assert.deepEqual([again.code, /has no image pintle:nobody-built-this/.test(again.err)], [2, true], again.err);
  },
);

// FR-174
testWith(MISSING, "Ctrl-C while a kind cluster comes up deletes what there is of it", async () => {
  const name = `${PREFIX}-three`;
  await using _deleted = deletion(name);
  const created = runProgram(RUNTIME!, ["events", "--filter", "type=container", "--filter", "event=create"], {
    until: new RegExp(name),
  });
  await using binary = await start(["replication", "--kind-name", name, "--filter", "mebibyte", "--keep-cluster"]);
  await created;
  binary.kill("SIGINT");
  const { code, out, err } = await binary.ended();
  assert.deepEqual([code, err], [130, ""], out);
  assert.match(out, /\n0 passed, 0 failed\n$/);
  assert.deepEqual(await clusters(), []);
});
