import assert from "node:assert/strict";
import { createLogger, LOG_LEVELS, type LogLevel, type LogRecord, silentLogger } from "../../lib/base/mod.ts";

for (const [index, lowest] of LOG_LEVELS.entries()) {
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

Deno.test("the silent logger is silent at every level", () => {
  for (const level of LOG_LEVELS) silentLogger.with({ a: 1 })[level]("dropped");
});
