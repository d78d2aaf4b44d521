import assert from "node:assert/strict";
import { Binary, DEMO_PERMISSIONS } from "./binary.ts";

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
  const lines = `${out}${err}`.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
  const errors = lines.filter(({ level }) => level === "error" || level === "ERROR");
  const told = errors.map(({ operator, error }) => `${operator}: ${error}`);
  for (const what of ["a promise that no code awaits", "a throw in the callback of a timer", "null was thrown"]) {
    assert.ok(told.includes(`careless: ${what}`), told.join("\n"));
  }
  assert.match(String(errors.find(({ error }) => String(error).includes("awaits"))?.stack), /careless_operator\.ts/);
  assert.match(metrics || "", /pintle_unhandled_errors_total [3-9]/);
});
