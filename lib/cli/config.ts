import { EXIT } from "./exit.ts";
import type { CommandContext } from "./command_context.ts";
import { paint, writeJson } from "./terminal.ts";

/** `config`: every setting with its value and source; secrets are masked. */
export function config(
  { table, origins, terminal }: CommandContext,
  flags: { output: "table" | "json" },
): Promise<number> {
  const rows = Object.entries(table).map(([name, { env, flag, description, default: byDefault, secret }]) => {
    const { text, source } = origins[name]!;
    return {
      env,
      flag: `--${flag}`,
      value: secret && text !== "" ? "********" : text,
      source,
      default: secret ? "" : byDefault,
      description,
    };
  });
  if (flags.output === "json") {
    writeJson(terminal, rows);
    return Promise.resolve(EXIT.done);
  }
  const width = (pick: (row: (typeof rows)[number]) => string) => Math.max(...rows.map((row) => pick(row).length));
  const envWidth = width((row) => row.env), valueWidth = Math.min(40, Math.max(width((row) => row.value || '""'), 5));
  terminal.out(
    paint(terminal, "bold", `${"VARIABLE".padEnd(envWidth)}  ${"VALUE".padEnd(valueWidth)}  FROM     DESCRIPTION`),
  );
  const widthLeft = terminal.columns() - envWidth - valueWidth - 13;
  for (const { env, value, source, description } of rows) {
    // On a narrow terminal the description gets its own line.
    const line = `${env.padEnd(envWidth)}  ${(value || '""').padEnd(valueWidth)}  ${source.padEnd(7)}`;
    if (description.length <= widthLeft) terminal.out(`${line}  ${description}`);
    else {
      terminal.out(line.trimEnd());
      terminal.out(paint(terminal, "dim", `    ${description}`));
    }
  }
  return Promise.resolve(EXIT.done);
}
