import assert from "node:assert/strict";
import fc from "fast-check";
import { applyIsCurrent, type DynamicObject } from "../../lib/apimachinery/mod.ts";
import { formatJson } from "../../lib/base/mod.ts";
import { growthOfReads } from "../counted_reads.ts";

/** Linear work reads eight times as much of a list of eight times the size; quadratic work sixty-four times. */
const LINEAR_MAX = 10;

function desiredOf(items: unknown): DynamicObject {
  return { apiVersion: "x/v1", kind: "Y", metadata: { name: "a" }, spec: { items } };
}

function entries(size: number) {
  return Array.from({ length: size }, (_, index) => ({ name: `entry-${index}`, value: `${index}` }));
}

function ownEntries(size: number, keys: (index: number) => object = (index) => ({ name: `entry-${index}` })) {
  return Object.fromEntries(
    Array.from(
      { length: size },
      (_, index) => [`k:${formatJson(keys(index))}`, { ".": {}, "f:name": {}, "f:value": {} }],
    ),
  );
}

// FR-298
Deno.test("the work of comparing a keyed list grows with its entries, not with their square", () => {
  const growth = growthOfReads((size) => desiredOf(entries(size)), (live, size) => {
    assert.ok(applyIsCurrent(desiredOf(entries(size)), live, { "f:spec": { "f:items": ownEntries(size) } }));
  });
  assert.ok(growth < LINEAR_MAX, `${growth}`);
});

// FR-298
Deno.test("the work also grows so for desired entries without a key that the server defaults", () => {
  const own = (size: number) => ({
    "f:spec": { "f:items": ownEntries(size, (index) => ({ name: `entry-${index}`, protocol: "TCP" })) },
  });
  const live = (size: number) => desiredOf(entries(size).map((entry) => ({ ...entry, protocol: "TCP" })));
  const growths = [
    growthOfReads(live, (given, size) => assert.ok(applyIsCurrent(desiredOf(entries(size)), given, own(size)))),
    growthOfReads(
      (size) => desiredOf(entries(size)),
      (given, size) => assert.ok(applyIsCurrent(given, live(size), own(size))),
    ),
  ];
  for (const growth of growths) assert.ok(growth < LINEAR_MAX, `${growth}`);
});

// FR-298
Deno.test("the work of comparing a set grows with its members, not with their square", () => {
  const members = (size: number) => entries(size).map(({ name }) => name);
  const growth = growthOfReads((size) => desiredOf(members(size)), (live, size) => {
    const own = Object.fromEntries(members(size).map((name) => [`v:${formatJson(name)}`, {}]));
    assert.ok(applyIsCurrent(desiredOf(members(size)), live, { "f:spec": { "f:items": own } }));
  });
  assert.ok(growth < LINEAR_MAX, `${growth}`);
});

Deno.test("the work of comparing a map grows with its keys, not with their square", () => {
  const data = (size: number) => Object.fromEntries(entries(size).map(({ name, value }) => [name, value]));
  const growth = growthOfReads((size) => ({ data: data(size) }), (desired, size) => {
    const own = Object.fromEntries(Object.keys(data(size)).map((key) => [`f:${key}`, {}]));
    assert.ok(applyIsCurrent(desired, { data: data(size) }, { "f:data": own }));
  });
  assert.ok(growth < LINEAR_MAX, `${growth}`);
});

// FR-298
Deno.test("an entry is found by all of its keys, also where some are left out, and never where two fit", () => {
  const port = (number: number, protocol?: string) => ({ port: number, ...(protocol && { protocol }) });
  const own = (...keys: object[]) => ({
    "f:spec": {
      "f:items": Object.fromEntries(keys.map((key) => [`k:${formatJson(key)}`, { "f:port": {}, "f:protocol": {} }])),
    },
  });
  const tcp = { port: 53, protocol: "TCP" }, udp = { port: 53, protocol: "UDP" };
  const bare = (...keys: object[]) => ({
    "f:spec": { "f:items": Object.fromEntries(keys.map((key) => [`k:${formatJson(key)}`, { "f:port": {} }])) },
  });
  assert.ok(applyIsCurrent(desiredOf([tcp, udp]), desiredOf([tcp, udp]), own(tcp, udp)));
  assert.ok(applyIsCurrent(desiredOf([port(53)]), desiredOf([tcp]), bare(tcp)));
  assert.ok(
    !applyIsCurrent(desiredOf([port(53), udp]), desiredOf([tcp, udp]), own(tcp, udp)),
    "the first may be either",
  );
  assert.ok(!applyIsCurrent(desiredOf([tcp, udp]), desiredOf([udp, tcp]), own(tcp, udp)), "another order");
  assert.ok(!applyIsCurrent(desiredOf([tcp]), desiredOf([tcp]), own({ port: 53 }, udp)), "two spellings of keys");
  assert.ok(!applyIsCurrent(desiredOf([tcp, tcp]), desiredOf([tcp, udp]), own(tcp, udp)), "an entry twice");
});

Deno.test("keys of all scalars are distinct: strings from numbers, int64 from their neighbours", () => {
  const key = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.bigInt({ min: 2n ** 60n, max: 2n ** 60n + 9n }));
  fc.assert(fc.property(fc.uniqueArray(key, { selector: (value) => formatJson(value), minLength: 2 }), (keys) => {
    const items = keys.map((id) => ({ id }));
    const own = Object.fromEntries(items.map((item) => [`k:${formatJson(item)}`, { "f:id": {} }]));
    const fields = { "f:spec": { "f:items": own } };
    assert.ok(applyIsCurrent(desiredOf(items), desiredOf(items), fields));
    assert.ok(!applyIsCurrent(desiredOf(items), desiredOf(items.toReversed()), fields));
    assert.ok(!applyIsCurrent(desiredOf(items.slice(1)), desiredOf(items), fields));
  }));
});
