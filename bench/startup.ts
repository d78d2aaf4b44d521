// deno-lint-ignore-file no-console
/**
 * What a process costs before it does anything: `version`, the embedded server until it is ready, and the memory of an
 * operator that idles in a cluster, from the sources and from the bundle that is shipped. The cluster is a real control plane
 * where `KUBEBUILDER_ASSETS` is set.
 *
 * ```sh
 * deno task bench:startup
 * ```
 *
 * @module
 */
import { type Launch, output, PodHost } from "./pod.ts";

const RESIDENT_BYTES_MAX = 80_000_000, VERSION_MS_MAX = 150, SERVER_READY_MS_MAX = 100;
const IDLE_MS = 5_000;

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
const verdict = (value: number, bound: number) => value <= bound ? "within" : "OVER";

async function measureVersion(name: string, launch: Launch): Promise<void> {
  const versionMs = [];
  await output([...launch, "version"]);
  for (let i = 0; i < 9; i++) {
    const startMs = performance.now();
    await output([...launch, "version"]);
    versionMs.push(performance.now() - startMs);
  }
  const ms = median(versionMs);
  console.log(
    `version, ${name}: ${ms.toFixed(0)} ms (median of 9), ${verdict(ms, VERSION_MS_MAX)} ${VERSION_MS_MAX} ms`,
  );
}

async function measureServer(name: string, launch: Launch): Promise<void> {
  const readyMs = [];
  for (let i = 0; i < 5; i++) {
    readyMs.push(Number(/ready in (\d+)ms/.exec(await output([...launch, "demo", "--once"]))?.[1]));
  }
  const ms = median(readyMs), bound = SERVER_READY_MS_MAX;
  console.log(
    `embedded server over HTTPS, ${name}: ready after ${ms} ms (median of 5, imports included), ` +
      `${verdict(ms, bound)} ${bound} ms`,
  );
}

async function measureIdle(host: PodHost, name: string, launch: Launch, args: readonly string[]): Promise<void> {
  await using pod = await host.run(launch, args);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const before = pod.residentBytes;
  // A cluster scrapes and probes: what that loads counts too.
  for (const path of ["/metrics", "/readyz", "/livez"]) await (await pod.get(path)).text();
  const after = pod.residentBytes, worst = Math.max(before, after);
  console.log(
    `idle in a cluster (${host.kind}), ${name}: ${before} bytes after ${IDLE_MS / 1_000} s, ${after} after a scrape, ` +
      `${verdict(worst, RESIDENT_BYTES_MAX)} ${RESIDENT_BYTES_MAX}`,
  );
}

const folder = await Deno.makeTempDir({ prefix: "pintle-bench-" });
try {
  await output(["bundle", "-q", "--minify", "-o", `${folder}/pintle.js`, "main.ts"]);
  const launches: [string, Launch][] = [
    ["sources", ["run", "-q", "-A", "main.ts"]],
    ["bundle", ["run", "-q", "-A", `${folder}/pintle.js`]],
  ];
  for (const [name, launch] of launches) await measureVersion(name, launch);
  for (const [name, launch] of launches) await measureServer(name, launch);
  await using host = await PodHost.start(Deno.env.get("KUBEBUILDER_ASSETS"));
  for (const [name, launch] of launches) await measureIdle(host, name, launch, Deno.args);
} finally {
  await Deno.remove(folder, { recursive: true });
}
