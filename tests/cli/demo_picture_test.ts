import assert from "node:assert/strict";
import { picture } from "../../lib/cli/demo_picture.ts";
import type { DemoView } from "../../lib/cli/demo_scenario.ts";

const VIEW: DemoView = {
  current: 1,
  wanted: 2,
  rows: [
    { name: "shop", state: "source", detail: "Secret pull" },
    {
      name: `team-${"a".repeat(58)}`,
      state: "waiting",
      detail: "no copy yet, and a long reason that nobody would cut",
    },
    { name: "team-b", state: "outdated", detail: "copy of version 12" },
    { name: "team-c", state: "current", detail: "x".repeat(300) },
  ],
};
const STEPS = [{ title: "create a Secret and a Replication that asks for copies of it", tookMs: 12 }, {
  title: "rotate",
}];

function drawn(columns: number, color: boolean): string {
  const terminal = {
    out: () => {},
    err: () => {},
    interactive: true,
    color,
    errorColor: color,
    columns: () => columns,
  };
  return picture(terminal, `The replicator at work ${"and ".repeat(60)}`, STEPS, VIEW);
}

for (const columns of [30, 80, 200]) {
  // FR-3
  Deno.test(`no line is wider than a terminal of ${columns} columns, and color changes nothing but color`, () => {
    const plain = drawn(columns, false);
    assert.ok(!plain.includes("\x1b"));
    for (const line of plain.split("\n")) assert.ok([...line].length <= columns, `${[...line].length}: ${line}`);
    for (const text of ["◆ shop", "· team-", "↻ team-b", "✓ team-c", "… rotate"]) assert.ok(plain.includes(text), text);
    const colored = drawn(columns, true);
    assert.ok(colored.includes("\x1b[32m✓\x1b[0m"));
    // deno-lint-ignore no-control-regex -- the escape is what is looked for
    assert.equal(colored.replace(/\x1b\[\d+m/g, ""), plain);
  });
}
