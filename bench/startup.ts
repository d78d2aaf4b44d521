// FR-133, FR-134, FR-135
// deno-lint-ignore-file no-console
/**
 * What a process costs before it does anything: `version`, the embedded server until it is ready, and the memory of an
 * operator that idles in a cluster, from the sources and from the bundle that is shipped. The cluster is a real control
 * plane where `KUBEBUILDER_ASSETS` is set.
 *
 * ```sh
 * deno task bench:startup
 * ```
 *
 * @module
 */
import { buildApp } from "../tools/build_app.ts";
import { PERMISSIONS } from "../tools/permissions.ts";
import { type Launch, output, PodHost } from "./pod.ts";

const RESIDENT_BYTES_MAX = 80_000_000, VERSION_MS_MAX = 150, SERVER_READY_MS_MAX = 100;
const IDLE_MS = 5_000, PODS = 3;

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
const verdict = (value: number, bound: number) => value <= bound ? "within" : "OVER";

async function measureVersion({ name, args, env }: Launch): Promise<void> {
  const versionMs = [];
  await output([...args, "version"], env);
  for (let i = 0; i < 9; i++) {
    const startMs = performance.now();
    await output([...args, "version"], env);
    versionMs.push(performance.now() - startMs);
  }
  const ms = median(versionMs);
  console.log(
    `version, ${name}: ${ms.toFixed(0)} ms (median of 9), ${verdict(ms, VERSION_MS_MAX)} ${VERSION_MS_MAX} ms`,
  );
}

async function measureServer({ name, args, env }: Launch): Promise<void> {
  const readyMs = [];
  for (let i = 0; i < 5; i++) {
    readyMs.push(Number(/ready in (\d+)ms/.exec(await output([...args, "demo", "--once"], env))?.[1]));
  }
  const ms = median(readyMs), bound = SERVER_READY_MS_MAX;
  console.log(
    `embedded server over HTTPS, ${name}: ready after ${ms} ms (median of 5, imports included), ` +
      `${verdict(ms, bound)} ${bound} ms`,
  );
}

/** `fresh`: each start has an empty cache, as in a pod that cannot write one. */
async function measureIdle(host: PodHost, launch: Launch, fresh: boolean, args: readonly string[]): Promise<void> {
  const bytes: number[] = [];
  for (let i = 0; i < PODS; i++) {
    const cache = fresh ? await Deno.makeTempDir({ prefix: "pintle-bench-" }) : undefined;
    {
      await using pod = await host.run(cache ? { ...launch, env: { ...launch.env, DENO_DIR: cache } } : launch, args);
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
      // A cluster scrapes and probes: what that loads counts too.
      for (const path of ["/metrics", "/readyz", "/livez"]) await (await pod.get(path)).text();
      bytes.push(pod.residentBytes);
    }
    if (cache) await Deno.remove(cache, { recursive: true });
  }
  const worst = Math.max(...bytes);
  console.log(
    `idle in a cluster (${host.kind}), ${launch.name}, ${fresh ? "first start" : "later starts"}: ` +
      `${worst} bytes (the most of ${PODS}, ${IDLE_MS / 1_000} s after readiness and after a scrape)` +
      (launch.shipped ? `, ${verdict(worst, RESIDENT_BYTES_MAX)} ${RESIDENT_BYTES_MAX}` : ""),
  );
}

const folder = await Deno.makeTempDir({ prefix: "pintle-bench-" });
try {
  const sources: Launch = { name: "sources", shipped: false, args: ["run", "-q", "-A", "main.ts"] };
  const shipped: Launch = {
    name: "shipped bundle",
    shipped: true,
    // As tools/launcher.sh starts it.
    args: [
      "run",
      "-q",
      "--no-prompt",
      "--no-config",
      "--no-lock",
      ...PERMISSIONS,
      `${(await buildApp()).folder}/main.js`,
    ],
    env: { DENO_DIR: folder, DENO_NO_UPDATE_CHECK: "1", MALLOC_ARENA_MAX: "1" },
  };
  for (const launch of [sources, shipped]) await measureVersion(launch);
  for (const launch of [sources, shipped]) await measureServer(launch);
  await using host = await PodHost.start(Deno.env.get("KUBEBUILDER_ASSETS"));
  await measureIdle(host, shipped, true, Deno.args);
  await (await host.run(shipped, Deno.args))[Symbol.asyncDispose](); // fills the cache
  await measureIdle(host, shipped, false, Deno.args);
  await measureIdle(host, sources, false, Deno.args);
} finally {
  await Deno.remove(folder, { recursive: true });
}
