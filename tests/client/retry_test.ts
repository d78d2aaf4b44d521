import assert from "node:assert/strict";
import { SeededRandom, VirtualClock } from "../../lib/base/mod.ts";
import { apiErrorOf, Client, NotFoundError, UnreachableError } from "../../lib/client/mod.ts";
import { RETRY_POLICY, retryDelayMs } from "../../lib/client/retry.ts";
import { answer, fail, hang, refuse, ScriptedTransport, type Step, WIDGETS } from "./scripted_transport.ts";

const KEY = { namespace: "shop", name: "a" };
const FIRST = { retry: 1, idempotent: true, policy: RETRY_POLICY, random: new SeededRandom(1) };
const WIDGET = { metadata: { ...KEY } };
const RESET =
  "error sending request for url (https://s/): client error (SendRequest): connection closed before message completed";
const REFUSED =
  "error sending request for url (https://s/): client error (Connect): tcp connect error: Connection refused (os error 111)";

function setUp(...steps: Step[]) {
  const transport = new ScriptedTransport(...steps), clock = new VirtualClock();
  return {
    transport,
    clock,
    client: new Client(transport, { fieldManager: "test", clock, random: new SeededRandom(1) }),
  };
}

/** Runs a request to its end while the clock advances; returns its result or error, and the elapsed time. */
async function outcome<T>(
  clock: VirtualClock,
  request: Promise<T>,
): Promise<{ value?: T; error?: Error; tookMs: number }> {
  const startMs = clock.now();
  let done: { value?: T; error?: Error } | undefined;
  request.then((value) => done = { value }, (error) => done = { error });
  await clock.advance(0);
  while (!done) {
    assert.notEqual(clock.nextInMs, undefined, "the request waits for nothing");
    await clock.advance(clock.nextInMs!);
  }
  return { ...done, tookMs: clock.now() - startMs };
}

// FR-11
Deno.test("a 429 is obeyed: the request is retried no earlier than requested, a create too", async () => {
  const { client, clock, transport } = setUp(
    refuse(429, "TooManyRequests", "slow down", { headers: { "retry-after": "7" } }),
    answer(WIDGET, 201),
  );
  const { value, tookMs } = await outcome(clock, client.create(WIDGETS, WIDGET));
  assert.deepEqual(value, WIDGET);
  assert.ok(tookMs >= 7_000 && tookMs < 9_000, `${tookMs} ms`);
  assert.equal(transport.seen.length, 2);
});

Deno.test("a 429 with a longer delay than the bound is returned to the caller at once", async () => {
  const { client, clock } = setUp(refuse(429, "TooManyRequests", "later", { headers: { "retry-after": "3600" } }));
  const { error, tookMs } = await outcome(clock, client.get(WIDGETS, KEY));
  assert.equal((error as { retryAfterMs?: number }).retryAfterMs, 3_600_000);
  assert.equal(tookMs, 0);
});

Deno.test("a read survives resets, refusals and 503s in a row", async () => {
  const { client, clock } = setUp(fail(RESET), fail(REFUSED), refuse(503, "ServiceUnavailable"), answer(WIDGET));
  assert.deepEqual((await outcome(clock, client.get(WIDGETS, KEY))).value, WIDGET);
});

// FR-12
Deno.test("a create that may have arrived is never sent twice", async () => {
  for (const step of [fail(RESET), refuse(503, "ServiceUnavailable"), refuse(500, "InternalError")]) {
    const { client, clock, transport } = setUp(step, answer(WIDGET, 201));
    assert.ok((await outcome(clock, client.create(WIDGETS, WIDGET))).error);
    assert.equal(transport.seen.length, 1);
  }
});

Deno.test("a create that cannot have arrived is retried", async () => {
  const { client, clock } = setUp(fail(REFUSED), answer(WIDGET, 201));
  assert.deepEqual((await outcome(clock, client.create(WIDGETS, WIDGET))).value, WIDGET);
});

Deno.test("a JSON patch is not retried, an apply and a merge patch are", async () => {
  const json = setUp(fail(RESET), answer(WIDGET));
  assert.ok((await outcome(json.clock, json.client.patch(WIDGETS, KEY, { type: "json", body: [] }))).error);
  const merge = setUp(fail(RESET), answer(WIDGET));
  assert.ok((await outcome(merge.clock, merge.client.patch(WIDGETS, KEY, { type: "merge", body: {} }))).value);
  const apply = setUp(fail(RESET), answer(WIDGET));
  assert.ok((await outcome(apply.clock, apply.client.apply(WIDGETS, WIDGET))).value);
});

Deno.test("a delete whose first attempt broke off and whose second finds nothing has succeeded", async () => {
  const repeated = setUp(fail(RESET), refuse(404, "NotFound"));
  assert.equal((await outcome(repeated.clock, repeated.client.delete(WIDGETS, KEY))).error, undefined);
  const first = setUp(refuse(404, "NotFound"));
  assert.ok((await outcome(first.clock, first.client.delete(WIDGETS, KEY))).error instanceof NotFoundError);
});

// FR-11
Deno.test("retries are bounded, and the last error is thrown", async () => {
  const steps = Array.from({ length: 5 }, () => fail(REFUSED));
  const { client, clock, transport } = setUp(...steps);
  const { error } = await outcome(clock, client.get(WIDGETS, KEY));
  assert.ok(error instanceof UnreachableError && error.kind === "refused", String(error));
  assert.equal(transport.left, 0);
  assert.match(error.message, /get widgets\.shop\.example\.com shop\/a/);
});

// FR-463
Deno.test("no response within the limit is a timeout, which is not retried", async () => {
  const { client, clock, transport } = setUp(hang());
  const { error, tookMs } = await outcome(clock, client.get(WIDGETS, KEY));
  assert.ok(error instanceof UnreachableError && error.kind === "timeout", String(error));
  assert.equal(tookMs, 60_000);
  assert.equal(transport.seen.length, 1);
});

Deno.test("an abort during the pause between two attempts ends the request with the signal's reason", async () => {
  const { client, clock, transport } = setUp(fail(REFUSED));
  const stop = new AbortController(), reason = new Error("shutting down");
  const request = client.get(WIDGETS, KEY, { signal: stop.signal });
  await Promise.all([assert.rejects(request, reason), clock.advance(1).then(() => stop.abort(reason))]);
  assert.equal(transport.seen.length, 1);
  assert.equal(clock.pending, 0, "no timer is left");
});

Deno.test("certificate errors are not retried", () => {
  for (const kind of ["unknownAuthority", "certificateName", "certificateExpired", "tls"] as const) {
    const error = new UnreachableError("s", kind);
    assert.equal(retryDelayMs({ error, ...FIRST }), undefined, kind);
  }
});

Deno.test("a conflict is not retried", () => {
  const status = { kind: "Status", apiVersion: "v1", status: "Failure", code: 409, reason: "Conflict" } as const;
  const error = apiErrorOf(status, { verb: "update", resource: WIDGETS });
  assert.equal(retryDelayMs({ error, ...FIRST }), undefined);
});
