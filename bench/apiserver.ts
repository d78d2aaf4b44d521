/**
 * `deno task bench:apiserver`: what the embedded API server does in this process on one core: time until it answers,
 * creates, applies, merge patches and reads a second, watches, snapshots, and memory of 10,000 objects of 2 KB.
 *
 * @module
 */
import { EmbeddedApiServer } from "../lib/apiserver/mod.ts";
import type { Transport } from "../lib/base/mod.ts";

const OBJECTS = 2_000, LARGE = 10_000, LARGE_BYTES = 2_048, WATCHERS = 100, SNAPSHOT_OBJECTS = 1_000, ROUNDS = 5;
const COLLECTION = "/api/v1/namespaces/default/configmaps", JSON_TYPE = { "content-type": "application/json" };

function say(name: string, figure: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${name.padEnd(52)} ${figure}\n`));
}

async function send(transport: Transport, method: string, path: string, body?: unknown, type?: string): Promise<void> {
  const response = await transport.fetch(path, {
    method,
    headers: type ? { "content-type": type } : JSON_TYPE,
    ...body !== undefined && { body: JSON.stringify(body) },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
}

const object = (name: string, value: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, labels: { app: "bench" } },
  data: { value },
});

/** Requests a second, the best of some rounds: other programs only make it slower. */
async function perSecond(count: number, run: (index: number, round: number) => Promise<void>): Promise<number> {
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    for (let index = 0; index < count; index++) await run(index, round);
    best = Math.max(best, count / ((performance.now() - startMs) / 1_000));
  }
  return Math.round(best);
}

async function ready(): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now(), api = new EmbeddedApiServer();
    await send(api.transport(), "GET", "/api/v1/namespaces/default");
    best = Math.min(best, performance.now() - startMs);
    api.close();
  }
  return best;
}

const firstMs = performance.now(), first = new EmbeddedApiServer();
await send(first.transport(), "GET", "/api/v1/namespaces/default");
say("ready, the first server of a process", `${(performance.now() - firstMs).toFixed(1)} ms`);
first.close();
say("ready, each further server", `${(await ready()).toFixed(1)} ms`);
// First, before other rounds leave garbage behind.
{
  (globalThis as { gc?: () => void }).gc?.();
  const before = Deno.memoryUsage(), api = new EmbeddedApiServer(), transport = api.transport();
  const text = "x".repeat(LARGE_BYTES);
  for (let index = 0; index < LARGE; index++) {
    await send(transport, "POST", COLLECTION, object(`l-${index}`, `${index}${text}`));
  }
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, rss } = Deno.memoryUsage(), megabytes = (bytes: number) => Math.round(bytes / 2 ** 20);
  say(
    `memory of ${LARGE} objects of 2 KB`,
    `${megabytes(heapUsed - before.heapUsed)} MB heap, ${megabytes(rss)} MB resident`,
  );
  api.close();
}
{
  const api = new EmbeddedApiServer(), transport = api.transport();
  const rate = async (name: string, run: (index: number, round: number) => Promise<void>) =>
    say(name, `${await perSecond(OBJECTS, run)}/s`);
  await rate("creates", (index, round) => send(transport, "POST", COLLECTION, object(`a-${round}-${index}`, "v")));
  await rate(
    "server-side applies that change the object",
    (index, round) =>
      send(
        transport,
        "PATCH",
        `${COLLECTION}/a-0-${index}?fieldManager=bench&force=true`,
        object(`a-0-${index}`, `w${round}`),
        "application/apply-patch+yaml",
      ),
  );
  await rate(
    "merge patches",
    (index, round) =>
      send(
        transport,
        "PATCH",
        `${COLLECTION}/a-1-${index}`,
        { data: { value: `x${round}` } },
        "application/merge-patch+json",
      ),
  );
  await rate("reads", (index) => send(transport, "GET", `${COLLECTION}/a-2-${index}`));
  api.close();
}
{
  const api = new EmbeddedApiServer(), transport = api.transport(), abort = new AbortController();
  const path = `${COLLECTION}?watch=1`, watches = [];
  for (let index = 0; index < WATCHERS; index++) {
    const { body } = await transport.fetch(path, { signal: abort.signal, streaming: true });
    watches.push(body!.pipeTo(new WritableStream(), { signal: abort.signal }).catch(() => {}));
  }
  const rate = await perSecond(
    OBJECTS,
    (index, round) => send(transport, "POST", COLLECTION, object(`w-${round}-${index}`, "v")),
  );
  say(`creates with ${WATCHERS} watchers`, `${rate}/s`);
  abort.abort();
  await Promise.all(watches);
  api.close();
}
{
  const api = new EmbeddedApiServer(), transport = api.transport();
  for (let index = 0; index < SNAPSHOT_OBJECTS; index++) {
    await send(transport, "POST", COLLECTION, object(`s-${index}`, "v"));
  }
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    api.restore(api.snapshot());
    best = Math.min(best, performance.now() - startMs);
  }
  say(`snapshot and restore of ${SNAPSHOT_OBJECTS} objects`, `${best.toFixed(1)} ms`);
  api.close();
}
