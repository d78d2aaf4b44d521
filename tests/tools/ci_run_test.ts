import assert from "node:assert/strict";

const SCRIPT = new URL("../../.ci/run", import.meta.url).pathname;

/** What the fake `npx deno …` says: by the first words of its arguments, a text, an exit code, and what runs before. */
type Answers = Readonly<Record<string, readonly [text: string, code?: number, before?: string]>>;

const GREEN: Answers = {
  "task test": ["ok | 12 passed (3 steps) | 0 failed | 1 ignored (2s)"],
  "task examples": ["ok | 2 passed | 0 failed (4s)\n2 passed, 0 failed"],
  "task test:clients": ["ok | 3 passed | 0 failed (8s)"],
  "task test:binary": ["package: done\nok | 5 passed | 0 failed (8s)"],
  "task test:kind": [
    "a run (ignored: there is no kind in PATH) ... ignored\nok | 0 passed | 0 failed | 1 ignored (0ms)",
  ],
  "task demo": ["✓ one\nconverged: 5 of 5 copies"],
};

/**
 * Runs a copy of the script in a folder of its own, with a fake npx before the real one; returns its exit code and
 * lines.
 */
async function ciRun(answers: Answers, assets = false): Promise<{ code: number; lines: string[] }> {
  const folder = await Deno.makeTempDir({ prefix: "pintle-ci-" });
  try {
    for (const path of ["repository/.ci", "bin", "assets"]) await Deno.mkdir(`${folder}/${path}`, { recursive: true });
    await Deno.copyFile(SCRIPT, `${folder}/repository/.ci/run`);
    // `task test` is the beginning of `task test:envtest`: longer names are looked at first.
    const cases = Object.entries(answers).sort(([a], [b]) => b.length - a.length).map((
      [words, [text, code = 0, before = ":"]],
    ) => `"--yes deno@2.9.6 ${words}"*) ${before}\ncat <<'END'\n${text}\nEND\nexit ${code};;`);
    const program = async (path: string, text: string) => {
      await Deno.writeTextFile(`${folder}/${path}`, text);
      await Deno.chmod(`${folder}/${path}`, 0o755);
    };
    await program("bin/npx", `#!/bin/bash\ncase "$*" in\n${cases.join("\n")}\nesac\n`);
    await program("assets/kube-apiserver", "");
    await program("bin/chromium", ""); // nothing is to be installed for this
    const { code, stdout } = await new Deno.Command(`${folder}/repository/.ci/run`, {
      clearEnv: true,
      env: {
        PATH: `${folder}/bin:${Deno.env.get("PATH")}`,
        ...(assets ? { KUBEBUILDER_ASSETS: `${folder}/assets` } : {}),
      },
      stderr: "null",
    }).output();
    return { code, lines: new TextDecoder().decode(stdout).trimEnd().split("\n") };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

// FR-143
Deno.test("where everything holds, its last line adds up what ran, and it exits 0", async () => {
  const { code, lines } = await ciRun(GREEN);
  assert.deepEqual([code, lines.at(-1)], [0, "29 passed, 0 failed"], "22 tests and 7 checks");
  const both = await ciRun({ ...GREEN, "task test:envtest": ["ok | 7 passed | 0 failed (9s)"] }, true);
  assert.deepEqual([both.code, both.lines.at(-1)], [0, "36 passed, 0 failed"], "and 7 on a real one");
});

// FR-143
Deno.test("a suite that fails, ends badly or runs nothing is a failure", async () => {
  const cases: [string, readonly [string, number?], string][] = [
    ["a failed test", ["FAILED | 11 passed | 2 failed (2s)", 1], "28 passed, 2 failed"],
    ["an end without a failed test", ["ok | 12 passed | 0 failed (2s)", 1], "29 passed, 1 failed"],
    ["no word of a test", ["", 0], "17 passed, 1 failed"],
    ["not one test", ["ok | 0 passed | 0 failed (1ms)", 0], "17 passed, 1 failed"],
    ["types that do not check", ["error: Type checking failed.", 1], "17 passed, 1 failed"],
  ];
  for (const [what, answer, last] of cases) {
    const { code, lines } = await ciRun({ ...GREEN, "task test": answer });
    assert.deepEqual([code, lines.at(-1)], [1, last], what);
  }
  const { code, lines } = await ciRun({ ...GREEN, "task test:envtest": ["", 0] }, true);
  assert.deepEqual([code, lines.at(-1)], [1, "29 passed, 1 failed"], "the real control plane ran nothing");
});

// FR-143
Deno.test("the suites on a real control plane run beside the others, and are waited for", async () => {
  const pipe = await Deno.makeTempFile({ prefix: "pintle-ci-" });
  await Deno.remove(pipe);
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  try {
    const wait = `timeout 60 cat ${pipe} || exit 1`, go = `timeout 60 tee ${pipe} </dev/null`;
    const { code, lines } = await ciRun({
      ...GREEN,
      // The first suite ends once the one beside it has begun; that one ends when the last check runs.
      "task test": [GREEN["task test"]![0], 0, wait],
      "task test:envtest": ["ok | 7 passed | 0 failed (9s)", 0, `${go}\n${wait}`],
      "publish": ["", 0, go],
    }, true);
    assert.deepEqual([code, lines.at(-1)], [0, "36 passed, 0 failed"]);
  } finally {
    await Deno.remove(pipe);
  }
});

// FR-143
Deno.test("each check that fails is a failure, and names itself", async () => {
  const checks: Record<string, string> = {
    "fmt": "format",
    "lint": "lint",
    "task check": "types",
    "task doc:lint": "docs",
    "publish": "publishing",
  };
  for (const [words, name] of Object.entries(checks)) {
    const { code, lines } = await ciRun({ ...GREEN, [words]: ["what is wrong", 1] });
    assert.deepEqual([code, lines.at(-1)], [1, "28 passed, 1 failed"]);
    assert.ok(lines.includes(`FAILED: ${name}`) && lines.includes("what is wrong"));
  }
  const unconverged = await ciRun({ ...GREEN, "task demo": ["converged: 4 of 5 copies"] });
  assert.deepEqual([unconverged.code, unconverged.lines.at(-1)], [1, "28 passed, 1 failed"]);
});

// FR-143
Deno.test("it runs what the README shows", async () => {
  const [script, readme] = await Promise.all(
    [SCRIPT, new URL("../../README.md", import.meta.url)].map((path) => Deno.readTextFile(path)),
  );
  assert.match(script!, /^DENO="npx --yes deno@2\.9\.6"$/m);
  for (const task of ["test", "demo"]) {
    assert.ok(readme!.includes(`\nnpx --yes deno@2.9.6 task ${task}\n`));
    assert.match(script!, new RegExp(`\\$DENO task ${task}\\b`));
  }
});
