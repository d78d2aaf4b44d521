/**
 * `deno task dev:embedded`: the development loop with nothing installed. An API server in this process keeps its state
 * and its kubeconfig while the operator, a process of its own, is started anew and the scenarios run again as sources
 * change.
 *
 * @module
 */
import { parseAllDocuments } from "yaml";
import { describeError, silentLogger, SystemClock } from "../lib/base/mod.ts";
import type { DynamicObject } from "../lib/apimachinery/mod.ts";
import { Client, discover, findResource } from "../lib/client/mod.ts";
import { openLiveArea } from "../lib/cli/live_area.ts";
import { openEmbedded } from "../lib/cli/open_cluster.ts";
import { processTerminal } from "../lib/cli/terminal.ts";
import { applyCrds } from "../lib/operator/installation.ts";
import { replicator } from "../lib/replicator/mod.ts";
import { DevScreen } from "./dev_screen.ts";

const ROOT = new URL("..", import.meta.url).pathname, SAMPLES = `${ROOT}deploy/samples`;

/** Applies the samples, so that there is something to look at. */
async function applySamples(client: Client): Promise<void> {
  const resources = await discover(client);
  for (const name of (await Array.fromAsync(Deno.readDir(SAMPLES))).map((entry) => entry.name).sort()) {
    for (const document of parseAllDocuments(await Deno.readTextFile(`${SAMPLES}/${name}`))) {
      const object = document.toJS() as DynamicObject, [group, version] = groupVersion(object.apiVersion!);
      await client.apply(findResource(resources, group, object.kind!, version)!, object, { force: true });
    }
  }
}

function groupVersion(apiVersion: string): [group: string, version: string] {
  return apiVersion.includes("/") ? apiVersion.split("/", 2) as [string, string] : ["", apiVersion];
}

/** A process whose lines are passed on; it ends with this one. */
function start(args: string[], signal: AbortSignal, tell: (line: string) => void): Promise<void>[] {
  const child = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdin: "null", stdout: "piped", stderr: "piped" })
    .spawn();
  const end = () => {
    try {
      // Deno's watcher outlives a program that ends as it was asked to, waiting for the next change. Nothing is lost:
      // all that these two have written to goes with this process.
      child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // Ctrl-C on a terminal reaches it too: it has ended by itself
    }
  };
  signal.addEventListener("abort", end, { once: true });
  const told = async (stream: ReadableStream<Uint8Array>) => {
    let rest = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      lines.forEach(tell);
    }
    if (rest) tell(rest);
  };
  return [told(child.stdout), told(child.stderr), child.status.then(() => {})];
}

async function main(): Promise<void> {
  const stop = new AbortController(), kubeconfigPath = `${ROOT}dist/dev.kubeconfig`, clock = new SystemClock();
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, () => stop.abort());
  await Deno.mkdir(`${ROOT}dist`, { recursive: true });
  await using cluster = await openEmbedded({ clock, logger: silentLogger, port: 0, kubeconfigPath });
  const client = new Client(cluster.transport, { fieldManager: "dev", clock });
  await applyCrds(client, replicator());
  await applySamples(client);
  const terminal = processTerminal({ noColor: Boolean(Deno.env.get("NO_COLOR")) });
  using screen = new DevScreen(terminal, terminal.interactive ? await openLiveArea() : undefined);
  screen.say(`API server: ${cluster.server}`);
  screen.say(`export KUBECONFIG=${kubeconfigPath}`);
  const run = ["run", "-q", "--watch", "--no-clear-screen", "-A", "main.ts"];
  const watching = [
    ...start(
      [...run, "run", "--kubeconfig", kubeconfigPath, "--http-port", "0"],
      stop.signal,
      (line) => screen.operator(line),
    ),
    ...start([...run, "test"], stop.signal, (line) => screen.tests(line)),
  ];
  await new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve(), { once: true }));
  await Promise.all(watching);
  await Deno.remove(kubeconfigPath).catch(() => {});
}

try {
  await main();
} catch (error) {
  await Deno.stderr.write(new TextEncoder().encode(`dev:embedded: ${describeError(error)}\n`));
  Deno.exitCode = 1;
}
