/**
 * `deno task conformance`: sends the scripts of tests/conformance to the embedded server and to a real kube-apiserver,
 * and compares the answers. Its last line is `agreement: N of M cases`. Without `KUBEBUILDER_ASSETS` it compares with
 * recorded answers. It fails on a difference that has no reason in tests/conformance/accepted_differences.ts and is not
 * listed in open_differences.json, which `--write-open` writes. `--open` shows these too. `--write-docs` writes the
 * figures into docs/embedded_api_server.md.
 *
 * ```sh
 * KUBEBUILDER_ASSETS=… deno task conformance [--area NAME]… [--case TEXT] [--record] [--recorded] [--open]
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import { SystemClock } from "../lib/base/mod.ts";
import { EmbeddedCluster } from "../lib/harness/mod.ts";
import { EnvtestCluster } from "../lib/harness/envtest.ts";
import { envtestFolders, locateEnvtest } from "../lib/harness/mod.ts";
import { AREAS } from "../tests/conformance/cases/mod.ts";
import { answersOf, type Compared, compared, record, recordedAnswers } from "../tests/conformance/comparison.ts";
import { agrees, areaTable, describeDifference, withSection } from "../tests/conformance/report.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    area: { type: "string", multiple: true, default: [] },
    case: { type: "string", default: "" },
    record: { type: "boolean", default: false },
    recorded: { type: "boolean", default: false },
    open: { type: "boolean", default: false },
    "write-docs": { type: "boolean", default: false },
    "write-open": { type: "boolean", default: false },
  },
});
function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function refuse(why: string): never {
  Deno.stderr.writeSync(new TextEncoder().encode(`conformance: ${why}\n`));
  Deno.exit(2);
}

const unknown = values.area.filter((name) => !AREAS.some((area) => area.name === name));
if (unknown.length > 0) refuse(`no area ${unknown.join(", ")}; there are: ${AREAS.map(({ name }) => name).join(", ")}`);
const env = Deno.env.toObject(), clock = new SystemClock();
const isReal = Boolean(env.KUBEBUILDER_ASSETS) && !values.recorded;
if (!isReal && values.record) {
  refuse("--record needs a real control plane: set KUBEBUILDER_ASSETS");
}
await using real = isReal ? await startReal() : undefined;

async function startReal(): Promise<EnvtestCluster> {
  const located = { assets: env.KUBEBUILDER_ASSETS, folders: envtestFolders(env), clock };
  const programs = await locateEnvtest(located, new AbortController().signal);
  return await EnvtestCluster.start({ programs, clock, serverArgs: ["--allow-privileged=true"] });
}

const results: Compared[] = [];
for (const area of AREAS) {
  if (values.area.length > 0 && !values.area.includes(area.name)) continue;
  const scripts = area.scripts.filter(({ name }) => name.includes(values.case));
  await using embedded = new EmbeddedCluster();
  const wanted = real ? await answersOf(real, area, scripts) : await recordedAnswers(area, scripts);
  const seen = await answersOf(embedded, area, scripts);
  if (values.record) await record(area, scripts, wanted);
  scripts.forEach((script, index) => results.push(compared(area, script, wanted[index]!, seen[index]!)));
}
if (values["write-open"]) await writeOpen();
if (values["write-docs"]) await writeDocs();

/** The section of docs/embedded_api_server.md that tells the figures. */
async function writeDocs(): Promise<void> {
  const file = new URL("../docs/embedded_api_server.md", import.meta.url);
  await Deno.writeTextFile(file, withSection(await Deno.readTextFile(file), results));
}

/** Areas that were not compared keep their list. */
async function writeOpen(): Promise<void> {
  const file = new URL("../tests/conformance/open_differences.json", import.meta.url);
  const lists: Record<string, readonly string[]> = JSON.parse(await Deno.readTextFile(file));
  for (const { area } of results) delete lists[area];
  for (const { area, script, difference, accepted } of results) {
    if (difference && (!accepted || accepted === "open")) lists[area] = [...lists[area] ?? [], script.name];
  }
  await Deno.writeTextFile(file, `${JSON.stringify(lists, null, 2)}\n`);
}

const unexplained = results.filter((result) => !agrees(result) && !result.accepted);
for (const result of values.open ? results.filter((result) => !agrees(result)) : unexplained) {
  say(`${describeDifference(result)}\n`);
}
say(areaTable(results).join("\n"));
const explained = results.length - unexplained.length - results.filter(agrees).length;
if (explained > 0) say(`${explained} of the differences are accepted with a reason, or listed as open`);
say(
  real ? "compared with a real kube-apiserver" : "compared with recorded answers: KUBEBUILDER_ASSETS is not set",
);
say(`agreement: ${results.filter(agrees).length} of ${results.length} cases`);
if (unexplained.length > 0) Deno.exitCode = 1;
