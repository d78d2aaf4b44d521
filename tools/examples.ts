/**
 * Runs the tests of every example, on the embedded API server, and ends with `N passed, N failed`.
 *
 * ```sh
 * deno task examples                                      # paths and options of deno test may follow
 * KUBEBUILDER_ASSETS=… deno task test:envtest examples/   # the same on a real control plane
 * ```
 *
 * @module
 */
const ROOT = new URL("..", import.meta.url).pathname;

/** What `deno test` counted; one failure where it counted nothing. */
export function countOf(output: string, code: number): { passed: number; failed: number } {
  const [, passed = "0", failed = "0"] = /^(?:ok|FAILED) \| (\d+) passed.* \| (\d+) failed/m.exec(output) ?? [];
  const count = { passed: Number(passed), failed: Number(failed) };
  const silent = code !== 0 && count.failed === 0 || count.passed + count.failed === 0;
  return silent ? { ...count, failed: 1 } : count;
}

/** Runs them; the exit code says whether all passed. */
async function main(args: readonly string[]): Promise<number> {
  const paths = args.some((arg) => !arg.startsWith("-")) ? [] : ["examples/"];
  const tests = new Deno.Command(Deno.execPath(), {
    args: ["test", "-q", "-A", ...args, ...paths],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  let output = "";
  for await (const text of tests.stdout.pipeThrough(new TextDecoderStream())) {
    output += text;
    await Deno.stdout.write(new TextEncoder().encode(text));
  }
  const { passed, failed } = countOf(output, (await tests.status).code);
  await Deno.stdout.write(new TextEncoder().encode(`${passed} passed, ${failed} failed\n`));
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
