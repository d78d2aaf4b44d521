import assert from "node:assert/strict";
import { CLOSE, CTRL_C, onTerminal, picturesAfterResize, terminalTest } from "./on_terminal.ts";
import { Screen } from "./screen.ts";

const TERM = { TERM: "xterm-256color" };
const SUITE = ["test", "replication"];

for (const columns of [30, 80, 200]) {
  // FR-176
  terminalTest(
    `on a terminal of ${columns} columns a run leaves one line for each scenario and the count, and nothing else`,
    async () => {
      await using binary = await onTerminal(columns, SUITE, { env: TERM });
      const { code, out } = await binary.ended();
      assert.equal(code, 0, out);
      const screen = new Screen(columns).write(out), lines = screen.text.split("\n");
      assert.equal(lines.at(-1), "17 passed, 0 failed");
      assert.equal(lines.filter((line) => line.startsWith("✓ replication: ")).length, 17, screen.text);
      assert.deepEqual([screen.cursor, screen.colored], [true, true]);
      assert.doesNotMatch(screen.text, /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]|to go/, "the picture is gone");
      assert.match(out, /\d running {2}|\d running/, "there was one");
      // The last line before the count says where it ran; what is longer than a line goes on in the next.
      if (columns === 200) assert.equal(lines.length, 17 + 1 + 2, screen.text);
    },
  );
}

terminalTest("NO_COLOR takes the color from a run and nothing else", async () => {
  await using binary = await onTerminal(80, SUITE, { env: { ...TERM, NO_COLOR: "1" } });
  const { code, out } = await binary.ended();
  assert.equal(code, 0, out);
  const screen = new Screen(80).write(out);
  assert.equal(screen.colored, false);
  assert.match(screen.text, /\n17 passed, 0 failed$/);
});

// FR-176
terminalTest("a terminal that becomes narrow in the middle of a run gets pictures that fit it", async () => {
  await using binary = await onTerminal(120, ["test"], { env: TERM });
  await binary.until(/✓/);
  await binary.send("size 40 50");
  const { code, out } = await binary.ended();
  assert.equal(code, 0, out);
  const pictures = picturesAfterResize(out);
  assert.ok(pictures.length > 5);
  for (const line of pictures.flat()) {
    if (/running|^ {2}\w+: /.test(line)) assert.ok([...line].length <= 40, line);
  }
});

// FR-167
terminalTest("a terminal that is closed in the middle of a run ends it as Ctrl-C does, without a trace", async () => {
  const errors = await Deno.makeTempFile();
  try {
    await using binary = await onTerminal(80, ["test"], { env: TERM, errors });
    await binary.until(/✓/);
    await binary.send(CLOSE);
    const { code } = await binary.ended();
    assert.deepEqual([code, await Deno.readTextFile(errors)], [130, ""]);
  } finally {
    await Deno.remove(errors);
  }
});

// FR-176
terminalTest("a failure stands above the picture as soon as it happens, and the run goes on", async () => {
  await using binary = await onTerminal(100, ["test", "failing", "passing", "--parallel", "1"], {
    env: TERM,
    main: "tests/cli/suites_program.ts",
  });
  await binary.until(/it broke/);
  const { code, out } = await binary.ended();
  assert.equal(code, 1, out);
  const { text } = new Screen(100).write(out);
  assert.match(
    text,
    /✗ failing: it breaks \(\w+\)\n {4}✓ given something\n {4}✗ when it breaks\n[^]*✓ passing: it passes/,
  );
  assert.match(text, /\n1 passed, 1 failed$/);
});

// FR-176
terminalTest(
  "Ctrl-C in the middle of a run is 130: it says what it does, prints the count, and gives the terminal back",
  async () => {
    await using binary = await onTerminal(100, ["test", "hanging"], { env: TERM, main: "tests/cli/suites_program.ts" });
    await binary.until(/when it hangs/);
    await binary.send(CTRL_C);
    const { code, out } = await binary.ended();
    assert.equal(code, 130, out);
    const screen = new Screen(100).write(out.replaceAll("^C", ""));
    assert.match(
      screen.text,
      /! hanging: it hangs did not finish\n[^]*1 did not finish\n0 passed, 0 failed$/,
    );
    assert.doesNotMatch(screen.text, /\n\s+at |running/);
    assert.equal(screen.cursor, true);
  },
);

terminalTest("a second Ctrl-C ends a run at once, though a story's clearing hangs", async () => {
  await using binary = await onTerminal(100, ["test", "stubborn"], { env: TERM, main: "tests/cli/suites_program.ts" });
  await binary.until(/when it hangs/);
  await binary.send(CTRL_C);
  await binary.until(/Ctrl-C again/);
  await binary.send(CTRL_C);
  const { code, out } = await binary.ended();
  assert.equal(code, 130, out);
});
