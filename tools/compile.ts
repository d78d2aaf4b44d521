/**
 * `deno task compile`: one native executable by `deno compile`, of the bundled program. It needs the compile runtime
 * (denort), which Deno downloads once per target; `DENORT_BIN` names one that is there already.
 *
 * @module
 */
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../lib/base/mod.ts";
import { buildApp, requireBudget, ROOT, runBuildStep } from "./build_app.ts";
import { PERMISSIONS } from "./permissions.ts";

/** The targets of `deno compile`. */
const TARGETS: readonly string[] = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

await runBuildStep("compile", async () => {
  const { values, positionals: [target, ...rest] } = parseArgs({
    args: Deno.args,
    options: { output: { type: "string" } },
    allowPositionals: true,
  });
  if (rest.length > 0 || (target !== undefined && !TARGETS.includes(target))) {
    const named = [target, ...rest].join(" ");
    throw new UsageError(`there is no target ${named}`, `one of ${TARGETS.join(", ")}, or none for this machine`);
  }
  await check();
  const { folder, build, bytes } = await buildApp();
  requireBudget(bytes);
  const suffix = (target ?? Deno.build.target).includes("windows") ? ".exe" : "";
  const output = values.output ?? `${ROOT}/dist/pintle${target ? `-${target}` : ""}${suffix}`;
  // Made beside and renamed: deno compile replaces no file that it did not make, and a failure leaves the old one.
  const fresh = `${output}.new${suffix}`;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "--no-check", // it has been checked; the bundle is plain JavaScript
      "--no-config",
      "--no-lock",
      "--no-prompt",
      ...PERMISSIONS,
      ...(target ? ["--target", target] : []),
      "--include",
      folder,
      "--output",
      fresh,
      `${folder}/main.js`,
    ],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  const said = new TextDecoder().decode(stderr).trim();
  if (code === 0) {
    await Deno.rename(fresh, output);
    return `${relative(ROOT, output)} ${build.version} ${build.commit}`;
  }
  throw /denort|download|dns|connect|fetch/i.test(said)
    ? new UsageError(
      "the compile runtime (denort) cannot be downloaded here",
      "set DENORT_BIN to one, or take `deno task package`, which downloads nothing",
    )
    : new Error(`deno compile exited with ${code}:\n${said}`);
});

/** A bundle is not type-checked, so the program is before it. */
async function check(): Promise<void> {
  const checking = new Deno.Command(Deno.execPath(), { args: ["check", "-q", "main.ts"], cwd: ROOT });
  const { code, stderr } = await checking.output();
  if (code !== 0) throw new Error(`the program does not type-check:\n${new TextDecoder().decode(stderr)}`);
}
