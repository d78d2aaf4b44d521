import assert from "node:assert/strict";
import { Binary, DEMO_PERMISSIONS } from "../cli/binary.ts";

const PRELOAD = new URL("operators/stepped_clock.ts", import.meta.url).pathname;

// FR-370
Deno.test("signals set the time of day of an operator's process an hour forward and back", async () => {
  const permissions = [...DEMO_PERMISSIONS, `--preload=${PRELOAD}`];
  await using binary = await Binary.start(["run", "--cluster", "embedded", "--http-port", "0"], { permissions });
  await binary.until(/operator runs/);
  const beganMs = Date.now();
  binary.kill("SIGWINCH");
  await binary.until(/-1 h off/);
  for (let forward = 0; forward < 3; forward++) {
    binary.kill("SIGUSR2");
    await binary.until(new RegExp(`is ${forward} h off`));
  }
  binary.kill("SIGTERM");
  const { code, out } = await binary.ended();
  const [, stopped] = /^(\S+) INFO {2}stopping/m.exec(out)!;
  const aheadMs = Date.parse(stopped!) - beganMs;
  assert.ok(aheadMs >= 2 * 3_600_000, `${aheadMs} ms ahead`);
  assert.equal(code, 0);
});
