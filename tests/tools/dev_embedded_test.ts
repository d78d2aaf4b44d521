import assert from "node:assert/strict";
import { Binary } from "../cli/binary.ts";
import { CTRL_C, terminalTest } from "../cli/on_terminal.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The program of a project whose only scenario passes or fails. */
const program = (works: boolean) => `
import { Suite } from "./lib/harness/mod.ts";
import { cli } from "./lib/cli.ts";
import { replicator } from "./lib/replicator/mod.ts";

const works: boolean = ${works};
const suite = new Suite("loop", replicator).scenario("it works", async ({ given }) => {
  await given("a truth", () => {
    if (!works) throw new Error("not yet");
  });
});
const suites = () => Promise.resolve([suite]);
Deno.exitCode = await cli(replicator(), { args: Deno.args, env: Deno.env.toObject(), suites });
`;

/** A project around the library, whose program a test may change without changing the repository. */
async function project(): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir({ prefix: "pintle-dev-loop-" });
  for (const name of ["lib", "deploy", "tools", "deno.json", "deno.lock"]) {
    await Deno.symlink(ROOT + name, `${folder}/${name}`);
  }
  await Deno.writeTextFile(`${folder}/main.ts`, program(false));
  return { folder, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

/** Starts the loop of a project. */
function start(folder: string, wrapper: readonly string[] = [], input = false): Promise<Binary> {
  const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
  return Binary.start(["run", "-q", "-A", `${folder}/tools/dev_embedded.ts`], {
    program: Deno.execPath(),
    wrapper,
    input,
    env: { TERM: "xterm-256color", NO_COLOR: "1", DENO_DIR: cache },
  });
}

// FR-195
terminalTest(
  "the embedded loop runs operator and scenarios, runs them again when a source changes, and Ctrl-C leaves nothing",
  async () => {
    await using made = await project();
    const { folder } = made;
    await using loop = await start(folder, ["python3", `${ROOT}tests/cli/terminal.py`, "120", "40"], true);
    await loop.until(/operator \| \S+ INFO {2}operator runs/);
    await loop.until(/tests {4}\| ✗ loop: it works[^]*tests {4}\| 0 passed, 1 failed/);
    const [, kubeconfig] = await loop.until(/export KUBECONFIG=(\S+\/kubeconfig)\b/);
    const { mode } = await Deno.stat(kubeconfig!);
    assert.equal(mode! & 0o777, 0o600, "its reader is the administrator");
    await Deno.writeTextFile(`${folder}/main.ts`, program(true));
    await loop.until(/tests {4}\| 1 passed, 0 failed/);
    await loop.until(/operator stopped[^]*operator \| \S+ INFO {2}operator runs/);
    await loop.send(CTRL_C);
    const { code, out } = await loop.ended();
    assert.equal(code, 0, out);
    assert.doesNotMatch(out, /\n\s+at |✓ loop/, "neither a trace nor a scenario that passed");
    await assert.rejects(Deno.stat(kubeconfig!), Deno.errors.NotFound);
  },
);

// FR-195
Deno.test("SIGTERM ends the embedded loop and what it started, though a watcher would go on", async () => {
  await using made = await project();
  const { folder } = made;
  await using loop = await start(folder);
  const [, kubeconfig] = await loop.until(/export KUBECONFIG=(\S+)\n/);
  await loop.until(/\noperator \| \S+ INFO {2}operator runs/);
  await loop.until(/\ntests {4}\| 0 passed, 1 failed\n/);
  loop.kill("SIGTERM");
  const { code, err } = await loop.ended(); // which waits for its output's end: no process has it open any more
  assert.deepEqual([code, err], [0, ""]);
  await assert.rejects(Deno.stat(kubeconfig!), Deno.errors.NotFound);
});
