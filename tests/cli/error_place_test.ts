import assert from "node:assert/strict";
import { describeError, UsageError } from "../../lib/base/mod.ts";
import { withPlace } from "../../lib/cli/error_place.ts";
import { loadSuites } from "../../lib/cli/load_suites.ts";
import { defineResource } from "../../lib/operator/mod.ts";

// FR-573
Deno.test("an error that a module of suites throws names its place, and stays the same error", async () => {
  const error = new TypeError("it has no name", { cause: new Error("in the middle") });
  const load = () => Promise.reject(error);
  await assert.rejects(loadSuites(load), (thrown) => thrown === error);
  assert.match(describeError(error), /^\/\S+\/tests\/cli\/error_place_test\.ts:9:17: it has no name: in the middle$/);
});

// FR-573
Deno.test("what the library refuses is placed where the program declares it", () => {
  const declare = () => defineResource({ group: "shop", version: "v1", kind: "Widget", spec: {} as never });
  assert.throws(declare, (error) => {
    return withPlace(error) instanceof UsageError && /error_place_test\.ts:\d+:\d+: group "shop"/.test(`${error}`);
  });
});

Deno.test("an error whose message names a place keeps it, and what is no error is left alone", () => {
  const error = new Error('Module not found "a.ts".\n    at file:///shop/b.ts:1:8'), { message } = error;
  assert.equal((withPlace(error) as Error).message, message);
  assert.equal(withPlace("a text"), "a text");
});
