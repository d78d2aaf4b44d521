import assert from "node:assert/strict";
import { textWidth } from "../../lib/base/mod.ts";
import type { LiveArea } from "../../lib/harness/mod.ts";
import type { Terminal } from "../../lib/cli/terminal.ts";
import { DevScreen } from "../../tools/dev_screen.ts";

/** A terminal that remembers what stands on it: lines that stay, and what is drawn below them. */
function paper(columns: number): { lines: string[]; drawn: string[]; terminal: Terminal; area: LiveArea } {
  const lines: string[] = [], drawn: string[] = [];
  const out = (line: string) => void lines.push(line);
  const terminal = { out, err: out, interactive: true, color: false, errorColor: false, columns: () => columns };
  const area = {
    draw: (picture: string) => void drawn.push(picture),
    print: (text: string) => {
      assert.match(text, /\n$/);
      lines.push(...text.slice(0, -1).split("\n"));
    },
    clear: () => void drawn.push(""),
    end: () => {},
  };
  return { lines, drawn, terminal, area };
}

const RUN = [
  "3 scenarios on embedded, seed 7",
  "✓ a: one (1ms)",
  "✗ a: two (1ms)",
  "    ✓ given something",
  "    it broke",
  "✓ a: three (1ms)",
  "",
  "3ms on embedded",
  "2 passed, 1 failed",
];

// FR-195
Deno.test("on a terminal scenarios that pass are counted in one line, and everything else stays", () => {
  const { lines, drawn, terminal, area } = paper(80);
  using screen = new DevScreen(terminal, area);
  for (const line of RUN) screen.tests(line);
  screen.operator("INFO starting");
  const [planned, , failed, step, message, , , took, counts] = RUN;
  assert.deepEqual(lines, [
    ...[planned, failed, step, message, took, counts].map((line) => `tests    | ${line}`),
    "operator | INFO starting",
  ]);
  assert.deepEqual([...new Set(drawn)], [
    "tests    | 0 of 3 ran",
    "tests    | 1 of 3 ran",
    "tests    | 2 of 3 ran, 1 failed",
    "tests    | 3 of 3 ran, 1 failed",
    "",
  ]);
  assert.equal(drawn.at(-1), "", "a run that has ended leaves no line");
});

// FR-195
Deno.test("a run that a change of the sources cut off is forgotten when the next one begins", () => {
  const { drawn, terminal, area } = paper(80);
  using screen = new DevScreen(terminal, area);
  for (const line of [...RUN.slice(0, 3), RUN[0]!, RUN[1]!]) screen.tests(line);
  assert.equal(drawn.at(-1), "tests    | 1 of 3 ran");
});

for (const columns of [10, 30, 80, 200]) {
  // FR-195
  Deno.test(`the line that counts fits a terminal of ${columns} columns`, () => {
    const { drawn, terminal, area } = paper(columns);
    using screen = new DevScreen(terminal, area);
    screen.tests(`${"9".repeat(60)} scenarios on embedded, seed 7`);
    screen.tests("✗ a: one");
    // No terminal is narrower than sixteen columns.
    assert.ok(textWidth(drawn.at(-1)!) <= Math.max(16, columns - 1), drawn.at(-1)!);
  });
}

// FR-195
Deno.test("elsewhere every line is written as it comes, and no control character of it acts", () => {
  const { lines, terminal } = paper(80);
  using screen = new DevScreen(terminal);
  for (const line of RUN) screen.tests(line);
  screen.operator("\x1b[2Jgone");
  assert.deepEqual(lines, [...RUN.map((line) => `tests    | ${line}`), "operator | ␛[2Jgone"]);
});
