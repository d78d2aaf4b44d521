import { InvariantError } from "../../lib/base/errors.ts";
import assert from "node:assert/strict";
import { describeError, invariant, PermanentError, stackOf, TemporaryError, UsageError } from "../../lib/base/mod.ts";

Deno.test("an error is described with its causes, each message once", () => {
  const root = new Error("ECONNREFUSED"), middle = new Error("cannot reach db", { cause: root });
  assert.equal(
    describeError(new Error("start failed", { cause: middle })),
    "start failed: cannot reach db: ECONNREFUSED",
  );
  assert.equal(describeError(new Error("start failed: ECONNREFUSED", { cause: root })), "start failed: ECONNREFUSED");
});

Deno.test("any thrown value can be described, and a circle of causes ends", () => {
  assert.equal(describeError("text"), "text");
  assert.equal(describeError(undefined), "undefined was thrown");
  assert.equal(describeError(new TypeError()), "TypeError");
  const circle = new Error("round");
  circle.cause = circle;
  assert.equal(describeError(circle), "round");
});

Deno.test("a TemporaryError reads its delay, or leaves it to the queue", () => {
  assert.equal(new TemporaryError("later", { delay: "30s" }).delayMs, 30_000);
  assert.equal(new TemporaryError("later").delayMs, undefined);
  assert.equal(new TemporaryError("later", { reason: "DbDown" }).reason, "DbDown");
  // @ts-expect-error: no duration
  assert.throws(() => new TemporaryError("later", { delay: "soon" }), RangeError);
});

Deno.test("errors keep their cause, their reason and their name", () => {
  const cause = new Error("below");
  assert.deepEqual(
    [new PermanentError("no", { cause }).cause, new PermanentError("no").reason, new UsageError("no", "do that").hint],
    [cause, "PermanentError", "do that"],
  );
  assert.equal(`${new PermanentError("no")}`, "PermanentError: no");
});

Deno.test("an invariant that holds is silent, a broken one throws", () => {
  invariant(1, "fine");
  assert.throws(() => invariant(0, "broken"), InvariantError);
});

Deno.test("a SuppressedError describes both errors, the first one first", async () => {
  const failing = async () => {
    await using _ = { [Symbol.asyncDispose]: () => Promise.reject(new Error("it cannot be removed")) };
    throw new Error("it failed", { cause: new Error("no disk") });
  };
  const error = await failing().catch((error) => error);
  assert.equal(describeError(error), "it failed: no disk; then it cannot be removed");
});

// FR-302
Deno.test("any thrown value is described: null, undefined, plain objects, circular objects", () => {
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  const nested = new Error("outer", { cause: { code: 7 } });
  assert.deepEqual([null, undefined, { foo: 1 }, loop, 5, "", nested].map(describeError), [
    "null was thrown",
    "undefined was thrown",
    '{"foo":1}',
    "[object Object]",
    "5",
    "an empty text was thrown",
    'outer: {"code":7}',
  ]);
});

// FR-302
Deno.test("a description and a stack are bounded, and cut no character in two", () => {
  const huge = "\u{1F600}".repeat(2_500_000), error = new Error(huge, { cause: new Error(`b${huge}`) });
  for (const text of [describeError(error), describeError(huge), describeError({ huge }), stackOf(error)!]) {
    assert.ok(text.length <= 4_096, `${text.length}`);
    assert.ok(text.isWellFormed());
    assert.match(text, /… \(\d+ characters\)$/);
  }
  assert.equal(stackOf(new PermanentError("on purpose")), undefined);
  assert.match(stackOf(new TypeError("by accident"))!, /errors_test\.ts/);
});
