import assert from "node:assert/strict";
import { Mask, silentLogger, SystemClock, type Transport } from "../../lib/base/mod.ts";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { parseRecording, Recorder, type Recording, replay, type ReplayResult } from "../../lib/explore/mod.ts";
import { requeueAfter } from "../../lib/handling/mod.ts";
import { EmbeddedCluster } from "../../lib/harness/mod.ts";
import { TemporaryFolder } from "../../lib/harness/temporary_folder.ts";
import { Client } from "../../lib/client/mod.ts";
import { ConfigMap, Namespace, Operator, Secret, type SecretObject } from "../../lib/operator/mod.ts";
import { applyCrds } from "../../lib/operator/installation.ts";
import { Expectation } from "../../lib/harness/mod.ts";
import { widgetKind } from "../widget.ts";

const Widget = widgetKind("replay");
const PASSWORD = "hidden-value-of-a-secret", PROGRAM = { operator: "widgets", version: "1", settings: {} };

const newCounter = () => ({ count: 0 });

/** Copies what a Secret holds to a child, and counts its reconciles in the status until there were three. */
function countingOperator(step: number = 1): Operator {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ apply, status, client, namespace, memo, events }) => {
    const counter = memo(newCounter),
      secret = await client.get<SecretObject>(Secret, { namespace, name: "login" });
    await apply(ConfigMap, { data: { password: atob(secret.data!.password!) } });
    await apply(Secret, { metadata: { name: "made" }, stringData: { token: crypto.randomUUID() } } as never);
    counter.count += step;
    status.set({ phase: "Counted", size: counter.count });
    events.normal("Counted", `${counter.count} times`);
    if (counter.count < 3 * step) return requeueAfter("200ms");
  }, { owns: [ConfigMap] });
  return operator;
}

/** The file that a run of the operator leaves, and its recording. */
async function recorded(): Promise<{ readonly text: string; readonly recording: Recording; readonly mode: number }> {
  await using folder = TemporaryFolder.make("recording");
  const clock = new SystemClock(), path = `${folder.path}/file`, operator = countingOperator();
  await using cluster = new EmbeddedCluster({ clock });
  const client = new Client(cluster.transport(), { fieldManager: "test" });
  await applyCrds(client, operator);
  await client.create(Namespace, { metadata: { name: "home" } });
  const metadata = { namespace: "home", name: "login" };
  await client.create<KubeObject>(Secret, { metadata, stringData: { password: PASSWORD } } as KubeObject);
  {
    using recorder = Recorder.open(path, PROGRAM, { clock, logger: silentLogger, mask: new Mask() });
    await using _running = await operator.start({
      transport: recorder.transport(cluster.transport()),
      random: recorder.random,
      clock,
    });
    await client.create(Widget, { metadata: { namespace: "home", name: "w" }, spec: { size: 1 } } as never);
    const counted = new Expectation({ resource: Widget, key: { namespace: "home", name: "w" } }, {
      client,
      clock,
      waitMsMax: 30_000,
    });
    await counted.toMatch({ status: { size: 3 } } as never);
  }
  const text = await Deno.readTextFile(path), { mode } = await Deno.stat(path);
  return { text, recording: parseRecording(text, path), mode: mode! & 0o777 };
}

function replayed(recording: Recording, operator: Operator): Promise<ReplayResult> {
  return replay(recording, {
    signal: new AbortController().signal,
    start: (parts) => operator.start(parts),
  });
}

// FR-514, FR-515
Deno.test("an operator does again what it did, on what it observed, without its secrets and without a cluster", async () => {
  const { text, recording, mode } = await recorded();
  for (const value of [PASSWORD, btoa(PASSWORD), PASSWORD.slice(4, 18)]) assert.ok(!text.includes(value));
  assert.equal(mode, 0o600);
  const result = await replayed(recording, countingOperator());
  assert.deepEqual([result.difference, result.uncaught], [undefined, []]);
  const writes = recording.exchanges.filter(({ request }) => request.method !== "GET").length;
  assert.ok(result.writes >= writes - 1 && result.writes >= 6, `${result.writes} of ${writes}`);
  assert.deepEqual(await replayed(recording, countingOperator()), result, "it is the same each time");
});

// FR-515
Deno.test("an operator that decides otherwise is stopped at its first other request, which is shown beside the recorded one", async () => {
  const { recording } = await recorded();
  const { difference } = await replayed(recording, countingOperator(2));
  assert.deepEqual([difference!.sent!.method, difference!.sent!.path], ["POST", difference!.recorded!.path]);
  assert.match(difference!.sent!.path, /^\/apis\/events\.k8s\.io\/v1\/namespaces\/home\/events\?/);
  assert.match(difference!.sent!.body!, /"note":"2 times"/);
  assert.match(difference!.recorded!.body!, /"note":"1 times"/);
  const idle = new Operator("widgets");
  idle.on(Widget).reconcile(() => {}, { owns: [ConfigMap] });
  const other = (await replayed(recording, idle)).difference!;
  assert.match(other.recorded!.method, /PATCH|POST/, "it is shown what the recorded operator did instead");
});

// FR-516
Deno.test("a recording that has reached its bound is complete, and the operator goes on", async () => {
  await using folder = TemporaryFolder.make("recording");
  const path = `${folder.path}/file`,
    transport: Transport = {
      fetch: () => Promise.resolve(new Response("{}")),
      close() {},
    };
  const parts = { clock: new SystemClock(), logger: silentLogger, mask: new Mask(), bytesMax: 1_000 };
  using recorder = Recorder.open(path, PROGRAM, parts);
  for (let times = 0; times < 20; times++) {
    assert.equal(await (await recorder.transport(transport).fetch("/version")).text(), "{}");
  }
  const text = await Deno.readTextFile(path);
  assert.ok(text.length < 1_100, text);
  assert.equal(parseRecording(text, path).stopped, "the recording was full");
});

// FR-516
Deno.test("a disk that is full ends the recording and not the operator", async () => {
  const lines: string[] = [], transport: Transport = { fetch: () => Promise.resolve(new Response("{}")), close() {} };
  const logger = { ...silentLogger, error: (message: string) => lines.push(message) } as unknown as typeof silentLogger;
  using recorder = Recorder.open("/dev/full", PROGRAM, { clock: new SystemClock(), logger, mask: new Mask() });
  for (let times = 0; times < 2; times++) {
    assert.equal(await (await recorder.transport(transport).fetch("/version")).text(), "{}");
  }
  assert.deepEqual(lines, ["the recording cannot be written and ends; the operator goes on"]);
});
