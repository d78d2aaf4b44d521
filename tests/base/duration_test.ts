import assert from "node:assert/strict";
import { durationMs, formatDuration } from "../../lib/base/mod.ts";

const READ: [number | string, number][] = [
  [0, 0],
  [1.5, 1.5],
  ["500ms", 500],
  ["30s", 30_000],
  ["1.5s", 1_500],
  ["10m", 600_000],
  ["1h30m", 5_400_000],
  ["7d", 604_800_000],
  ["1d2h3m4s5ms", 93_784_005],
  ["0s", 0],
];
for (const [text, ms] of READ) {
  Deno.test(`${JSON.stringify(text)} is ${ms} milliseconds`, () => assert.equal(durationMs(text), ms));
}

const REFUSED = [
  "",
  " ",
  "5",
  "s",
  "-5s",
  "1h 30m",
  "1 h",
  "10M",
  "1w",
  "1e3s",
  ".5s",
  "5s!",
  `${"9".repeat(400)}d`,
  "٣s",
];
for (const text of [...REFUSED, -1, NaN, Infinity]) {
  Deno.test(`${JSON.stringify(String(text)).slice(0, 20)} is refused as a duration, and quoted`, () => {
    assert.throws(() => durationMs(text), (error: Error) => {
      assert.ok(error instanceof RangeError);
      assert.ok(error.message.includes(String(text)), error.message);
      return true;
    });
  });
}

const WRITTEN: [number, string][] = [
  [-5, "0ms"],
  [0.4, "0ms"],
  [850, "850ms"],
  [999.9, "999ms"],
  [1_000, "1s"],
  [12_345, "12.3s"],
  [59_999, "59.9s"],
  [60_000, "1m"],
  [250_000, "4m10s"],
  [3_599_999, "59m59s"],
  [7_500_000, "2h5m"],
  [172_799_000, "47h59m"],
  [273_600_000, "3d4h"],
  [172_800_000, "2d"],
];
for (const [ms, text] of WRITTEN) {
  Deno.test(`${ms} ms is written ${text}`, () => assert.equal(formatDuration(ms), text));
}
