/**
 * `deno task doc:lint`: `deno doc --lint` of the entry points and of the packages behind them. An entry point exports
 * only the names that its users need, so types that these refer to may be missing there.
 *
 * @module
 */
import { ROOT } from "./build_app.ts";

const FILES = [
  "lib/mod.ts",
  "lib/client.ts",
  "lib/cli.ts",
  "lib/operator/mod.ts",
  "lib/cli/mod.ts",
  "lib/harness/mod.ts",
];
const PRIVATE = /^error\[private-type-ref\]/;

const faults = (await lint(FILES)).filter((fault) => !PRIVATE.test(fault));
if (faults.length > 0) {
  await Deno.stderr.write(new TextEncoder().encode(faults.join("")));
  Deno.exit(1);
}

/** What `deno doc --lint` finds in these files. */
async function lint(files: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", "-q", ...files],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const output = new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout);
  const [first = "", ...findings] = output.split(/^(?=error(?:\[|:))/m);
  if (findings.length === 0 && first.includes("rror")) throw new Error(first);
  return findings.filter((finding) => !finding.startsWith("error: Found "));
}
