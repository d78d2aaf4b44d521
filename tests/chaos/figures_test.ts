import assert from "node:assert/strict";
import { figureLines, Figures } from "./figures.ts";

Deno.test("figures of a fault are one line, with its notes and violations below", () => {
  const figures = new Figures();
  figures.faults = 3;
  figures.operations = 10;
  figures.refused = 2;
  figures.requests = 50;
  for (const tookMs of [5_000, 1_000, 2_040]) figures.recovered(tookMs);
  figures.note("answers 410", 4);
  figures.note("answers 410");
  figures.note("exits", 0);
  figures.noteLongest("ms of takeover", 900.4);
  figures.noteLongest("ms of takeover", 800);
  figures.violation("a copy is missing");
  assert.deepEqual(figureLines("kills", figures, 61_000), [
    "FAILED: kills: 3 faults, 10 operations (2 refused), 50 requests, 3 checks, recovery 2.0 s median, 5.0 s longest, 1 violations, 61.0 s",
    "    answers 410 5, ms of takeover 900",
    "    violation: a copy is missing",
  ]);
});

Deno.test("a fault without a check has no recovery to show", () => {
  assert.deepEqual(figureLines("kills", new Figures(), 0), [
    "ok: kills: 0 faults, 0 operations (0 refused), 0 requests, 0 checks, recovery – median, – longest, 0 violations, 0.0 s",
  ]);
});
