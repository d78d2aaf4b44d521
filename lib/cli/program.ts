import { Command, CommanderError, Option } from "@commander-js/extra-typings";
import { UsageError } from "../base/errors.ts";
import type { Operator } from "../operator/operator.ts";
import type { DemoScenario } from "./demo_scenario.ts";
import { EXIT, exitCodeOf, reportError } from "./exit.ts";
import { installNamespace } from "../operator/installation.ts";
import {
  type ResolvedSettings,
  resolveSettings,
  type Setting,
  type SettingTable,
  type SettingValues,
} from "./setting.ts";
import { SETTINGS, type Settings } from "./settings.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

/** What a binary is made of. */
export interface CliOptions<Own extends SettingTable> {
  /** Name of the program in help and messages; the operator's name where absent. */
  readonly name?: string;
  /** What `version` prints; `0.0.0` where absent. */
  readonly version?: string;
  /** Arguments without the program: `Deno.args`. */
  readonly args: readonly string[];
  /** The environment: `Deno.env.toObject()`. */
  readonly env: Readonly<Record<string, string>>;
  /** Settings of this operator's own, beside the common ones. */
  readonly settings?: Own;
  /** What `demo` shows. */
  readonly demo?: (operator: Operator) => DemoScenario;
}

/** What each command is given. */
export interface CommandContext {
  readonly program: string;
  readonly version: string;
  readonly operator: Operator;
  readonly settings: Settings;
  readonly table: SettingTable;
  readonly origins: ResolvedSettings<SettingTable>["origins"];
  readonly env: Readonly<Record<string, string>>;
  readonly terminal: Terminal;
  readonly demo?: DemoScenario;
}

/**
 * Runs the command line of an operator: every command of the binary. Never exits by itself.
 *
 * @returns the exit code: 0 done, 1 failed, 2 usage or configuration, 3 cluster unreachable, 130 interrupted.
 * @example
 * ```ts
 * import { Operator } from "../operator/mod.ts";
 * import { cli } from "./program.ts";
 * const code = await cli(new Operator("widgets"), { args: ["version"], env: {} });
 * if (code !== 0) throw new Error("printing a version works");
 * ```
 */
export async function cli<Own extends SettingTable = Record<never, never>>(
  operator: Operator | ((settings: SettingValues<Own>) => Operator),
  options: CliOptions<Own>,
): Promise<number> {
  const program = options.name ?? (typeof operator === "function" ? "pintle" : operator.name);
  const noColor = Boolean(options.env.NO_COLOR) || options.args.includes("--no-color");
  const terminal = processTerminal({ noColor });
  let debug = options.env.PINTLE_LOG_LEVEL === "debug";
  let code: number = EXIT.done;
  const table: SettingTable = { ...SETTINGS, ...options.settings };

  /** Settings are read when a command runs, so that help and version work in any environment. */
  const prepare = (flags: Readonly<Record<string, string | undefined>>): CommandContext => {
    const { values, origins } = resolveSettings(table, options.env, flags);
    debug = (values as Settings).logLevel === "debug";
    const made = typeof operator === "function" ? operator(values as unknown as SettingValues<Own>) : operator;
    return {
      program,
      version: options.version ?? "0.0.0",
      operator: made,
      settings: values as unknown as Settings,
      table,
      origins,
      env: options.env,
      terminal,
      demo: options.demo?.(made),
    };
  };
  try {
    const run = async (flags: object, command: (context: CommandContext) => Promise<number>) => {
      code = await command(prepare(flags as Record<string, string | undefined>));
    };
    await commands(program, options.version ?? "0.0.0", table, terminal, run, options.demo !== undefined)
      .parseAsync([...options.args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    reportError(terminal, program, error, debug);
    return exitCodeOf(error);
  }
  return code;
}

type Run = (flags: object, command: (context: CommandContext) => Promise<number>) => Promise<void>;

/** The tree of commands. Each loads its code only when it runs: `version` must not pay for `demo`. */
function commands(
  name: string,
  version: string,
  table: SettingTable,
  terminal: Terminal,
  run: Run,
  hasDemo: boolean,
): Command {
  const root = new Command(name)
    .description("A Kubernetes operator in one program")
    .version(version, "--version", "print the version")
    .option("--no-color", "never color the output (as NO_COLOR does)")
    .helpCommand("help [command]", "help for a command")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
      getOutHelpWidth: () => terminal.columns(),
      getErrHelpWidth: () => terminal.columns(),
    })
    .showSuggestionAfterError();
  const add = (command: string, description: string) => {
    const made = root.command(command).description(description).option("--no-color", "never color the output");
    for (const setting of Object.values(table)) made.addOption(flagOf(setting));
    return made;
  };
  add("run", "run the operator against a cluster")
    .action((flags) => run(keyed(flags, table), async (context) => (await import("./run.ts")).run(context)));
  if (hasDemo) {
    add("demo", "watch the operator work on an API server inside this program")
      .option("--once", "stop when everything has converged")
      .option("--port <n>", "port of the API server on 127.0.0.1; any free one by default", "0")
      .option("--write-kubeconfig <file>", "where to write the kubeconfig; a new temporary folder by default")
      .action((flags) => run(keyed(flags, table), async (context) => (await import("./demo.ts")).demo(context, flags)));
  }
  const namespace = [
    "--namespace <name>",
    "namespace of the operator's ServiceAccount",
    installNamespace(name),
  ] as const;
  add("install", "apply the CRDs, the account and the rights of the operator to a cluster")
    .option(...namespace)
    .option("--dry-run", "let the server check everything and store nothing")
    .action((flags) =>
      run(keyed(flags, table), async (context) => (await import("./install.ts")).install(context, flags))
    );
  add("manifests", "print what install applies, as YAML")
    .option(...namespace)
    .action((flags) =>
      run(keyed(flags, table), async (context) => (await import("./manifests.ts")).manifests(context, flags))
    );
  add("config", "show every setting, its value in force and where it came from")
    .addOption(
      new Option("--output <format>", "table or json").choices(["table", "json"] as const).default("table" as const),
    )
    .action((flags) =>
      run(keyed(flags, table), async (context) => (await import("./config.ts")).config(context, flags))
    );
  root.command("version").description("print the version").action(() => terminal.out(`${name} ${version}`));
  return root as unknown as Command;
}

function flagOf(setting: Setting<unknown>): Option {
  const shown = setting.secret || setting.fallback === "" ? "" : ` (${setting.fallback})`;
  return new Option(`--${setting.flag} <${setting.placeholder}>`, `${setting.description}${shown} [${setting.env}]`);
}

/** Commander names flags in camelCase; the table names them as they are typed. */
function keyed(flags: object, table: SettingTable): Record<string, string | undefined> {
  const given = flags as Record<string, unknown>;
  return Object.fromEntries(
    Object.values(table).map(({ flag }) => {
      const value = given[flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
      if (value !== undefined && typeof value !== "string") throw new UsageError(`--${flag} needs a value`);
      return [flag, value];
    }),
  );
}
