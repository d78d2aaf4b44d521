import assert from "node:assert/strict";
import { UsageError } from "../../lib/base/mod.ts";
import { comparable, parseRecording, RECORDING_FORMAT, withSecretValues } from "../../lib/explore/recording.ts";

const HEADER = JSON.stringify({
  recording: "pintle",
  format: RECORDING_FORMAT,
  operator: "widgets",
  version: "1.2.3",
  startMs: 0,
  seed: 1,
  settings: {},
});
const SEND = JSON.stringify({ atMs: 1, n: 1, send: { method: "GET", path: "/version" } });
const ANSWER = JSON.stringify({ atMs: 2, n: 1, status: 200, headers: {}, body: "{}" });
const STOPPED = JSON.stringify({ atMs: 3, stopped: "the operator stopped" });

// FR-516
Deno.test("a recording that was cut off is read up to there", () => {
  const whole = parseRecording([HEADER, SEND, ANSWER, STOPPED, ""].join("\n"), "file");
  assert.deepEqual([whole.stopped, whole.endMs, whole.exchanges.length], ["the operator stopped", 3, 1]);
  for (const cut of [STOPPED.slice(0, -4), ""]) {
    const { stopped, exchanges, endMs, isTorn } = parseRecording([HEADER, SEND, ANSWER, cut].join("\n"), "file");
    assert.deepEqual([stopped, exchanges[0]!.answer!.body, endMs, isTorn], [undefined, "{}", 2, cut !== ""]);
  }
  assert.equal(parseRecording([HEADER, SEND].join("\n"), "file").exchanges[0]!.answer, undefined);
});

// FR-516
Deno.test("a file that is no recording, a damaged one, and one of another format are refused, each with its reason", () => {
  const other = HEADER.replace(`"format":${RECORDING_FORMAT}`, '"format":99');
  const cases: [string, RegExp][] = [
    ["", /^file is not a recording of an operator$/],
    ["apiVersion: v1\nkind: Secret\n", /is not a recording/],
    ["[]\n", /is not a recording/],
    [`${other}\n`, /^file has the format 99 of another release, and this program reads 1$/],
    [[HEADER, SEND.slice(0, 9), ANSWER].join("\n"), /^file is damaged: line 2 is not JSON$/],
  ];
  for (const [text, says] of cases) {
    assert.throws(
      () => parseRecording(text, "file"),
      (error) => error instanceof UsageError && says.test(error.message),
    );
  }
});

// FR-514
Deno.test("the values of Secrets are replaced in objects, lists, events and patches, and nothing else is", () => {
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { a: btoa("one") } };
  const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" }, data: { a: "one" } };
  const hide = (value: string) => `<${value}>`, hidden = { ...secret, data: { a: btoa("<one>") } };
  const cases: [unknown, boolean, unknown][] = [
    [secret, true, hidden],
    [secret, false, hidden],
    [config, false, config],
    [{ kind: "SecretList", items: [{ data: { a: btoa("one") } }] }, true, {
      kind: "SecretList",
      items: [{ data: { a: btoa("<one>") } }],
    }],
    [{ type: "ADDED", object: secret }, true, { type: "ADDED", object: hidden }],
    [{ kind: "List", items: [secret, config] }, false, { kind: "List", items: [hidden, config] }],
    [{ stringData: { a: "one" } }, true, { stringData: { a: "<one>" } }],
    [
      [{ op: "add", path: "/data/a", value: btoa("one") }, { op: "add", path: "/metadata/labels/a", value: "b" }],
      true,
      [
        { op: "add", path: "/data/a", value: btoa("<one>") },
        { op: "add", path: "/metadata/labels/a", value: "b" },
      ],
    ],
    [{ ...secret, data: { a: "no base64!" } }, true, { ...secret, data: { a: "<no base64!>" } }],
  ];
  for (const [body, ofSecrets, expected] of cases) assert.deepEqual(withSecretValues(body, ofSecrets, hide), expected);
});

// FR-515
Deno.test("requests are compared without times, timeouts of watches, and names of Events", () => {
  const watch = comparable("/api/v1/pods?timeoutSeconds=207&watch=1", {});
  assert.deepEqual(watch, { method: "GET", path: "/api/v1/pods?timeoutSeconds=any&watch=1" });
  const status = comparable("/a", { method: "PATCH", body: '{"lastTransitionTime":"2026-01-01T00:00:01Z"}' });
  assert.equal(status.body, '{"lastTransitionTime":"<time>"}');
  const [one, other] = ["w.17f2a", "w.98bc1"].map((name) =>
    comparable("/apis/events.k8s.io/v1/namespaces/a/events", {
      method: "POST",
      body: `{"metadata":{"name":"${name}"}}`,
    })
  );
  assert.deepEqual(one, other);
});
