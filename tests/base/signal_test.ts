import assert from "node:assert/strict";
import { LinkedAbort } from "../../lib/base/mod.ts";

/** A signal whose listeners can be counted. */
class CountedAbort extends AbortController {
  listeners = 0;

  constructor() {
    super();
    const { signal } = this,
      add = signal.addEventListener.bind(signal),
      remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => (this.listeners++, add(...args));
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (this.listeners--, remove(...args));
  }
}

Deno.test("a linked signal aborts with the reason of the first parent that aborts", () => {
  const first = new AbortController(), second = new AbortController(), reason = new Error("second");
  using linked = new LinkedAbort([first.signal, undefined, second.signal]);
  second.abort(reason);
  first.abort(new Error("first"));
  assert.equal(linked.signal.reason, reason);
});

Deno.test("a linked signal is aborted from the beginning where a parent is", () => {
  const aborted = new AbortController(), other = new CountedAbort(), reason = new Error("gone");
  aborted.abort(reason);
  using linked = new LinkedAbort([other.signal, aborted.signal]);
  assert.equal(linked.signal.reason, reason);
  assert.equal(other.listeners, 0, "and holds on to no other parent");
});

Deno.test("a disposed or aborted linked signal has no listener on its parents", () => {
  const parents = [new CountedAbort(), new CountedAbort()];
  const disposed = new LinkedAbort(parents.map(({ signal }) => signal));
  const aborted = new LinkedAbort(parents.map(({ signal }) => signal));
  assert.deepEqual(parents.map(({ listeners }) => listeners), [2, 2]);
  disposed[Symbol.dispose]();
  aborted.abort(new Error("own"));
  assert.deepEqual(parents.map(({ listeners }) => listeners), [0, 0]);
  parents[0]!.abort();
  assert.equal(disposed.signal.aborted, false, "what was let go does not follow");
  assert.equal(aborted.signal.reason.message, "own", "the first reason stays");
});
