import { Argument, Command, Help, Option } from "@commander-js/extra-typings";
import { UsageError } from "../base/mod.ts";
import { installNamespace } from "../operator/mod.ts";
import type { CommandContext } from "./command_context.ts";
import type { Setting, SettingTable } from "./setting.ts";
import { SETTINGS } from "./settings.ts";
import { type Terminal, writeBlock } from "./terminal.ts";

/** What `version` prints about a build. */
export interface BuildInfo {
  /** Source commit, or empty. */
  readonly commit: string;
  /** Build time; RFC 3339. */
  readonly date: string;
}

/** Reads the settings and runs a command; flags are keyed by their settings' variables. */
export type RunCommand = (
  flags: Readonly<Record<string, string | undefined>>,
  command: (context: CommandContext) => Promise<number>,
) => Promise<void>;

interface CommandTreeOptions {
  readonly program: string;
  readonly version: string;
  readonly build: (() => Promise<BuildInfo | undefined>) | undefined;
  readonly common: SettingTable;
  /** Settings of `test`; absent without suites. */
  readonly test: SettingTable | undefined;
  readonly hasDemo: boolean;
  readonly hasInit: boolean;
  readonly terminal: Terminal;
  readonly suites: CommandContext["suites"];
  readonly run: RunCommand;
}

type Add = (
  usage: string,
  description: string,
  settings?: SettingTable,
) => { command: Command; table: SettingTable };

/** Each command loads its code when it runs: `version` must not pay for `demo`. */
export function commandTree(options: CommandTreeOptions): Command {
  const { program, version, terminal } = options;
  const root = new Command(program)
    .description("A Kubernetes operator in one program")
    .version(version, "--version", "print the version")
    .option("--no-color", "never color the output (same as NO_COLOR)")
    .helpCommand("help [command]", "help for a command")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => writeBlock((line) => terminal.out(line), text.trimEnd()),
      writeErr: (text) => writeBlock((line) => terminal.err(line), text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, `${program}: `)),
      getOutHelpWidth: () => terminal.columns(),
      getErrHelpWidth: () => terminal.columns(),
    })
    .configureHelp({ minWidthToWrap: 20, formatItem })
    .showSuggestionAfterError()
    .showHelpAfterError("  fix: add --help, which lists commands and options");
  const added: ReturnType<Add>[] = [];
  const add: Add = (usage, description, settings = options.common) => {
    const command = root.command(usage).description(description) as unknown as Command;
    added.push({ command, table: settings });
    return { command, table: settings };
  };
  addRun(add, options);
  if (options.test) addTest(add, options, options.test);
  addInstallation(add, options);
  addPeering(add, options);
  // Help lists options in this order: a command's own first.
  for (const { command, table } of added) {
    command.option("--no-color", "never color the output");
    for (const setting of Object.values(table)) command.addOption(flagOf(setting));
  }
  if (options.hasInit) addInit(root as unknown as Command, options);
  addCompletions(root as unknown as Command, options);
  root.command("version").description("print the version, the commit and the build date").action(async () => {
    const build = await options.build?.();
    const commit = build?.commit ? `commit ${build.commit}, ` : "";
    terminal.out(`${program} ${version}${build ? ` (${commit}built ${build.date})` : ""}`);
  });
  return root as unknown as Command;
}

/** Columns for descriptions beside options; with fewer, each gets its own line. */
const DESCRIPTION_WIDTH_MIN = 36;

function formatItem(term: string, termWidth: number, description: string, helper: Help): string {
  const width = helper.helpWidth ?? 80, indent = " ".repeat(6);
  if (description === "" || width - termWidth - 4 >= DESCRIPTION_WIDTH_MIN) {
    return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
  }
  return `  ${term}\n${indent}${helper.boxWrap(description, width - indent.length).replaceAll("\n", `\n${indent}`)}`;
}

function addRun(add: Add, { run, hasDemo, program }: CommandTreeOptions): void {
  const { command, table } = add("run", "run the operator against a cluster");
  command.option(
    "--dev",
    `take over from the operators of the same peering that run elsewhere (same as --priority ${DEV_PRIORITY})`,
  )
    .option("--watch", "with --cluster embedded: restart when a source file changes; the cluster keeps its objects")
    .option("--record <file>", "write down what the operator observes, for `replay`; values of Secrets as digests")
    .addOption(new Option("--embedded-at <file>").hideHelp())
    .action(({ dev, watch, embeddedAt, record, ...flags }) =>
      run(asDeveloper(keyed(flags, table), dev), async (context) => {
        // A restart by --watch goes on with the file that was checked at its start.
        if (record !== undefined && !embeddedAt) await (await import("./run.ts")).requireNewFile(record);
        if (watch && !embeddedAt) return (await import("./run_watched.ts")).runWatched(context);
        return (await import("./run.ts")).run({ ...context, embeddedAt, record });
      })
    );
  const replay = add("replay", "run the operator on what `run --record` wrote down, and compare what it does");
  replay.command.argument("<file>", "the recording")
    .action((file, flags) =>
      run(keyed(flags, replay.table), async (context) => (await import("./replay.ts")).replayFile(context, file))
    );
  if (hasDemo) {
    const { command, table } = add("demo", "watch the operator work on an API server inside this program");
    command.option("--once", "stop when everything has converged")
      .option("--port <n>", "port of the API server on 127.0.0.1; any free one by default", "0")
      .option("--write-kubeconfig <file>", "where to write the kubeconfig; a new temporary folder by default")
      .action((flags) => run(keyed(flags, table), async (context) => (await import("./demo.ts")).demo(context, flags)));
  }
  const plan = add("plan", "show what a reconcile would write now, as a diff, and write nothing");
  plan.command.argument("[object]", "KIND/NAME, or KIND for all of one kind; every object by default")
    .option("-n, --namespace <name>", "namespace of the objects; all by default, the context's for a name")
    .addOption(
      new Option("--output <format>", "text or json").choices(["text", "json"] as const).default("text" as const),
    )
    .action((object, flags) =>
      run(keyed(flags, plan.table), async (context) => (await import("./plan.ts")).plan(context, object, flags))
    );
  const explain = add("explain", "show why an object was reconciled, what that read and wrote, and what comes next");
  explain.command.argument("<object>", "KIND/NAME")
    .option("-n, --namespace <name>", "namespace of the object; the context's by default")
    .option("--pod-namespace <name>", "namespace of the operator's pods", installNamespace(program))
    .option("--service-account <namespace/name>", "who asks; it needs `get` on the object; the operator's by default")
    .addOption(
      new Option("--output <format>", "text or json").choices(["text", "json"] as const).default("text" as const),
    )
    .action((object, flags) =>
      run(
        keyed(flags, explain.table),
        async (context) => (await import("./explain.ts")).explain(context, object, flags),
      )
    );
  const config = add("config", "show every setting, its effective value and where it came from");
  config.command.addOption(
    new Option("--output <format>", "table or json").choices(["table", "json"] as const).default("table" as const),
  ).action((flags) =>
    run(keyed(flags, config.table), async (context) => (await import("./config.ts")).config(context, flags))
  );
}

function addTest(add: Add, { run, common }: CommandTreeOptions, own: SettingTable): void {
  // `--cluster` differs: scenarios run only on a named cluster.
  const { cluster: _, ...rest } = common;
  const { command, table } = add("test", "run the operator's own scenarios", { ...own, ...rest });
  command.argument("[suite...]", "suites to run; all by default")
    .option("--filter <text>", "only scenarios whose `suite: name` has this text, or matches this /regexp/")
    .option("--list", "print what would run, and run nothing")
    .option("--keep", "keep the namespaces of failed scenarios")
    .option("--keep-cluster", "keep a kind cluster that this run created")
    .option("--reuse", "use the kind cluster of that name if it exists, and keep it")
    .option("--download", "download the programs of envtest's control plane that this machine lacks")
    .option("--deployed", "run the operator as a pod, from deploy/overlays/dev, instead of in this process")
    .option("--yes", "agree to run on a cluster that is not on this machine")
    .option("--junit <file>", "write a JUnit XML report")
    .option("--report <file>", "write an HTML report: every step, write, Event and log line")
    .option("--rbac", "fail where no scenario uses a declared RBAC rule, or no rule allows a request of the operator")
    .option("--explore", "run each scenario once for each fault that could break the operator, in virtual time")
    .option("--specs", "explore other specs of each scenario's objects, in place of faults")
    .option("--plan <plan>", "explore one plan of one scenario again, as a failure names it")
    .option("--plans-max <n>", "most plans of each scenario", plansMax)
    .action((suites, flags) =>
      run(keyed(flags, table), async (context) => (await import("./test.ts")).test(context, suites, flags))
    );
}

function plansMax(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number > 0) return number;
  throw new UsageError(`--plans-max: "${text}" must be a whole number of at least 1`);
}

function addInstallation(add: Add, { run, program, test }: CommandTreeOptions): void {
  const namespace = [
    "-n, --namespace <name>",
    "namespace of the operator's ServiceAccount",
    installNamespace(program),
  ] as const;
  const install = add("install", "apply the operator's CRDs, ServiceAccount and RBAC rules to a cluster");
  install.command.option(...namespace)
    .option("--dry-run", "let the server validate everything and store nothing")
    .option("--skip-webhooks", "install no webhook configurations: `run` outside of the cluster creates its own")
    .action((flags) =>
      run(keyed(flags, install.table), async (context) => (await import("./install.ts")).install(context, flags))
    );
  const uninstall = add("uninstall", "remove from a cluster what install applied, and what the operator wrote");
  uninstall.command.option(...namespace)
    .option("--dry-run", "show what would be removed, checked by the server, and remove nothing")
    .option("--delete-objects", "agree to delete all objects of the operator's kinds; it cleans up after each")
    .option("--keep-crds", "keep the CRDs and their objects")
    .option("--release-finalizers", "remove the operator's finalizers instead of cleaning up")
    .option("--delete-namespace", "delete the namespace with everything in it, even if install did not create it")
    .option("--timeout <duration>", "longest wait for each deletion", "2m")
    .action((flags) =>
      run(keyed(flags, uninstall.table), async (context) => (await import("./uninstall.ts")).uninstall(context, flags))
    );
  const doctor = add("doctor", "find what keeps the operator from working in a cluster, and how to fix it");
  doctor.command.option(...namespace)
    .addOption(
      new Option("--output <format>", "table (lines where there is no terminal) or json")
        .choices(["table", "json"] as const).default("table" as const),
    )
    .action((flags) =>
      run(keyed(flags, doctor.table), async (context) => (await import("./doctor.ts")).doctor(context, flags))
    );
  const migrateStorage = add(
    "migrate-storage",
    "store every object in the current version, so that an old version can be removed",
  );
  migrateStorage.command.option("--dry-run", "count the objects that would be rewritten, and write nothing")
    .action((flags) =>
      run(
        keyed(flags, migrateStorage.table),
        async (context) => (await import("./migrate_storage.ts")).migrateStorage(context, flags),
      )
    );
  const manifests = add(
    "manifests",
    "print what install applies, as YAML; write or check a folder or a Helm chart of it",
  );
  if (test) manifests.command.option("--from-suite", "run the scenarios, and leave out RBAC rules that none needs");
  manifests.command.option(...namespace)
    .option("--output <folder>", "write crds.yaml, namespace.yaml and rbac.yaml there")
    .option("--helm <folder>", "write a Helm chart there, with a Deployment; values.yaml and others only once")
    .option("--check <folder>", "fail where these files, or the chart, differ from what the operator declares")
    .action((flags) =>
      run(keyed(flags, manifests.table), async (context) => (await import("./manifests.ts")).manifests(context, flags))
    );
}

function addPeering(add: Add, { run }: CommandTreeOptions): void {
  const id = ["--id <name>", "identity of the freeze; the user's name by default"] as const;
  const freeze = add("freeze", "pause the operators of a peering until Ctrl-C, or for a time");
  freeze.command.option(...id)
    .option("--lifetime <duration>", "return once the operators paused; they resume after that time, or at `resume`")
    .option("--message <text>", "reason, shown to others")
    .action((flags) =>
      run(keyed(flags, freeze.table), async (context) => (await import("./freeze.ts")).freeze(context, flags))
    );
  const resume = add("resume", "end a freeze");
  resume.command.option(...id).option("--all", "end freezes of other identities, too")
    .action((flags) =>
      run(keyed(flags, resume.table), async (context) => (await import("./freeze.ts")).resume(context, flags))
    );
}

/** Reads no setting, so that completion works in any environment. */
function addCompletions(root: Command, { program, terminal, suites }: CommandTreeOptions): void {
  root.command("completions").description("print a shell's completion script")
    .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish"] as const))
    .action(async (shell) => {
      const { completionScript } = await import("./completions.ts");
      const names = (await suites?.())?.map(({ name }) => name);
      writeBlock((line) => terminal.out(line), completionScript(shell, program, root, names ? { test: names } : {}));
    });
}

function addInit(root: Command, { run }: CommandTreeOptions): void {
  root.command("init").description("create a new operator project in a folder")
    .argument("<folder>", "a new folder, whose name is the operator's: lower-case letters, digits and -")
    .action((folder) => run({}, async (context) => (await import("./init.ts")).init(context, folder)));
}

function flagOf(setting: Setting<unknown>): Option {
  const shown = setting.secret || setting.default === "" ? "" : ` (${setting.default})`;
  return new Option(`--${setting.flag} <${setting.placeholder}>`, `${setting.description}${shown} [${setting.env}]`)
    .helpGroup("Settings:");
}

const DEV_PRIORITY = 666;

/** @throws {UsageError} if `--dev` meets another priority. */
function asDeveloper(flags: Record<string, string | undefined>, dev: true | undefined): typeof flags {
  if (!dev) return flags;
  const { env } = SETTINGS.priority;
  if (flags[env] !== undefined) throw new UsageError("--dev and --priority exclude each other");
  return { ...flags, [env]: `${DEV_PRIORITY}` };
}

/** Commander names flags in camelCase; the table names them as typed. */
function keyed(flags: object, table: SettingTable): Record<string, string | undefined> {
  const given = flags as Record<string, unknown>;
  return Object.fromEntries(
    Object.values(table).map(({ flag, env }) => {
      const value = given[flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
      if (value !== undefined && typeof value !== "string") throw new UsageError(`--${flag} needs a value`);
      return [env, value];
    }),
  );
}
