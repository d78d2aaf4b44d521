import type { Command } from "@commander-js/extra-typings";
import { quoteWord } from "./shell_word.ts";

type Shell = "bash" | "zsh" | "fish";

type Values = readonly string[] | "file" | "folder" | "text";

interface CompletedFlag {
  readonly long: string;
  readonly description: string;
  readonly values?: Values;
}

interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly CompletedFlag[];
  readonly words: readonly string[];
}

/**
 * A completion script with commands, flags and known values. It is fast because it never runs the program.
 *
 * @param words Further arguments by command, as the suites of `test`.
 */
export function completionScript(
  shell: Shell,
  program: string,
  root: Command,
  words: Readonly<Record<string, readonly string[]>> = {},
): string {
  const commands = describe(root, words);
  return { bash, zsh, fish }[shell](program, commands);
}

function describe(root: Command, words: Readonly<Record<string, readonly string[]>>): CompletedCommand[] {
  const commands = root.commands.map((command): CompletedCommand => ({
    name: command.name(),
    description: command.description(),
    flags: [
      ...command.options.map(({ long, flags, description, argChoices, required, optional }) => ({
        long: long ?? flags,
        description,
        values: required || optional ? argChoices ?? valuesOf(flags) : undefined,
      })),
      { long: "--help", description: "display help for command" },
    ],
    words: words[command.name()] ?? command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  }));
  const names = commands.map(({ name }) => name);
  return [...commands, { name: "help", description: "help for a command", flags: [], words: names }];
}

/** Values of a placeholder: `<a|b>` has words, `<FILE>` and `<folder>` are paths. */
function valuesOf(flags: string): Values {
  const placeholder = /[<[](.+)[>\]]$/.exec(flags)?.[1] ?? "";
  if (placeholder.includes("|")) return placeholder.split("|");
  if (/^file$/i.test(placeholder)) return "file";
  return /^folder$/i.test(placeholder) ? "folder" : "text";
}

const identifier = (program: string) => program.replaceAll(/[^A-Za-z0-9]/g, "_");

function bash(program: string, commands: readonly CompletedCommand[]): string {
  const cases = commands.flatMap(({ name, flags }) =>
    flags.filter(({ values }) => values !== undefined).map(({ long, values }) => {
      const found = values === "file" ? "compgen -f" : values === "folder" ? "compgen -d" : undefined;
      const answer = found ?? `compgen -W ${quoteWord(values === "text" ? "" : (values as string[]).join(" "))}`;
      return `    ${quoteWord(`${name} ${long}`)}) ${
        found ? "compopt -o filenames; " : ""
      }words=$(${answer} -- "$word") ;;`;
    })
  );
  const rest = commands.map(({ name, flags, words }) =>
    `    ${quoteWord(name)}\\ *) words=$(compgen -W ${
      quoteWord([...words, ...flags.map(({ long }) => long)].join(" "))
    } -- "$word") ;;`
  );
  const names = commands.map(({ name }) => name).join(" ");
  return `# bash completion of ${program}: source <(${program} completions bash)
_${identifier(program)}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command='' words at
  # \`--flag=value\` comes as three words.
  if [[ $word == '=' ]]; then word=''; elif [[ $before == '=' ]]; then before=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  for ((at = 1; at < COMP_CWORD; at++)); do
    if [[ \${COMP_WORDS[at]} != -* ]]; then command=\${COMP_WORDS[at]}; break; fi
  done
  case "$command $before" in
    \\ *) words=$(compgen -W ${quoteWord(`${names} --no-color --version --help`)} -- "$word") ;;
${cases.join("\n")}
${rest.join("\n")}
  esac
  local IFS=$'\\n'
  COMPREPLY=($words)
}
complete -F _${identifier(program)} ${program}`;
}

function zsh(program: string, commands: readonly CompletedCommand[]): string {
  const escaped = (text: string) => text.replaceAll(/[[\]:\\]/g, "\\$&");
  const action = (values: Values) => {
    if (values === "file") return ":file:_files";
    if (values === "folder") return ":folder:_files -/";
    return values === "text" ? ":value: " : `:value:(${values.join(" ")})`;
  };
  const cases = commands.map(({ name, flags, words }) => {
    const specs = flags.map(({ long, description, values }) =>
      quoteWord(`${long}[${escaped(description)}]${values === undefined ? "" : action(values)}`)
    );
    if (words.length > 0) specs.push(quoteWord(`*:argument:(${words.join(" ")})`));
    return `    ${quoteWord(name)}) _arguments ${specs.join(" \\\n      ")} ;;`;
  });
  const names = commands.map(({ name, description }) => `    ${quoteWord(`${name}:${escaped(description)}`)}`);
  return `#compdef ${program}
# zsh completion of ${program}: source <(${program} completions zsh), or a file _${program} in a folder of $fpath
_${identifier(program)}() {
  local -a commands=(
${names.join("\n")}
  )
  if ((CURRENT == 2)); then
    _describe -t commands command commands
    _arguments '--no-color[never color the output]' '--version[print the version]' '--help[display help]'
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${cases.join("\n")}
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _${identifier(program)} "$@"
else compdef _${identifier(program)} ${program}; fi`;
}

function fish(program: string, commands: readonly CompletedCommand[]): string {
  const escaped = (text: string) => `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
  const lines = commands.flatMap(({ name, description, flags, words }) => {
    const within = `complete -c ${program} -n ${escaped(`__fish_seen_subcommand_from ${name}`)}`;
    return [
      `complete -c ${program} -n __fish_use_subcommand -a ${name} -d ${escaped(description)}`,
      ...words.length > 0 ? [`${within} -a ${escaped(words.join(" "))}`] : [],
      ...flags.map(({ long, description, values }) => {
        const line = `${within} -l ${long.replace(/^--/, "")} -d ${escaped(description)}`;
        if (values === undefined) return line;
        if (values === "file") return `${line} -rF`;
        if (values === "folder") return `${line} -x -a '(__fish_complete_directories)'`;
        return values === "text" ? `${line} -x` : `${line} -x -a ${escaped(values.join(" "))}`;
      }),
    ];
  });
  return `# fish completion of ${program}: ${program} completions fish | source
complete -c ${program} -f
complete -c ${program} -n __fish_use_subcommand -l no-color -d 'never color the output'
complete -c ${program} -n __fish_use_subcommand -l version -d 'print the version'
${lines.join("\n")}`;
}
