// deno-lint-ignore-file no-console
/**
 * What the first list of many objects costs an informer on a real kube-apiserver: in pages, and as a streaming list.
 * Each round is a process of its own; rounds alternate, medians count.
 *
 * ```sh
 * KUBEBUILDER_ASSETS=… deno task bench:cold-start [objects]
 * ```
 *
 * @module
 */
import process from "node:process";
import { mapConcurrent, silentLogger, SystemClock, SystemRandom } from "../lib/base/mod.ts";
import { Informer } from "../lib/cache/mod.ts";
import { Client, type Connection, openTransport } from "../lib/client/mod.ts";
import { loadKubeconfig } from "../lib/client/kubeconfig.ts";
import { EnvtestCluster, envtestFolders, locateEnvtest } from "../lib/harness/mod.ts";
import { ConfigMap, Namespace } from "../lib/operator/mod.ts";

const ROUNDS = 5, CONTENT = "x".repeat(1_000), NAMESPACE = "cold-start";
const MODES = ["pages", "streaming"] as const;

/** What one round measured. */
interface Round {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
  readonly requests: number;
}

async function connect(kubeconfig: string): Promise<Pick<Connection, "transport">> {
  const { server, credentials } = await loadKubeconfig({ paths: [kubeconfig], clock: new SystemClock() });
  return { transport: openTransport({ server, credentials }) };
}

/** One process: lists, says what it cost. */
async function round(kubeconfig: string, mode: string, metadataOnly: boolean): Promise<Round> {
  const { transport } = await connect(kubeconfig);
  let requests = 0;
  const counted = {
    fetch: (...args: Parameters<typeof transport.fetch>) => (requests++, transport.fetch(...args)),
    close: () => transport.close(),
  };
  const client = new Client(counted, { fieldManager: "bench" });
  const context = { clock: new SystemClock(), random: new SystemRandom(), logger: silentLogger };
  const scope = { namespace: NAMESPACE, metadataOnly, streamingList: mode === "streaming" };
  const informer = new Informer(client, ConfigMap, { ...context, ...scope });
  const stop = new AbortController(), startMs = performance.now(), { user, system } = process.cpuUsage();
  const running = informer.start(stop.signal);
  await informer.synced;
  const ms = performance.now() - startMs, used = process.cpuUsage({ user, system });
  const peakKb = Number(/^VmHWM:\s+(\d+)/m.exec(await Deno.readTextFile("/proc/self/status"))![1]);
  stop.abort();
  await running;
  transport.close();
  return { ms, cpuMs: (used.user + used.system) / 1e3, peakBytes: peakKb * 1_024, requests };
}

async function main(objects: number): Promise<void> {
  const clock = new SystemClock(), env = Deno.env.toObject();
  const programs = await locateEnvtest({ assets: env.KUBEBUILDER_ASSETS, folders: envtestFolders(env), clock });
  await using cluster = await EnvtestCluster.start({ programs, clock });
  const file = `${cluster.folder}/bench.kubeconfig`;
  await Deno.writeTextFile(file, cluster.kubeconfig, { mode: 0o600 });
  const { transport } = await connect(file), client = new Client(transport, { fieldManager: "bench" });
  await client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
  await mapConcurrent(Array.from({ length: objects }, (_, i) => `m${i}`), 32, (name) =>
    client.create(ConfigMap, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace: NAMESPACE, name },
      data: { content: CONTENT },
    }));
  transport.close();
  for (const metadataOnly of [false, true]) {
    const rounds: Record<string, Round[]> = { pages: [], streaming: [] };
    for (let i = 0; i <= ROUNDS; i++) {
      for (const mode of MODES) {
        const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "-q", "-A", import.meta.filename!, "round", file, mode, String(metadataOnly)],
        }).output();
        if (stderr.length > 0) throw new Error(new TextDecoder().decode(stderr));
        if (i > 0) rounds[mode]!.push(JSON.parse(new TextDecoder().decode(stdout))); // the first one warms the server
      }
    }
    for (const mode of MODES) {
      const median = (of: keyof Round) => rounds[mode]!.map((each) => each[of]).sort((a, b) => a - b)[ROUNDS >> 1]!;
      console.log(
        `${objects} objects${metadataOnly ? ", metadata only" : ""}, ${mode}: ${median("ms").toFixed(0)} ms, ` +
          `CPU ${median("cpuMs").toFixed(0)} ms, peak ${(median("peakBytes") / 1e6).toFixed(0)} MB, ` +
          `${median("requests")} requests (medians of ${ROUNDS})`,
      );
    }
  }
}

if (import.meta.main) {
  const [mode, file, how, metadataOnly] = Deno.args;
  if (mode === "round") console.log(JSON.stringify(await round(file!, how!, metadataOnly === "true")));
  else await main(Number(mode ?? 10_000));
}
