import assert from "node:assert/strict";
import { cutToWidth, textWidth, VirtualClock } from "../../lib/base/mod.ts";
import { type LiveArea, type PlannedScenario, planRun, Suite, TerminalReporter } from "../../lib/harness/mod.ts";
import { type Progress, progressPicture } from "../../lib/harness/report_terminal.ts";
import { failedResult, scenarioResult } from "./results.ts";
import { notes } from "./rig.ts";

const plain = (_style: string, text: string) => text;
const NONE = { passed: 0, failed: 0, skipped: 0, interrupted: 0 };

/** A live area that remembers. */
class Paper implements LiveArea {
  picture = "";
  above = "";
  hasEnded = false;

  draw(picture: string): void {
    assert.ok(!this.hasEnded, "nothing is drawn after the end");
    this.picture = picture;
  }

  print(lines: string): void {
    this.above += lines;
    this.picture = "";
  }

  clear(): void {
    this.picture = "";
  }

  end(): void {
    this.hasEnded = true;
  }
}

function begin(
  count = 3,
): { paper: Paper; clock: VirtualClock; reporter: TerminalReporter; planned: PlannedScenario[] } {
  const suite = new Suite("notes", notes), paper = new Paper(), clock = new VirtualClock();
  for (let nth = 0; nth < count; nth++) suite.scenario(`scenario ${nth}`, () => Promise.resolve());
  const planned = planRun([suite]);
  const reporter = new TerminalReporter({ area: paper, columns: () => 80, paint: plain, clock });
  reporter.onBegin(planned);
  return { paper, clock, reporter, planned };
}

// FR-176
Deno.test("the picture shows what runs, its step and its seconds, and counts the rest", async () => {
  const { paper, clock, reporter, planned } = begin();
  reporter.onScenarioBegin(planned[0]!);
  reporter.onStep(planned[0]!, "given", "a note", false);
  await clock.advance(2_040);
  reporter.onScenarioBegin(planned[1]!);
  assert.deepEqual(paper.picture.split("\n").map((line) => line.slice(1).trim()), [
    "0 passed  2 running  1 to go  2s",
    "notes: scenario 0  given a note  2s",
    "notes: scenario 1  0s",
  ]);
  reporter.onStep(planned[0]!, "given", "a note", true);
  await clock.advance(120);
  assert.match(paper.picture, /notes: scenario 0 {2}2s/, "between two steps there is none");
  reporter[Symbol.dispose]();
  assert.equal(clock.pending, 0);
});

Deno.test("the spinner turns with the clock", async () => {
  const { paper, clock, reporter } = begin();
  const frames = new Set<string>();
  for (let frame = 0; frame < 10; frame++) {
    frames.add(paper.picture[0]!);
    await clock.advance(120);
  }
  assert.equal(frames.size, 10);
  reporter[Symbol.dispose]();
});

Deno.test("what has ended stands above the picture, failures at length and at once", () => {
  const { paper, reporter, planned } = begin();
  for (const each of planned) reporter.onScenarioBegin(each);
  reporter.onScenarioEnd(planned[0]!, scenarioResult("scenario 0", { kind: "passed" }));
  reporter.onScenarioEnd(planned[1]!, failedResult("scenario 1"));
  assert.match(paper.above, /^✓ notes: scenario 0 \(1\.5s\)\n✗ notes: scenario 1 \(1\.5s\)\n {4}✓ given a note\n/);
  assert.match(paper.above, /expected this\n/);
  assert.match(paper.picture, /1 passed {2}1 failed {2}1 running {2}0 to go/);
  reporter[Symbol.dispose]();
  reporter.onInterrupt();
  assert.deepEqual([paper.picture, paper.hasEnded], ["", true], "the picture goes for good, the lines stay");
});

Deno.test("what takes long outside of every scenario is said, and so is that the run is ending", () => {
  const { paper, reporter } = begin();
  reporter.onStage("opening a kind cluster");
  assert.match(paper.picture, /… opening a kind cluster$/);
  reporter.onInterrupt();
  assert.match(paper.picture, /stopping: cleaning up; Ctrl-C again leaves all as it is/);
  reporter.onStage(undefined);
  assert.doesNotMatch(paper.picture, /kind/);
  reporter[Symbol.dispose]();
});

const LONG: Progress = {
  stage: "opening a cluster whose name is longer than any terminal is wide ".repeat(4),
  planned: 500,
  ended: { ...NONE, passed: 123, failed: 45, skipped: 6 },
  running: Array.from({ length: 20 }, (_, nth) => ({
    name: `notes: ${"日本語 😀 and more ".repeat(nth)}\x1b[2J\n`,
    step: nth % 3 === 0 ? "" : "then a step with a title that is long ".repeat(nth % 4),
    tookMs: nth * 61_000,
  })),
  tookMs: 3_723_000,
  isEnding: true,
};

for (const columns of [20, 30, 80, 200]) {
  // FR-176
  Deno.test(`no line of the picture is wider than a terminal of ${columns} columns, and there are few of them`, () => {
    const picture = progressPicture(LONG, columns, plain), lines = picture.split("\n");
    for (const line of lines) assert.ok(textWidth(line) < columns, `${textWidth(line)}: ${line}`);
    assert.equal(lines.length, 12);
    assert.match(lines.at(-1)!, /and 12 more/);
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    assert.doesNotMatch(picture.replaceAll("\n", ""), /[\x00-\x1f]/);
    const colored = progressPicture(LONG, columns, (_style, text) => `\x1b[1m${text}\x1b[0m`);
    // deno-lint-ignore no-control-regex -- control sequences are what is taken out
    assert.equal(colored.replaceAll(/\x1b\[\d+m/g, ""), picture, "color changes nothing but color");
  });
}

Deno.test("a text is cut by what it takes on a terminal: wide letters count twice, marks not at all", () => {
  assert.deepEqual(["abc", "日本", "e\u0301", "😀"].map(textWidth), [3, 4, 1, 2]);
  assert.deepEqual([cutToWidth("日本語", 6), cutToWidth("日本語", 5), cutToWidth("日本語", 4)], [
    "日本語",
    "日本…",
    "日…",
  ]);
  assert.deepEqual([cutToWidth("abc", 1), cutToWidth("abc", 0)], ["…", ""]);
});
