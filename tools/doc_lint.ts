/**
 * `deno task doc:lint`: `deno doc --lint` of the entry points. The constants of built-in kinds are typed by a package, whose types are
 * documented there and are not exported again: that they are private here is no fault.
 *
 * @module
 */
import { ROOT } from "./build_app.ts";

const ENTRY_POINTS = ["lib/mod.ts", "lib/harness/mod.ts"];
const BUILTIN_KIND =
  /^error\[private-type-ref\]: public type '(\w+)' references private type '\1'\n *--> \S*\/builtin_kinds\.ts:/;

const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
  args: ["doc", "--lint", "-q", ...ENTRY_POINTS],
  cwd: ROOT,
  env: { NO_COLOR: "1" },
}).output();
const output = new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout);
const [first = "", ...findings] = output.split(/^(?=error(?:\[|:))/m);
const faults = findings.filter((finding) => !BUILTIN_KIND.test(finding) && !finding.startsWith("error: Found "));
if (faults.length > 0) await Deno.stderr.write(new TextEncoder().encode(faults.join("")));
if (faults.length > 0) Deno.exit(1);
if (findings.length === 0 && first.includes("rror")) throw new Error(first);
