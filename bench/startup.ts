// deno-lint-ignore-file no-console
/**
 * What a process costs before it does anything: `version`, the embedded server until it is ready, an idle operator's memory.
 *
 * ```sh
 * deno task bench:startup
 * ```
 *
 * @module
 */
const ROOT = new URL("..", import.meta.url).pathname;

async function run(args: string[]): Promise<{ ms: number; out: string }> {
  const startMs = performance.now();
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "main.ts", ...args],
    cwd: ROOT,
  }).output();
  return { ms: performance.now() - startMs, out: new TextDecoder().decode(stdout) };
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

await run(["version"]);
const versions = [];
for (let i = 0; i < 7; i++) versions.push((await run(["version"])).ms);
console.log(`version: ${median(versions).toFixed(0)} ms (median of 7)`);

const ready = [];
for (let i = 0; i < 5; i++) ready.push(Number(/ready in (\d+)ms/.exec((await run(["demo", "--once"])).out)?.[1]));
console.log(
  `embedded API server ready over HTTPS: ${median(ready)} ms after its start (median of 5, imports included)`,
);

const operator = new Deno.Command(Deno.execPath(), {
  args: ["run", "-q", "-A", "main.ts", "run", "--http-port", "18080", ...Deno.args],
  cwd: ROOT,
  stdout: "null",
}).spawn();
await new Promise((resolve) => setTimeout(resolve, 5_000));
const text = await (await fetch("http://127.0.0.1:18080/metrics")).text();
const rss = Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
console.log(`idle operator: ${(rss / 2 ** 20).toFixed(0)} MiB resident after 5 s`);
operator.kill("SIGTERM");
await operator.status;
