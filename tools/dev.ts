/**
 * `deno task dev`: the operator in a kind cluster, built and restarted by Tilt as its sources change. Creates the
 * cluster `pintle-dev` or takes the one that is there; it stays when Tilt ends.
 *
 * ```sh
 * deno task dev [--cluster NAME] [--base IMAGE] [--node-image IMAGE] [--ci] [-- FLAGS OF TILT]
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import { describeError, SystemClock, UsageError } from "../lib/base/mod.ts";
import { CommandError, KindSource, requireCommand } from "../lib/harness/mod.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const TILT = "install Tilt (docs.tilt.dev/install), or take `deno task dev:embedded`, which needs nothing";

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      cluster: { type: "string", default: "pintle-dev" },
      base: { type: "string" },
      "node-image": { type: "string", default: Deno.env.get("KIND_NODE_IMAGE") },
      ci: { type: "boolean", default: false },
    },
  });
  const interrupted = new AbortController();
  Deno.addSignalListener("SIGINT", () => interrupted.abort(new Error("interrupted")));
  await requireCommand("tilt", ["version"], TILT, { signal: interrupted.signal });
  const source = new KindSource({
    clock: new SystemClock(),
    name: values.cluster,
    nodeImage: values["node-image"],
    reuse: true,
    keep: true,
  });
  await using cluster = await source.open(interrupted.signal);
  const folder = await Deno.makeTempDir({ prefix: "pintle-dev-" });
  try {
    await Deno.writeTextFile(`${folder}/kubeconfig`, cluster.kubeconfig!, { mode: 0o600 });
    const settings = ["--deno", Deno.execPath(), ...(values.base ? ["--base", values.base] : [])];
    const tilt = new Deno.Command("tilt", {
      args: [values.ci ? "ci" : "up", "--context", `kind-${values.cluster}`, ...positionals, "--", ...settings],
      cwd: ROOT,
      env: { KUBECONFIG: `${folder}/kubeconfig` },
    }).spawn();
    return (await tilt.status).code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

try {
  Deno.exitCode = await main(Deno.args);
} catch (error) {
  const usage = error instanceof UsageError || error instanceof TypeError,
    hint = error instanceof UsageError && error.hint;
  const text = `dev: ${describeError(error)}${hint ? `\n  fix: ${hint}` : ""}\n`;
  await Deno.stderr.write(new TextEncoder().encode(text));
  Deno.exitCode = usage && !(error instanceof CommandError) ? 2 : 1;
}
