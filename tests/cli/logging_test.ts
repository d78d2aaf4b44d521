import assert from "node:assert/strict";
import { SystemClock, VirtualClock } from "../../lib/base/mod.ts";
import { ShownStacks } from "../../lib/cli/logging.ts";
import { Client, connect } from "../../lib/client/mod.ts";
import { Namespace, Secret } from "../../lib/operator/mod.ts";
import { Replication } from "../../lib/replicator/mod.ts";
import { Binary, DEMO_PERMISSIONS, jsonLines, runBinary } from "./binary.ts";

const VALUE = "correct-horse-battery-staple";

// FR-64, FR-73
Deno.test("json lines of a reconcile name its object and its pass; a Secret's value is in none", async () => {
  await using binary = await Binary.start(["run", "--cluster", "embedded", "--http-port", "0"], {
    env: { PINTLE_LOG_LEVEL: "debug", PINTLE_LOG_FORMAT: "json" },
    permissions: DEMO_PERMISSIONS,
  });
  const [, kubeconfigPath] = await binary.until(/"kubeconfig":"([^"]+)"/);
  await binary.until(/operator runs/);
  const { transport } = await connect({ clock: new SystemClock(), kubeconfigPath });
  const client = new Client(transport, { fieldManager: "test" });
  for (const name of ["from", "to"]) {
    await client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
  const metadata = { namespace: "from", name: "pull" };
  await client.create(Secret, { apiVersion: "v1", kind: "Secret", metadata, data: { key: btoa(VALUE) } });
  await client.create(
    Replication,
    {
      apiVersion: "pintle.dev/v1alpha1",
      kind: "Replication",
      metadata: { namespace: "from", name: "a" },
      spec: { source: { kind: "Secret", name: "pull" }, targets: { namespaces: ["to"] } },
    } as Parameters<typeof client.create>[1],
  );
  await binary.until(/"message":"pass ends"[^\n]*"writes":[1-9]/);
  transport.close();
  binary.kill("SIGTERM");
  const { code, out, err } = await binary.ended();
  assert.equal(code, 0, err);
  const lines = jsonLines(out);
  const passes = lines.filter(({ message }) => message === "pass starts" || message === "pass ends");
  assert.ok(passes.length >= 2);
  for (const line of passes) {
    assert.deepEqual([line.kind, line.namespace, line.name], ["Replication", "from", "a"]);
    assert.match(String(line.reconcile), /^[a-z0-9]{8}$/);
  }
  for (const secret of [VALUE, btoa(VALUE)]) assert.ok(!`${out}${err}`.includes(secret));
});

// FR-64
Deno.test("text lines begin with time and level; a flag's level wins over the environment's", async () => {
  await using binary = await Binary.start(["run", "--cluster", "embedded", "--http-port", "0", "--log-level", "info"], {
    permissions: DEMO_PERMISSIONS,
    env: { PINTLE_LOG_LEVEL: "error" },
  });
  await binary.until(/operator runs/);
  binary.kill("SIGTERM");
  const { code, out } = await binary.ended();
  assert.equal(code, 0);
  const levels = out.trim().split("\n").map((line) => /^\d{4}-\d\d-\d\dT[\d:.]+Z ([A-Z]+) /.exec(line)?.[1]);
  assert.deepEqual([...new Set(levels)], ["INFO"]);
});

Deno.test("the stack trace of a fatal error shows at debug alone", async () => {
  const args = ["run", "--kubeconfig", "none"];
  assert.doesNotMatch((await runBinary(args)).err, /\n\s+at /);
  assert.match((await runBinary([...args, "--log-level", "debug"])).err, /\n\s+at /);
});

/** What a failing operator has logged when its handler has failed three times at least. */
async function failing(level: string): Promise<string> {
  const args = ["run", "--cluster", "embedded", "--http-port", "0", "--log-level", level, "--backoff-initial", "5ms"];
  await using binary = await Binary.start([...args, "--backoff-max", "20ms"], {
    main: "tests/cli/failing_operator.ts",
    permissions: DEMO_PERMISSIONS,
  });
  await binary.until(/the fourth attempt/); // three have failed
  await binary.until(/a list and a text [^\n]*\n/);
  binary.kill("SIGTERM");
  const { code, out, err } = await binary.ended();
  assert.equal(code, 0, err);
  return out + err;
}

// FR-339
Deno.test("an error that repeats shows its stack once, and one line each time; at debug every line has it", async () => {
  const stacks = (text: string) =>
    text.split("\n").filter((line) => line.includes("handler=reconcile") && line.includes("stack=")).length;
  assert.equal(stacks(await failing("info")), 1);
  assert.ok(stacks(await failing("debug")) >= 3);
});

// FR-339
Deno.test("another error, another handler, and one that has not repeated for a quarter of an hour show their stacks", async () => {
  const clock = new VirtualClock(), stacks = new ShownStacks(clock);
  const shows = (handler: string, stack: string) =>
    "stack" in stacks.withoutRepeated({ fields: { kind: "Widget", namespace: "a", name: "w", handler, stack } });
  assert.deepEqual([shows("one", "first"), shows("two", "first"), shows("one", "first")], [true, true, false]);
  const called = (by: string) => `Error: no\n    at handler (a.ts:1:1)\n    at ${by}`;
  assert.deepEqual([shows("three", called("pass")), shows("three", called("async pass"))], [true, false]);
  await clock.advance(900_000);
  assert.deepEqual([shows("one", "first"), shows("one", "second"), shows("one", "first")], [false, true, true]);
  await clock.advance(900_001);
  assert.equal(shows("one", "first"), true);
});

// FR-339
Deno.test("text logs show lists and objects as they are, and quote a text that looks like one", async () => {
  const text = await failing("info");
  assert.match(text, /operator runs operator=failing kinds=\["widgets\.failing\.test\.pintle\.dev"\]/);
  assert.match(text, /list=\["a",1\] nested=\{"key":"v"\} text="\[\\"a\\"\]" words="two words" plain=b/);
});
