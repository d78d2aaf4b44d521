import assert from "node:assert/strict";
import { differenceOf } from "./agreement.ts";

// FR-670
Deno.test("the same answers agree, whatever the order of their fields", () => {
  const answers = [{ code: 200, body: { a: 1, b: [1, 2] } }];
  assert.equal(differenceOf(answers, [{ body: { b: [1, 2], a: 1 }, code: 200 }]), undefined);
});

Deno.test("a difference says whether the embedded server is more lenient or stricter", () => {
  const refused = { code: 422, body: { reason: "Invalid" } }, accepted = { code: 201, body: {} };
  assert.equal(differenceOf([refused], [accepted])?.kind, "lenient");
  assert.equal(differenceOf([accepted], [refused])?.kind, "strict");
  assert.equal(differenceOf([refused], [{ ...refused, code: 400 }])?.kind, "code");
});

Deno.test("the first step that differs is named, with the field; texts for people are a kind of their own", () => {
  const same = { code: 200, body: {} }, status = (message: string) => ({ code: 400, body: { reason: "a", message } });
  const found = differenceOf([same, status("one")], [same, status("two")]);
  assert.deepEqual(found, { step: 2, kind: "message", path: "body.message", real: "one", embedded: "two" });
  assert.equal(differenceOf([same], [])?.path, "code");
  assert.equal(differenceOf([{ code: 200, body: { a: [1] } }], [{ code: 200, body: { a: [2] } }])?.path, "body.a[0]");
});
