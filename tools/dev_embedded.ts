/**
 * `deno task dev:embedded`: the development loop with nothing installed. `run --cluster embedded --watch` serves the
 * API server and restarts the operator when a source changes; beside it the scenarios run again.
 *
 * @module
 */
import { parseAllDocuments } from "yaml";
import { describeError, SystemClock } from "../lib/base/mod.ts";
import type { DynamicObject } from "../lib/apimachinery/mod.ts";
import { Client, connect, discover, findResource } from "../lib/client/mod.ts";
import { openLiveArea } from "../lib/cli/live_area.ts";
import { processTerminal } from "../lib/cli/terminal.ts";
import { DevScreen } from "./dev_screen.ts";

const ROOT = new URL("..", import.meta.url).pathname, SAMPLES = `${ROOT}deploy/samples`;

/** Applies the samples, so that the operator has objects. */
async function applySamples(kubeconfigPath: string): Promise<void> {
  const clock = new SystemClock(), { transport } = await connect({ clock, kubeconfigPath });
  try {
    const client = new Client(transport, { fieldManager: "dev", clock }), resources = await discover(client);
    for (const name of (await Array.fromAsync(Deno.readDir(SAMPLES))).map((entry) => entry.name).sort()) {
      for (const document of parseAllDocuments(await Deno.readTextFile(`${SAMPLES}/${name}`))) {
        const object = document.toJS() as DynamicObject, [group, version] = groupVersion(object.apiVersion!);
        await client.apply(findResource(resources, group, object.kind!, version)!, object, { force: true });
      }
    }
  } finally {
    transport.close();
  }
}

function groupVersion(apiVersion: string): [group: string, version: string] {
  return apiVersion.includes("/") ? apiVersion.split("/", 2) as [string, string] : ["", apiVersion];
}

/**
 * Runs Deno with these arguments and passes on each line of its output. The process has a process group of its own:
 * Ctrl-C reaches it once, as `endWith`.
 *
 * @returns the exit code.
 */
async function runDeno(
  args: readonly string[],
  { signal, endWith, onLine }: { signal: AbortSignal; endWith: Deno.Signal; onLine: (line: string) => void },
): Promise<number> {
  const streams = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
  const child = new Deno.Command(Deno.execPath(), { args: [...args], cwd: ROOT, detached: true, ...streams }).spawn();
  let hasEnded = false;
  signal.addEventListener("abort", () => hasEnded || child.kill(endWith), { once: true });
  const read = async (stream: ReadableStream<Uint8Array>) => {
    let rest = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      lines.forEach(onLine);
    }
    if (rest) onLine(rest);
  };
  const [{ code }] = await Promise.all([
    child.status.finally(() => hasEnded = true),
    read(child.stdout),
    read(child.stderr),
  ]);
  return code;
}

async function main(): Promise<number> {
  const stop = new AbortController(), { signal } = stop;
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, () => stop.abort());
  const terminal = processTerminal({ noColor: Boolean(Deno.env.get("NO_COLOR")) });
  using screen = new DevScreen(terminal, terminal.interactive ? await openLiveArea() : undefined);
  let kubeconfig: string | undefined, applied: Promise<void> | undefined;
  const onOperatorLine = (line: string) => {
    screen.operator(line);
    if (kubeconfig === undefined) {
      kubeconfig = /\bkubeconfig=(\S+)/.exec(line)?.[1];
      if (kubeconfig) screen.note(`export KUBECONFIG=${kubeconfig}`);
    } else if (line.includes("operator runs")) {
      applied ??= applySamples(kubeconfig).catch((error) => {
        if (!signal.aborted) screen.note(`cannot apply deploy/samples: ${describeError(error)}`);
      });
    }
  };
  const operate = ["run", "--cluster", "embedded", "--watch", "--http-port", "0", "--log-format", "text"];
  const [code] = await Promise.all([
    runDeno(["run", "-q", "-A", "main.ts", ...operate], { signal, endWith: "SIGTERM", onLine: onOperatorLine })
      .finally(() => stop.abort()),
    // Deno's watcher outlives a program that ends: it waits for the next change.
    runDeno(["run", "-q", "--watch", "--no-clear-screen", "-A", "main.ts", "test"], {
      signal,
      endWith: "SIGKILL",
      onLine: (line) => screen.tests(line),
    }),
  ]);
  await applied;
  return code;
}

try {
  Deno.exitCode = await main();
} catch (error) {
  await Deno.stderr.write(new TextEncoder().encode(`dev:embedded: ${describeError(error)}\n`));
  Deno.exitCode = 1;
}
