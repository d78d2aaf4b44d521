/**
 * `deno task doc:lint`: `deno doc --lint` of the rooms behind the entry points, and of the entry points. The constants
 * of built-in kinds are typed by a package, whose types are documented there and are not exported again: that they are
 * private here is no fault. An entry point names only what its users name, so types that it refers to may be missing
 * there, though not in the room.
 *
 * @module
 */
import { ROOT } from "./build_app.ts";

const ROOMS = ["lib/operator/mod.ts", "lib/cli/mod.ts", "lib/harness/mod.ts"];
const ENTRY_POINTS = ["lib/mod.ts", "lib/client.ts", "lib/cli.ts"];
const BUILTIN_KIND =
  /^error\[private-type-ref\]: public type '(\w+)' references private type '\1'\n *--> \S*\/builtin_kinds\.ts:/;
const PRIVATE = /^error\[private-type-ref\]/;

const faults = [...await lint(ROOMS, BUILTIN_KIND), ...await lint(ENTRY_POINTS, PRIVATE)];
if (faults.length > 0) {
  await Deno.stderr.write(new TextEncoder().encode(faults.join("")));
  Deno.exit(1);
}

/** What `deno doc --lint` finds in these files, without what `allowed` matches. */
async function lint(files: readonly string[], allowed: RegExp): Promise<string[]> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", "-q", ...files],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const output = new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout);
  const [first = "", ...findings] = output.split(/^(?=error(?:\[|:))/m);
  if (findings.length === 0 && first.includes("rror")) throw new Error(first);
  return findings.filter((finding) => !allowed.test(finding) && !finding.startsWith("error: Found "));
}
