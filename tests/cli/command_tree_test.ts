import assert from "node:assert/strict";
import { CommanderError } from "@commander-js/extra-typings";
import { commandTree } from "../../lib/cli/command_tree.ts";
import { SETTINGS } from "../../lib/cli/settings.ts";
import { TEST_SETTINGS } from "../../lib/cli/test_settings.ts";

/** What `--help` prints on a terminal of these columns, line by line. */
async function help(columns: number, ...command: string[]): Promise<string[]> {
  const lines: string[] = [];
  const tree = commandTree({
    program: "shop-operator",
    version: "1.0.0",
    build: undefined,
    common: SETTINGS,
    test: TEST_SETTINGS,
    hasDemo: true,
    hasInit: true,
    suites: undefined,
    terminal: {
      out: (line) => lines.push(line),
      err: (line) => assert.fail(line),
      interactive: false,
      color: false,
      errorColor: false,
      columns: () => columns,
    },
    run: () => assert.fail("help runs nothing"),
  });
  await assert.rejects(
    tree.parseAsync([...command, "--help"], { from: "user" }),
    (error) => error instanceof CommanderError && error.exitCode === 0,
  );
  return lines;
}

const COMMANDS = ["run", "demo", "plan", "config", "test", "install", "uninstall", "doctor", "manifests", "freeze"];

for (const columns of [50, 60, 79, 80, 120]) {
  // FR-485
  Deno.test(`help fits a terminal of ${columns} columns, and says the same as on a wide one`, async () => {
    for (const command of [[], ...COMMANDS.map((name) => [name])]) {
      const lines = await help(columns, ...command), wide = await help(1_000, ...command);
      assert.deepEqual(lines.filter((line) => [...line].length > columns), [], command.join());
      const words = (text: readonly string[]) => text.join(" ").split(/\s+/);
      assert.deepEqual(words(lines), words(wide));
    }
  });
}
