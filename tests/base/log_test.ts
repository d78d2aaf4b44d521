import { MASKED } from "../../lib/base/mask.ts";
import assert from "node:assert/strict";
import {
  createLogger,
  LOG_LEVELS,
  type LogLevel,
  type LogRecord,
  Mask,
  maskLogger,
  silentLogger,
} from "../../lib/base/mod.ts";

for (const [index, lowest] of LOG_LEVELS.entries()) {
  // FR-63
  Deno.test(`a logger at ${lowest} writes ${LOG_LEVELS.slice(index).join(", ")} and nothing below`, () => {
    const seen: LogLevel[] = [];
    const logger = createLogger(({ level }) => seen.push(level), lowest);
    for (const level of LOG_LEVELS) logger.with({ a: 1 })[level]("line");
    assert.deepEqual(seen, LOG_LEVELS.slice(index));
  });
}

Deno.test("fields are inherited, the nearest wins, and a child does not change its parent", () => {
  const records: LogRecord[] = [];
  const parent = createLogger((record) => records.push(record)).with({ namespace: "shop", name: "a" });
  parent.with({ name: "b" }).info("child", { extra: 1 });
  parent.info("parent");
  assert.deepEqual(records, [
    { level: "info", message: "child", fields: { namespace: "shop", name: "b", extra: 1 } },
    { level: "info", message: "parent", fields: { namespace: "shop", name: "a" } },
  ]);
});

// FR-283
Deno.test("a masking logger removes values from messages and all fields, also fields from before the value was learned", () => {
  const records: LogRecord[] = [], mask = new Mask();
  const logger = maskLogger(createLogger((record) => records.push(record)), mask).with({
    given: "with admin-prod-S3cr3t",
  });
  mask.learn({}, 17, () => ["admin-prod-S3cr3t"]);
  logger.with({ a: 1 }).warn("no admin-prod-S3cr3t", {
    error: new Error("no admin-prod"),
    list: ["admin-prod-S3cr3t"],
  });
  assert.deepEqual(records, [{
    level: "warn",
    message: `no ${MASKED}`,
    fields: { given: `with ${MASKED}`, a: 1, error: `Error: no ${MASKED}`, list: [MASKED] },
  }]);
  assert.equal(maskLogger(logger, mask), logger);
});

// FR-282
Deno.test("a line below the level of a logger is dropped without being masked", () => {
  const mask = new Mask();
  let reads = 0;
  mask.learn({}, 8, () => (reads++, []));
  maskLogger(createLogger(() => {}, "info"), mask).debug("dropped");
  assert.equal(reads, 0);
});

Deno.test("the silent logger is silent at every level", () => {
  for (const level of LOG_LEVELS) silentLogger.with({ a: 1 })[level]("dropped");
});
