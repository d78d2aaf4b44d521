import assert from "node:assert/strict";
import { Binary, type BinaryOptions, DEMO_PERMISSIONS, runBinary } from "./binary.ts";
import { HttpsCluster } from "./https_cluster.ts";

/** A run of an operator whose reconcile never ends, in the middle of that reconcile. */
async function stubborn(grace: string): Promise<Binary> {
  const options: BinaryOptions = { main: "tests/cli/stubborn_operator.ts", permissions: DEMO_PERMISSIONS };
  const args = ["run", "--cluster", "embedded", "--http-port", "0", "--grace-period", grace];
  const binary = await Binary.start(args, options);
  await binary.until(/it begins and will not end/);
  return binary;
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  // FR-77
  Deno.test(`a handler that outlasts the grace period does not keep run from ending with 0 (${signal})`, async () => {
    await using binary = await stubborn("50ms");
    binary.kill(signal);
    const { code, out, err } = await binary.ended();
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /stopping grace=50ms[\s\S]*the pass was interrupted[\s\S]*operator stopped/);
  });
}

// FR-77
Deno.test("a second Ctrl-C ends run at once with 130, whatever is under way", async () => {
  await using binary = await stubborn("1h");
  binary.kill("SIGINT");
  await binary.until(/stopping grace=1h/);
  binary.kill("SIGINT");
  const { code, err } = await binary.ended();
  assert.deepEqual([code, err], [130, ""]);
});

/** Runs the program with its output in a pipe whose reader takes one line and goes. */
function headed(args: string[], options: BinaryOptions = {}) {
  const script = '"$@" | { read -r line; echo "$line"; exec <&-; }; exit "${PIPESTATUS[0]}"';
  return runBinary(args, { ...options, wrapper: ["bash", "-c", script, "bash"] });
}

// FR-77
Deno.test("a reader that goes after the first line ends no command with a trace", async () => {
  const cases: [string[], RegExp][] = [
    [["help", "run"], /^Usage: pintle run/],
    [["config"], /^VARIABLE/],
    [["manifests"], /^apiVersion/],
    [["demo", "--once"], /^embedded API server ready/],
  ];
  for (const [args, first] of cases) {
    const { code, out, err } = await headed(args, { permissions: DEMO_PERMISSIONS });
    assert.deepEqual([code, err], [0, ""], args.join(" "));
    assert.match(out, first);
    assert.equal(out.trimEnd().split("\n").length, 1);
  }
});

// FR-77
Deno.test("run continues where its log is no longer read, and ends with 0", async () => {
  await using cluster = await HttpsCluster.open();
  for (const name of ["from", "to"]) await cluster.namespace(name);
  const args = ["run", "--http-port", "0", "--log-level", "debug", "--kubeconfig", await cluster.kubeconfig()];
  // The shell becomes the program, so that a signal reaches it; the reader is another process, gone after a line.
  const wrapper = ["bash", "-c", 'exec "$@" > >(read -r line; echo "$line" >&2)', "bash"];
  await using binary = await Binary.start(args, { wrapper });
  await binary.until(/starting version/);
  await cluster.replicate("from", "unread", "one", ["to"]);
  await cluster.untilCopied("to", "unread", "one");
  binary.kill("SIGTERM");
  const { code, err } = await binary.ended();
  assert.equal(code, 0, err);
  assert.equal(err.trimEnd().split("\n").length, 1, err);
});
