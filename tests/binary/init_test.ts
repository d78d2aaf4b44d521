import assert from "node:assert/strict";
import { findProgram, runProgram, testWith } from "../outside_program.ts";
import { runBinary } from "../cli/binary.ts";
import { PACKAGED } from "./build.ts";

const folder = await Deno.makeTempDir({ prefix: "pintle-init-binary-" });
Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));

/** As long as a name may be: whatever breaks a line does so here. */
const NAME = "an-operator-with-quite-a-long-name-for-an-operator";
const project = `${folder}/${NAME}`;

/** The project of the packaged program, made once. */
const made = await runBinary(["init", NAME], {
  program: PACKAGED,
  wrapper: ["sh", "-c", 'cd "$1"; shift; exec "$@"', "sh", folder],
});

async function deno(...args: string[]): Promise<string> {
  const { code, out, err } = await runProgram(Deno.execPath(), args, {
    cwd: project,
    env: { NO_COLOR: "1" },
    runMsMax: 300_000,
  });
  assert.equal(code, 0, `deno ${args.join(" ")}:\n${out}\n${err}`);
  return out + err;
}

// FR-207
Deno.test("a project that the packaged program made passes its own tests, with its scenarios among them", async () => {
  assert.deepEqual([made.code, made.err], [0, ""]);
  const said = await deno("task", "test");
  assert.match(said, /: a \w+ gets a ConfigMap, and is Ready \.\.\. ok/);
  assert.match(said, /\nok \| 4 passed \| 0 failed/);
});

// FR-207
Deno.test("it passes its own check, lint and format", async () => {
  await deno("task", "check");
  await deno("task", "lint");
  await deno("fmt", "--check");
});

// FR-207
Deno.test("its demo converges, its program runs its scenarios and prints its version", async () => {
  assert.match(await deno("task", "demo", "--once"), /\nconverged: 3 of 3 ConfigMaps\n/);
  assert.match(await deno("run", "-A", "main.ts", "test"), /\n3 passed, 0 failed\n$/);
  assert.equal(await deno("run", "-A", "main.ts", "version"), `${NAME} 0.1.0\n`);
});

// FR-207
Deno.test("its lock file holds what it needs and is not changed again", async () => {
  const before = await Deno.readTextFile(`${project}/deno.lock`);
  await deno("run", "--frozen", "-A", "main.ts", "version");
  assert.equal(await Deno.readTextFile(`${project}/deno.lock`), before);
});

const kubectl = await findProgram("kubectl", [Deno.env.get("KUBEBUILDER_ASSETS")]);
testWith(
  kubectl ? undefined : "there is no kubectl here",
  // FR-207
  "kustomize builds its overlays, with its image and its account",
  async () => {
    for (const overlay of ["base", "overlays/dev", "overlays/prod", "overlays/tilt"]) {
      const { code, out, err } = await runProgram(kubectl!, ["kustomize", `${project}/deploy/${overlay}`]);
      assert.equal(code, 0, err);
      assert.match(out, new RegExp(`kind: Deployment\n(?:.*\n)*? +image: ${NAME}`));
      assert.ok(out.includes(`serviceAccountName: ${NAME}\n`) && out.includes(`namespace: ${NAME}-system\n`));
    }
  },
);
