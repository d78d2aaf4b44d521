import assert from "node:assert/strict";
import { type Duration, durationMs, formatDuration } from "../../lib/base/mod.ts";

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

// FR-301
Deno.test("invalid durations do not compile, and valid ones do", () => {
  const read: Duration[] = [5, "500ms", "30s", "1.5s", "10m", "1h30m", "1d2h"];
  // @ts-expect-error: a unit is one letter or two
  read.push("5 minutes");
  // @ts-expect-error: a number without its unit
  read.push("30");
  // @ts-expect-error: a unit without its number
  read.push("s");
  assert.deepEqual(read.slice(0, 7).map(durationMs), [5, 500, 30_000, 1_500, 600_000, 5_400_000, 93_600_000]);
});
