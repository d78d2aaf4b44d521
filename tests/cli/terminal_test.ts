import assert from "node:assert/strict";
import { CTRL_C, onTerminal, picturesAfterResize, terminalTest } from "./on_terminal.ts";
import { Screen } from "./screen.ts";

for (const columns of [30, 80, 200]) {
  // FR-3
  terminalTest(`on a terminal of ${columns} columns the demo's picture fits, and its last one stays`, async () => {
    await using binary = await onTerminal(columns, ["demo", "--once"], { env: { TERM: "xterm-256color" } });
    const { code, out } = await binary.ended();
    assert.equal(code, 0, out);
    const picture = out.slice(out.search(/Pintle|.\[1mPintle/));
    const screen = new Screen(columns).write(picture);
    assert.equal(screen.wrapped, 0, screen.text);
    assert.ok(screen.cursor, "the cursor is back");
    assert.ok(screen.colored);
    const lines = screen.text.split("\n");
    assert.equal(lines.at(-1), "converged: 5 of 5 copies");
    assert.equal(lines.filter((line) => line.startsWith("✓ team-")).length, 5, screen.text);
    assert.equal(lines.filter((line) => line.startsWith("✓")).length, 9, screen.text);
    assert.equal(lines.filter((line) => line.startsWith("Pintle")).length, 1, "one picture, redrawn");
  });
}

// FR-3
terminalTest("NO_COLOR and --no-color take the color from the picture and nothing else", async () => {
  for (const [args, env] of [[[], { NO_COLOR: "1" }], [["--no-color"], {}]] as const) {
    await using binary = await onTerminal(80, ["demo", "--once", ...args], { env: { TERM: "xterm-256color", ...env } });
    const { code, out } = await binary.ended();
    assert.equal(code, 0, out);
    const screen = new Screen(80).write(out);
    assert.equal(screen.colored, false);
    assert.match(screen.text, /\n✓ team-ember +\S.*\n\nconverged: 5 of 5 copies$/);
  }
});

// FR-3
terminalTest("a terminal that becomes narrow in the middle gets pictures that fit it", async () => {
  await using binary = await onTerminal(120, ["demo", "--once"], { env: { TERM: "xterm-256color" } });
  await binary.until(/a sixth namespace appears/);
  await binary.send("size 40 50");
  const { code, out } = await binary.ended();
  assert.equal(code, 0);
  const lines = picturesAfterResize(out).flat();
  assert.ok(lines.some((line) => line.includes("team-ember")));
  for (const line of lines) assert.ok([...line].length <= 40, line);
});

// FR-3
terminalTest("Ctrl-C during demo --once is 130: no kubeconfig is left, and the cursor is back", async () => {
  await using binary = await onTerminal(80, ["demo", "--once"], { env: { TERM: "xterm-256color" } });
  const [, path] = await binary.until(/kubeconfig: (\S+)/);
  await binary.until(/a sixth namespace appears/);
  await binary.send(CTRL_C);
  const { code, out } = await binary.ended();
  assert.equal(code, 130, out);
  assert.doesNotMatch(out, /\n\s+at |rror/);
  await assert.rejects(Deno.stat(path!), Deno.errors.NotFound);
  assert.ok(new Screen(200).write(out.replaceAll("^C", "")).cursor);
});
