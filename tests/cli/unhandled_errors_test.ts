import assert from "node:assert/strict";
import fc from "fast-check";
import type { LogFields, Logger } from "../../lib/base/mod.ts";
import { UnhandledErrors } from "../../lib/cli/unhandled_errors.ts";
import { Binary, DEMO_PERMISSIONS, jsonLines } from "./binary.ts";

// FR-311
Deno.test("one unhandled rejection is not the end: it is logged with the operator's name, counted, and the work goes on", async () => {
  const args = ["run", "--cluster", "embedded", "--http-port", "0", "--log-format", "json"];
  await using binary = await Binary.start(args, {
    main: "tests/cli/careless_operator.ts",
    permissions: DEMO_PERMISSIONS,
  });
  await binary.until(/null was thrown/);
  await binary.until(/a throw after a tick[\s\S]*?a throw after a tick/); // and ticks again
  const port = /are served[^\n]*"port":(\d+)/.exec(binary.out + binary.err)?.[1];
  const metrics = port && await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  binary.kill("SIGTERM");
  const { code, out, err } = await binary.ended();
  assert.equal(code, 0, err);
  const lines = jsonLines(`${out}${err}`);
  const errors = lines.filter(({ level }) => level === "error" || level === "ERROR");
  const told = errors.map(({ operator, error }) => `${operator}: ${error}`);
  for (const what of ["a promise that no code awaits", "a throw in the callback of a timer", "null was thrown"]) {
    assert.ok(told.includes(`careless: ${what}`), told.join("\n"));
  }
  assert.match(String(errors.find(({ error }) => String(error).includes("awaits"))?.stack), /careless_operator\.ts/);
  assert.match(metrics || "", /pintle_unhandled_errors_total [3-9]/);
});

// FR-311
Deno.test("one unhandled rejection is not the end: whatever is rejected or thrown is one line and one count, and ends nothing", () => {
  const property = fc.property(
    fc.oneof(fc.anything(), fc.string().map((text) => new Error(text))),
    fc.boolean(),
    (error, rejected) => {
      const lines: LogFields[] = [];
      const add = (_message: string, fields: LogFields = {}) => void lines.push(fields);
      const logger: Logger = { debug: add, info: add, warn: add, error: add, with: () => logger };
      let counted = 0;
      using _watched = new UnhandledErrors({ operator: "widgets", logger, count: () => counted++ });
      const event = rejected
        ? new PromiseRejectionEvent("unhandledrejection", {
          promise: Promise.resolve(),
          reason: error,
          cancelable: true,
        })
        : new ErrorEvent("error", { error, cancelable: true });
      globalThis.dispatchEvent(event);
      assert.equal(event.defaultPrevented, true, "the runtime would end the process");
      assert.deepEqual([lines.length, counted, lines[0]?.operator], [1, 1, "widgets"]);
      assert.ok(String(lines[0]?.error).length > 0);
    },
  );
  fc.assert(property, { numRuns: 300 });
});
