/**
 * `deno task conformance:kubectl`: runs the kubectl commands of tests/conformance/kubectl against the embedded server
 * and a real kube-apiserver from `KUBEBUILDER_ASSETS`, and compares what they print. Its last line is
 * `agreement: N of M commands`. `--all` shows every difference in full.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { SystemClock } from "../lib/base/mod.ts";
import { EmbeddedApiServer, HttpsServer } from "../lib/apiserver/mod.ts";
import { envtestFolders, locateEnvtest } from "../lib/harness/mod.ts";
import { EnvtestCluster } from "../lib/harness/envtest.ts";
import { type Command, COMMANDS } from "../tests/conformance/kubectl/commands.ts";
import { findProgram, runProgram } from "../tests/outside_program.ts";

const FILES = ["objects.yaml", "crd.yaml"], NAMESPACE = "team", LINES_MAX = 12;

const { values } = parseArgs({ args: Deno.args, options: { all: { type: "boolean", default: false } } });
const env = Deno.env.toObject(), clock = new SystemClock();
const kubectl = await findProgram("kubectl", [env.KUBEBUILDER_ASSETS]);
if (!env.KUBEBUILDER_ASSETS || !kubectl) {
  say("conformance:kubectl needs a real control plane with kubectl: set KUBEBUILDER_ASSETS");
  Deno.exit(2);
}
await using stack = new AsyncDisposableStack();
const folder = await Deno.makeTempDir({ prefix: "pintle-kubectl-" });
stack.defer(() => Deno.remove(folder, { recursive: true }));
for (const file of FILES) {
  await Deno.copyFile(new URL(`../tests/conformance/kubectl/${file}`, import.meta.url), `${folder}/${file}`);
}
const located = { assets: env.KUBEBUILDER_ASSETS, folders: envtestFolders(env), clock };
const programs = await locateEnvtest(located, new AbortController().signal);
const real = stack.use(await EnvtestCluster.start({ programs, clock, serverArgs: ["--allow-privileged=true"] }));
const api = new EmbeddedApiServer();
stack.defer(() => api.close());
const door = stack.use(await HttpsServer.start(api, { nowMs: Date.now() }));

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** What kubectl prints on one server, command by command. */
async function printed(name: string, kubeconfig: string, server: string): Promise<string[]> {
  const home = `${folder}/${name}`, path = `${home}/config`;
  await Deno.mkdir(home);
  await Deno.writeTextFile(path, kubeconfig, { mode: 0o600 });
  const run = async ({ line, stdin }: Command) => {
    const { code, out, err } = await runProgram(kubectl!, ["-n", NAMESPACE, ...line.split(" ")], {
      cwd: folder,
      clearEnv: true,
      env: { HOME: home, PATH: env.PATH ?? "", KUBECONFIG: path },
      ...stdin !== undefined && { stdin },
    });
    return normalized(`${out}${err}exit code ${code}`, server);
  };
  await run({ line: `create namespace ${NAMESPACE}` });
  await run({ line: "apply -f crd.yaml" });
  await run({ line: "wait --for=condition=Established crd --all --timeout=30s" });
  for (let tries = 0; tries < 50; tries++) {
    if ((await run({ line: "get gadgets" })).includes("No resources")) break;
  }
  await run({ line: "get serviceaccount default" });
  await run({ line: "apply -f objects.yaml" });
  const outputs: string[] = [];
  for (const command of COMMANDS) outputs.push(await run(command));
  return outputs;
}

/** Without what each server gives from ranges of its own, and without times. */
function normalized(text: string, server: string): string {
  return text
    .replaceAll(server, "$server")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "$uid")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "$time")
    .replaceAll(/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, "$time")
    .replaceAll(/Resource Version: +\d+/g, "Resource Version: $rv")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} UTC/g, "$time")
    .replaceAll(/(resourceVersion"?: ?)"\d+"/g, '$1"$$rv"')
    .replaceAll(/\b10\.\d+\.\d+\.\d+\b(?!\/)/g, (ip) => (ip === "10.1.2.3" ? ip : "$ip"))
    .replaceAll(/\b3[0-2]\d{3}\b/g, "$port")
    .replaceAll(/\b\d+(?:s|m\d*s?|h)\b(?= |$)/gm, "$age")
    .replaceAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, "$token")
    .replaceAll(/[EWI]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+/g, "$log")
    .replaceAll(/ {2,}/g, "  ").replaceAll(/ +$/gm, "");
}

const [wanted, seen] = await Promise.all([
  printed("real", real.kubeconfig, real.server),
  printed("embedded", door.kubeconfig, door.url),
]);
let agreed = 0;
for (const [index, { line, stdin }] of COMMANDS.entries()) {
  if (wanted[index] === seen[index]) agreed++;
  else {
    say(`kubectl ${line}${stdin === undefined ? "" : `  <<< ${JSON.stringify(stdin)}`}`);
    difference(wanted[index]!.split("\n"), seen[index]!.split("\n")).forEach(say);
  }
}
say(`agreement: ${agreed} of ${COMMANDS.length} commands`);
if (agreed < COMMANDS.length) Deno.exitCode = 1;

/** Lines that only one of them has. */
function difference(real: readonly string[], embedded: readonly string[]): string[] {
  const lines = [
    ...real.filter((line) => !embedded.includes(line)).map((line) => `  real:     ${line}`),
    ...embedded.filter((line) => !real.includes(line)).map((line) => `  embedded: ${line}`),
  ];
  if (lines.length === 0) return ["  the same lines in another order"];
  return values.all ? lines : lines.slice(0, LINES_MAX);
}
