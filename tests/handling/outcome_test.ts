import assert from "node:assert/strict";
import { PermanentError, TemporaryError, TimeoutError } from "../../lib/base/mod.ts";
import { outcomeOf, outcomeOfError, requeueAfter } from "../../lib/handling/mod.ts";

Deno.test("a handler that returns is done, and is called again after its requeueAfter", () => {
  assert.deepEqual(outcomeOf(undefined, "reconcile"), { kind: "done" });
  assert.deepEqual(outcomeOf(requeueAfter("1h30m"), "reconcile"), { kind: "done", requeueAfterMs: 5_400_000 });
  assert.deepEqual(outcomeOf(requeueAfter(0), "reconcile"), { kind: "done", requeueAfterMs: 0 });
  // @ts-expect-error: no duration
  assert.throws(() => requeueAfter("soon"), RangeError);
});

Deno.test("a PermanentError fails for good, with its reason", () => {
  const error = new PermanentError("no such size", { reason: "BadSize" });
  assert.deepEqual(outcomeOfError(error), { kind: "failed", reason: "BadSize", message: "no such size", error });
});

Deno.test("a TemporaryError is tried again after its delay, or after the queue's", () => {
  const asked = outcomeOfError(new TemporaryError("later", { delay: "30s", reason: "DbDown" }));
  assert.ok(asked.kind === "retry");
  assert.deepEqual([asked.delayMs, asked.reason, asked.message], [30_000, "DbDown", "later"]);
  const open = outcomeOfError(new TemporaryError("later"));
  assert.ok(open.kind === "retry" && open.delayMs === undefined);
});

Deno.test("a timeout is tried again and reported as such", () => {
  const outcome = outcomeOfError(new TimeoutError("handler did not finish within 5s"));
  assert.ok(outcome.kind === "retry" && outcome.reason === "Timeout");
});

Deno.test("any other error is tried again under the name of its class; what is no error too", () => {
  const named = (name: string) => Object.assign(new Error("x"), { name });
  const reasons = [
    new Error("x"),
    new TypeError("x"),
    named("DbError"),
    named("not a reason!"),
    named(""),
    "text",
    undefined,
    null,
  ]
    .map((thrown) => {
      const outcome = outcomeOfError(thrown);
      assert.equal(outcome.kind, "retry");
      return outcome.kind === "retry" ? outcome.reason : "";
    });
  assert.deepEqual(reasons, ["Error", "TypeError", "DbError", "Error", "Error", "Error", "Error", "Error"]);
});

Deno.test("the message holds the causes", () => {
  const outcome = outcomeOfError(new Error("apply failed", { cause: new Error("quota exceeded") }));
  assert.ok(outcome.kind === "retry" && outcome.message === "apply failed: quota exceeded");
});

// FR-435
Deno.test("a handler that returns something else fails for good, and the message names the handler and no value", () => {
  for (
    const [result, said] of [
      [{ requeueAfter: "10s" }, "an object (requeueAfter)"],
      [{ kind: "requeue", afterMs: "10s" }, "an object (kind, afterMs)"],
      ["hunter2", "a string"],
      [5n, "a bigint"],
      [[], "an array"],
      [() => {}, "a function"],
    ] as const
  ) {
    assert.throws(() => outcomeOf(result as never, "reconcile"), {
      name: "PermanentError",
      message: `handler "reconcile" returned ${said}: return nothing, or requeueAfter("10m")`,
    });
  }
});
