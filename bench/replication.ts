// FR-130, FR-131, FR-132
// deno-lint-ignore-file no-console
/**
 * Fan-out of one Secret to N namespaces on a real kube-apiserver, in rounds that alternate with a raw create loop of
 * the same concurrency: the median of the rounds' ratios is what counts, the machine is not quiet.
 *
 * ```sh
 * KUBEBUILDER_ASSETS=… deno task bench:replication [namespaces [rounds]]
 * ```
 *
 * @module
 */
import process from "node:process";
import { mapConcurrent, SystemClock, type Transport, type TransportRequest } from "../lib/base/mod.ts";
import type { KubeObject } from "../lib/apimachinery/mod.ts";
import { Client, openTransport } from "../lib/client/mod.ts";
import { loadKubeconfig } from "../lib/client/kubeconfig.ts";
import { EnvtestCluster, envtestFolders, locateEnvtest } from "../lib/harness/mod.ts";
import { builtinKind, Namespace, type RunningOperator, Secret, type SecretObject } from "../lib/operator/mod.ts";
import { Replication, type ReplicationObject, replicator } from "../lib/replicator/mod.ts";

const CONCURRENCY = 16;
const CustomResourceDefinition = builtinKind({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  namespaced: false,
});

/** A transport that counts what is written through it, by method and subresource. */
function counting(inner: Transport): { transport: Transport; writes: Map<string, number>; reads: () => number } {
  const writes = new Map<string, number>();
  let reads = 0;
  const fetch = (path: string, request: TransportRequest = {}) => {
    const method = request.method ?? "GET";
    const what = /\/(status|secrets|replications)(?:[/?]|$)/.exec(path.replace(/^.*\/namespaces\/[^/]+/, ""))?.[1] ??
      "other";
    if (method === "GET") reads++;
    else {
      const key = `${method} ${path.includes("/status?") ? "status" : what}`;
      writes.set(key, (writes.get(key) ?? 0) + 1);
    }
    return inner.fetch(path, request);
  };
  return { transport: { fetch, close: () => inner.close() }, writes, reads: () => reads };
}

const total = (writes: Map<string, number>) => [...writes.values()].reduce((sum, each) => sum + each, 0);
const spell = (writes: Map<string, number>) =>
  [...writes].map(([what, count]) => `${count} ${what}`).join(", ") || "none";

async function untilIdle(running: RunningOperator): Promise<void> {
  for (let quiet = 0; quiet < 50;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    quiet = running.idle ? quiet + 1 : 0;
  }
}

async function main(namespaces: number, rounds: number): Promise<void> {
  const clock = new SystemClock();
  const env = Deno.env.toObject();
  const programs = await locateEnvtest({ assets: env.KUBEBUILDER_ASSETS, folders: envtestFolders(env), clock });
  await using cluster = await EnvtestCluster.start({ programs, clock });
  const file = `${cluster.folder}/bench.kubeconfig`;
  await Deno.writeTextFile(file, cluster.kubeconfig, { mode: 0o600 });
  const { server, credentials } = await loadKubeconfig({ paths: [file], clock });
  const open = () => openTransport({ server, credentials });
  using plain = disposing(open());
  const client = new Client(plain.transport, { fieldManager: "bench" });
  for (const crd of replicator().crds()) await client.apply(CustomResourceDefinition, crd);
  const names = Array.from({ length: namespaces }, (_, index) => `team-${index}`);
  const create = (name: string) =>
    client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  await create("home");
  await mapConcurrent(names, CONCURRENCY, create);
  const secret = (namespace: string, name: string): SecretObject => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace, name, labels: { a: "b" }, annotations: { c: "d", e: "f" } },
    data: { password: btoa("x".repeat(64)) },
  });
  const raw = async (name: string) => {
    const startMs = performance.now();
    await mapConcurrent(names, CONCURRENCY, (namespace) => client.create(Secret, secret(namespace, name)));
    return performance.now() - startMs;
  };
  await client.create(Secret, secret("home", "source"));
  await raw("raw-warm-up");
  await measure({ client, open, raw, namespaces, rounds });
}

/** What a measurement is made with. */
interface Bench {
  readonly client: Client;
  readonly open: () => Transport;
  /** Creates one Secret of that name in every namespace, says how many milliseconds it took. */
  readonly raw: (name: string) => Promise<number>;
  readonly namespaces: number;
  readonly rounds: number;
}

async function measure(bench: Bench): Promise<void> {
  const { client, open, raw, namespaces, rounds } = bench;
  const seen = counting(open());
  const running = await replicator({ trustedNamespaces: ["*"] }).start({ transport: seen.transport });
  const replicate = (name: string, glob: string) =>
    client.create<ReplicationObject>(Replication, {
      apiVersion: "pintle.dev/v1alpha1",
      kind: "Replication",
      metadata: { namespace: "home", name },
      spec: { source: { kind: "Secret", name: "source" }, targets: { namespaces: [glob], name } },
    } as KubeObject as ReplicationObject);
  // The server takes seconds to open the first watches of a CRD that is new: that is not what this measures.
  await replicate("warm-up", "none-*");
  await untilReady(client, "warm-up", 0);
  await untilIdle(running);
  console.log(`namespaces: ${namespaces}, concurrency: ${CONCURRENCY}`);
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const fanOut = async () => {
      seen.writes.clear();
      const startMs = performance.now(), cpuBefore = cpuMs();
      await replicate(`copy-${round}`, "team-*");
      await untilReady(client, `copy-${round}`, namespaces);
      return { fanOutMs: performance.now() - startMs, cpu: cpuMs() - cpuBefore };
    };
    // Who comes second pays for what the server puts off: they take turns, each after a rest.
    const first = round % 2 === 0 ? await fanOut() : undefined;
    await untilIdle(running);
    const rawMs = await raw(`raw-${round}`);
    await untilIdle(running);
    const { fanOutMs, cpu } = first ?? await fanOut();
    await untilIdle(running);
    ratios.push(rawMs / fanOutMs);
    const perSecond = (ms: number) => `${ms.toFixed(0)} ms (${(namespaces / ms * 1e3).toFixed(0)}/s)`;
    console.log(
      `raw create loop ${perSecond(rawMs)}; fan-out to Ready ${perSecond(fanOutMs)}, process CPU ${
        cpu.toFixed(0)
      } ms, ` +
        `${(rawMs / fanOutMs * 100).toFixed(0)} %; writes: ${spell(seen.writes)}`,
    );
  }
  const median = ratios.toSorted((a, b) => a - b)[rounds >> 1]!;
  console.log(`throughput against the raw loop: ${(median * 100).toFixed(0)} % (median of ${rounds} rounds)`);
  await measureQuiet(running, seen, open);
}

/** What a converged cluster costs: another reconcile, and a restart. */
async function measureQuiet(
  running: RunningOperator,
  seen: ReturnType<typeof counting>,
  open: () => Transport,
): Promise<void> {
  const before = total(seen.writes), reconcileMs = performance.now();
  for (const kind of running.kinds) kind.reconcile({ namespace: "home", name: "copy-1" });
  await untilIdle(running);
  console.log(
    `second reconcile: ${total(seen.writes) - before} writes (${
      (performance.now() - reconcileMs - 500).toFixed(0)
    } ms)`,
  );
  await running.stop(5_000);
  seen.transport.close();

  const again = counting(open()), restartMs = performance.now();
  const restarted = await replicator({ trustedNamespaces: ["*"] }).start({ transport: again.transport });
  await untilIdle(restarted);
  console.log(
    `restart: ${spell(again.writes)} written, ${again.reads()} reads, ${
      (performance.now() - restartMs - 500).toFixed(0)
    } ms`,
  );
  await restarted.stop(5_000);
  again.transport.close();
}

async function untilReady(client: Client, name: string, copies: number): Promise<void> {
  const stop = new AbortController();
  const options = { namespace: "home", resourceVersion: "0", timeoutSeconds: 300, signal: stop.signal };
  // The server ends the watches of a CRD that is new: look again until it is so.
  while (!stop.signal.aborted) {
    for await (const { object } of client.watch<ReplicationObject>(Replication, options)) {
      if (object.metadata.name !== name || object.status?.namespaces?.ready !== copies) continue;
      stop.abort();
      break;
    }
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

function disposing(transport: Transport): Disposable & { transport: Transport } {
  return { transport, [Symbol.dispose]: () => transport.close() };
}

if (import.meta.main) await main(Number(Deno.args[0] ?? 1_000), Number(Deno.args[1] ?? 15));
