import assert from "node:assert/strict";
import { findProgram, runProgram, testWith } from "../outside_program.ts";
import { runBinary } from "./binary.ts";

/** How each shell is asked for what it offers after a line: by whatever it does for a person who presses Tab. */
const SHELLS: Record<string, (script: string, line: string, folder: string) => Promise<string>> = {
  bash: async (script, line) => {
    const words = line.split(/\s+|(?<==)|(?==)/);
    const ask = `source "$1"; shift; compopt() { :; }; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
      complete -p pintle >/dev/null && _pintle && printf '%s\\n' "\${COMPREPLY[@]}"`;
    return (await runProgram("bash", ["--norc", "-c", ask, "bash", script, ...words])).out;
  },
  zsh: async (script, line, folder) => {
    const driver = new URL("completions.zsh", import.meta.url).pathname, OUT = `${folder}/offered`;
    const { err } = await runProgram("zsh", ["-f", driver], { env: { SCRIPT: script, LINE: line, OUT }, cwd: folder });
    assert.equal(err, "");
    return await Deno.readTextFile(OUT).catch(() => "");
  },
  fish: async (script, line, folder) => {
    const ask = 'source $argv[1]; complete -C "$argv[2]" | string replace -r "\\t.*" ""';
    const env = { HOME: folder, XDG_CONFIG_HOME: folder };
    return (await runProgram("fish", ["--no-config", "-c", ask, script, line], { env, cwd: folder })).out;
  },
};

for (const [shell, offered] of Object.entries(SHELLS)) {
  const missing = await findProgram(shell) ? undefined : `there is no ${shell} here`;
  // FR-209
  testWith(missing, `${shell} completes commands, their flags, choices, suites and files`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "pintle-completions-" }), script = `${folder}/script`;
    try {
      const { code, out, err } = await runBinary(["completions", shell]);
      assert.deepEqual([code, err], [0, ""]);
      await Deno.writeTextFile(script, out);
      await Deno.writeTextFile(`${folder}/kubeconfig-of-mine`, "");
      const after = async (line: string) => {
        await Deno.remove(`${folder}/offered`).catch(() => {});
        return (await offered(script, line, folder)).split("\n").map((word) => word.trim()).filter(Boolean).sort();
      };
      assert.deepEqual(await after("pintle ru"), ["run"]);
      for (const name of ["run", "demo", "test", "init", "help", "completions"]) {
        assert.ok((await after("pintle ")).includes(name), name);
      }
      assert.deepEqual(await after("pintle demo --onc"), ["--once"]);
      assert.deepEqual(await after("pintle run --onc"), []);
      assert.deepEqual(await after("pintle uninst"), ["uninstall"]);
      assert.deepEqual(await after("pintle doctor --output "), ["json", "table"]);
      assert.deepEqual(await after("pintle plan --output "), ["json", "text"]);
      assert.deepEqual(await after("pintle uninstall --k"), ["--keep-crds", "--kubeconfig"]);
      assert.deepEqual(await after("pintle test --cluster "), ["current", "embedded", "envtest", "kind"]);
      assert.deepEqual(await after("pintle run --cluster e"), ["embedded"]);
      assert.deepEqual(await after("pintle run --log-level error --log-format j"), ["json"]);
      assert.deepEqual(await after("pintle completions z"), ["zsh"]);
      assert.deepEqual(await after("pintle test unh"), ["unhappy"]);
      assert.deepEqual(await after("pintle help conf"), ["config"]);
      const file = `pintle run --kubeconfig ${folder}/kubeconfig-`;
      assert.match((await after(file)).join("\n"), /^(.*\/)?kubeconfig-of-mine$/);
      if (shell === "bash") assert.deepEqual(await after("pintle run --cluster=emb"), ["embedded"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

// FR-209
Deno.test("completions reads no setting, and names the shells that it knows", async () => {
  assert.equal((await runBinary(["completions", "bash"], { env: { PINTLE_WORKERS_MAX: "none" } })).code, 0);
  const { code, out, err } = await runBinary(["completions", "tcsh"]);
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /Allowed choices are bash, zsh, fish/);
});
