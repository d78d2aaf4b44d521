import { CommanderError } from "@commander-js/extra-typings";
import { Mask, UsageError } from "../base/mod.ts";
import type { Operator } from "../operator/mod.ts";
import type { CommandContext } from "./command_context.ts";
import { type BuildInfo, commandTree, type RunCommand } from "./command_tree.ts";
import type { DemoScenario } from "./demo_scenario.ts";
import type { OwnCheck } from "./doctor/own_check.ts";
import { withPlace } from "./error_place.ts";
import { EXIT, exitCodeOf, reportError } from "./exit.ts";
import { resolveSettings, type SettingTable, type SettingValues } from "./setting.ts";
import { SETTINGS, type Settings } from "./settings.ts";
import { processTerminal } from "./terminal.ts";
import { TEST_SETTINGS } from "./test_settings.ts";
import type { Manifests, Suite } from "../harness/mod.ts";
import { loadSuites } from "./load_suites.ts";
import { programStart, typedCommand } from "./typed_command.ts";
import { UnsettledExit } from "./unsettled_exit.ts";

/** The parts of an operator's binary. */
export interface CliOptions<Own extends SettingTable> {
  /** The program's name in help and messages, and the prefix of its namespace; the operator's name if absent. */
  readonly name?: string;
  /** What `version` prints; `0.0.0` if absent. */
  readonly version?: string;
  /** Build info for `version`; undefined or absent if the program runs from its sources. */
  readonly build?: () => Promise<BuildInfo | undefined>;
  /** Arguments without the program: `Deno.args`. */
  readonly args: readonly string[];
  /** The environment: `Deno.env.toObject()`. */
  readonly env: Readonly<Record<string, string>>;
  /** The operator's own settings, beside the common ones. */
  readonly settings?: Own;
  /** The operator's own checks in `doctor`. */
  readonly checks?: readonly OwnCheck<Own>[];
  /** What `demo` shows. */
  readonly demo?: (operator: Operator) => DemoScenario;
  /** The suites of `test`; loaded only then. */
  readonly suites?: () => Promise<readonly Suite[]>;
  /**
   * Objects that the operator needs before it starts, such as foreign CRDs. Every embedded cluster of a command gets
   * them (`demo`, `run --cluster embedded`). `test` installs its suites' `given` instead.
   */
  readonly prerequisites?: Manifests;
  /** What happens to the children of a deleted object, as half a sentence for `uninstall`. */
  readonly deletionNote?: string;
  /** Folder of `deploy/`, and of the bundle if any: the folder of `main`. */
  readonly root?: string;
  /** Whether `init` exists: `root` then holds the files of a new project (./scaffold.ts). */
  readonly scaffolds?: boolean;
}

/**
 * Runs the command line of an operator; never exits by itself. If a promise of the operator or its suites never
 * settles, the process ends with code 1 and a message that names the reason.
 *
 * @throws {UsageError} without Deno: commands read files, serve and start processes by it.
 * @returns the exit code: 0 done, 1 failed, 2 usage or configuration, 3 cluster unreachable, 130 interrupted.
 * @example
 * ```ts
 * import { Operator } from "@pintle/pintle";
 * import { cli } from "@pintle/pintle/cli";
 * const code = await cli(new Operator("widgets"), { args: ["version"], env: {} });
 * if (code !== 0) throw new Error("printing a version works");
 * ```
 */
export async function cli<Own extends SettingTable = Record<never, never>>(
  operator: Operator | ((settings: SettingValues<Own>) => Operator),
  options: CliOptions<Own>,
): Promise<number> {
  if (typeof Deno === "undefined") {
    throw new UsageError("the commands of an operator need Deno", "start this program by `deno run`");
  }
  const make = (values: unknown) => typeof operator === "function" ? made(operator, values) : operator;
  const noColor = Boolean(options.env.NO_COLOR) || options.args.includes("--no-color");
  const terminal = processTerminal({ noColor });
  const mask = new Mask();
  const suites = options.suites && (() => loadSuites(options.suites!));
  let debug = options.env.PINTLE_LOG_LEVEL === "debug", code: number = EXIT.done;
  const table: SettingTable = { ...SETTINGS, ...options.settings, ...(options.suites ? TEST_SETTINGS : {}) };
  let program = options.name ?? "pintle", typed = "config";

  /** A command reads settings when it runs, so that help and version work in any environment. */
  const prepare = (flags: Readonly<Record<string, string | undefined>>): CommandContext => {
    const helpOf = (variable: string) => flags[variable] === undefined ? listing(variable) : typed;
    const { values, origins } = resolveSettings(table, options.env, flags, helpOf);
    const settings = values as unknown as Settings;
    debug = settings.logLevel === "debug";
    const own = make(values);
    return {
      program,
      command: typedCommand(programStart(program, options.env)),
      args: options.args,
      version: options.version ?? "0.0.0",
      operator: own,
      settings,
      table,
      origins,
      env: options.env,
      terminal,
      checks: options.checks as CommandContext["checks"],
      mask,
      demo: options.demo?.(own),
      suites,
      prerequisites: options.prerequisites,
      deletionNote: options.deletionNote,
      root: options.root,
    };
  };
  using _unsettled = new UnsettledExit(() => program, terminal);
  try {
    // Help and the namespace need the name before settings are read: the defaults have one.
    program = options.name ?? make(resolveSettings(table, {}, {}).values).name;
    const run: RunCommand = async (flags, command) => {
      code = await command(prepare(flags));
    };
    const tree = commandTree({
      program,
      version: options.version ?? "0.0.0",
      build: options.build,
      common: { ...SETTINGS, ...options.settings },
      test: options.suites && TEST_SETTINGS,
      hasDemo: options.demo !== undefined,
      hasInit: options.scaffolds === true,
      terminal,
      suites,
      run,
    }).hook("preAction", (_root, command) => void (typed = command.name()));
    await tree.parseAsync([...options.args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    reportError(terminal, program, error, { debug, mask });
    return exitCodeOf(error);
  }
  return code;
}

function made<Values>(operator: (settings: Values) => Operator, values: unknown): Operator {
  try {
    return operator(values as Values);
  } catch (error) {
    throw withPlace(error);
  }
}

/** The command whose help lists the setting of a variable. */
function listing(variable: string): string {
  return Object.values(TEST_SETTINGS).some(({ env }) => env === variable) ? "test" : "config";
}
