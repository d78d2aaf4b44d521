import assert from "node:assert/strict";
import type { GateRequest } from "./gate.ts";
import { Leadership } from "./leadership.ts";

const WRITE: GateRequest = { method: "PATCH", path: "/x", isWatch: false, isWrite: true };
const lease = (holder: string): GateRequest => ({
  method: "PUT",
  path: "/lease",
  isWatch: false,
  isWrite: false,
  holder,
});

Deno.test("the holder of the lease leads, and its writes are no overlap", () => {
  const leadership = new Leadership(), one = leadership.observe("one");
  one.onAnswer!(lease("one_x1"), 201);
  one.onRequest!(WRITE);
  one.onAnswer!(lease("one_x1"), 200);
  assert.deepEqual([leadership.leader, leadership.transitions, leadership.overlaps], ["one", 1, []]);
});

// FR-371
Deno.test("a write of a process that has lost the lease is an overlap", () => {
  const leadership = new Leadership(), one = leadership.observe("one"), two = leadership.observe("two");
  one.onAnswer!(lease("one_x1"), 201);
  two.onAnswer!(lease("two_y1"), 200);
  two.onRequest!(WRITE);
  one.onRequest!(WRITE);
  assert.deepEqual([leadership.leader, leadership.transitions], ["two", 2]);
  assert.deepEqual(leadership.overlaps, ["one sent PATCH /x while two led"]);
});

Deno.test("a lease that was refused, or only read, changes nothing", () => {
  const leadership = new Leadership(), one = leadership.observe("one"), two = leadership.observe("two");
  one.onAnswer!(lease("one_x1"), 201);
  two.onAnswer!(lease("two_y1"), 409);
  two.onAnswer!({ ...lease(""), holder: undefined, method: "GET" }, 200);
  assert.equal(leadership.leader, "one");
});

Deno.test("after a lease was given up no process leads, and a write then is an overlap", () => {
  const leadership = new Leadership(), one = leadership.observe("one");
  one.onAnswer!(lease("one_x1"), 201);
  one.onAnswer!(lease(""), 200);
  one.onRequest!(WRITE);
  assert.equal(leadership.leader, undefined);
  assert.deepEqual(leadership.overlaps, ["one sent PATCH /x while no process led"]);
});
