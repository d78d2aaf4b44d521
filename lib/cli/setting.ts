import { isIP } from "node:net";
import { durationMs, UsageError } from "../base/mod.ts";
import { globProblem, isDnsLabel, isDnsSubdomain } from "../apimachinery/mod.ts";

/** A setting's name, parser and description. */
export interface Setting<T> {
  /** Environment variable, such as `PINTLE_LOG_LEVEL`. */
  readonly env: string;
  /** Long flag without dashes. */
  readonly flag: string;
  /** What it decides, as half a sentence for help and documentation. */
  readonly description: string;
  /** The default, as text. */
  readonly default: string;
  /** The value's form in help: `LEVEL`, `DURATION`, … */
  readonly placeholder: string;
  /** Masked wherever settings are shown. */
  readonly secret?: boolean;
  /**
   * Parses a text from any source.
   *
   * @throws {RangeError} naming the expected form.
   */
  readonly parse: (text: string) => T;
}

/** Settings by their name in code. */
export type SettingTable = Readonly<Record<string, Setting<unknown>>>;

/** The values of a table. */
export type SettingValues<Table extends SettingTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Setting<infer T> ? T : never;
};

type SettingSource = "default" | "env" | "flag";

export interface ResolvedSettings<Table extends SettingTable> {
  readonly values: SettingValues<Table>;
  readonly origins: Readonly<Record<keyof Table, { readonly text: string; readonly source: SettingSource }>>;
}

/** Fields of every setting, whatever its type. */
export type SettingOptions = Pick<Setting<unknown>, "env" | "flag" | "description" | "default"> & {
  readonly secret?: boolean;
};

/** A free text. */
export function text(named: SettingOptions, placeholder: string = "TEXT"): Setting<string> {
  return { ...named, placeholder, parse: (value) => value };
}

/** One of several words. */
export function choice<const Word extends string>(named: SettingOptions, words: readonly Word[]): Setting<Word> {
  return {
    ...named,
    placeholder: words.join("|"),
    parse: (value) => {
      if ((words as readonly string[]).includes(value)) return value as Word;
      throw new RangeError(`must be one of ${words.join(", ")}`);
    },
  };
}

/** Yes or no: `true` or `1`, `false` or `0`, in any letter case; not empty. */
export function boolean(named: SettingOptions): Setting<boolean> {
  return {
    ...named,
    placeholder: "true|false",
    parse: (value) => {
      const word = value.toLowerCase();
      if (word === "true" || word === "1") return true;
      if (word === "false" || word === "0") return false;
      throw new RangeError("must be true or false, or 1 or 0");
    },
  };
}

/** A whole number from `min` to `max`. */
export function integer(
  named: SettingOptions,
  { min, max }: { readonly min: number; readonly max: number },
): Setting<number> {
  return {
    ...named,
    placeholder: "N",
    parse: (value) => {
      const number = Number(value);
      if (/^\d+$/.test(value) && number >= min && number <= max) return number;
      throw new RangeError(`must be a whole number from ${min} to ${max}`);
    },
  };
}

/** A whole number from `min` to `max`; undefined if empty. */
export function optionalInteger(named: SettingOptions, min: number, max: number): Setting<number | undefined> {
  const { parse, ...rest } = integer(named, { min, max });
  return { ...rest, parse: (value) => value === "" ? undefined : parse(value) };
}

/** DNS labels joined by slashes, named by `parts`; the last is enough, and empty means none. */
export function labels(named: SettingOptions, parts: readonly string[]): Setting<string> {
  const placeholder = `${parts.slice(0, -1).map((part) => `[${part}/]`).join("")}${parts.at(-1)}`;
  return {
    ...named,
    placeholder,
    parse: (value) => {
      const given = value.split("/");
      if (value === "" || given.length <= parts.length && given.every(isDnsLabel)) return value;
      throw new RangeError(`must be ${placeholder}, each of lower-case letters, digits and -`);
    },
  };
}

/** A duration in milliseconds; `0s` only with `zero`. */
export function duration(named: SettingOptions, { zero = false }: { readonly zero?: boolean } = {}): Setting<number> {
  return {
    ...named,
    placeholder: "DURATION",
    parse: (value) => {
      const ms = parseDuration(value);
      if (ms > 0 || zero) return ms;
      throw new RangeError("must be longer than 0s");
    },
  };
}

/** An address to listen on: a number or a name. */
export function host(named: SettingOptions): Setting<string> {
  return {
    ...named,
    placeholder: "ADDRESS",
    parse: (value) => {
      if (isIP(value) !== 0 || (isDnsSubdomain(value) && !/^[\d.]+$/.test(value))) return value;
      throw new RangeError("must be an IP address or the name of a host");
    },
  };
}

/** Webhooks' https address without a path; `auto`, or empty for none. */
export function webhookAddress(named: SettingOptions): Setting<string> {
  return {
    ...named,
    placeholder: "URL",
    parse: (value) => {
      if (value === "" || value === "auto") return value;
      const url = URL.canParse(value) ? new URL(value) : undefined;
      const bare = url?.pathname === "/" && !url.search && !url.hash && !url.username;
      if (url?.protocol === "https:" && bare) return url.origin;
      throw new RangeError("must be auto, or an https address without a path, such as https://172.18.0.1:9443");
    },
  };
}

/** Milliseconds of a typed duration. @throws {RangeError} naming the expected form. */
export function parseDuration(text: string): number {
  try {
    if (/^[0-9]/.test(text)) return durationMs(text);
  } catch { /* reported below, as for every setting */ }
  throw new RangeError("must be a duration like 500ms, 30s, 10m, 1h30m");
}

/** Words separated by commas; empty for none. */
export function list(named: SettingOptions): Setting<readonly string[]> {
  return {
    ...named,
    placeholder: "A,B,…",
    parse: (value) => value.split(",").map((word) => word.trim()).filter((word) => word !== ""),
  };
}

/** Globs of namespace names, separated by commas; `!` excludes, empty means none. */
export function globs(named: SettingOptions): Setting<readonly string[]> {
  const words = list(named);
  return {
    ...words,
    placeholder: "GLOB,…",
    parse: (value) => {
      const found = words.parse(value);
      for (const glob of found) {
        const problem = globProblem(glob);
        if (problem) throw new RangeError(`has "${glob}", which matches no namespace: it ${problem}`);
      }
      return found;
    },
  };
}

/** The name of a namespace. */
export function namespaceName(named: SettingOptions): Setting<string> {
  return {
    ...named,
    placeholder: "NAMESPACE",
    parse: (value) => {
      if (isDnsLabel(value)) return value;
      throw new RangeError("must be the name of a namespace");
    },
  };
}

/**
 * Reads a table: flags win over the environment, which wins over defaults. Variables key `flags`, because two commands
 * may share a flag's name.
 *
 * @param helpOf names the command whose help lists a setting, by its variable.
 * @throws {UsageError} naming every unknown `PINTLE_` variable and every bad value at once, before anything starts.
 */
export function resolveSettings<Table extends SettingTable>(
  table: Table,
  env: Readonly<Record<string, string>>,
  flags: Readonly<Record<string, string | undefined>>,
  helpOf: (variable: string) => string = () => "config",
): ResolvedSettings<Table> {
  const unknown = unknownVariables(table, env), problems = unknown.map(({ problem }) => problem);
  const helps = new Set(unknown.map(({ near }) => helpOf(near)));
  const values: Record<string, unknown> = {}, origins: Record<string, { text: string; source: SettingSource }> = {};
  for (const [name, setting] of Object.entries(table)) {
    const flag = flags[setting.env];
    const variable = Object.hasOwn(env, setting.env) ? env[setting.env] : undefined;
    const source: SettingSource = flag !== undefined ? "flag" : variable !== undefined ? "env" : "default";
    const value = flag ?? variable ?? setting.default;
    origins[name] = { text: value, source };
    try {
      values[name] = setting.parse(value);
    } catch (error) {
      const at = source === "flag"
        ? `--${setting.flag}`
        : source === "env"
        ? setting.env
        : `the default of ${setting.env}`;
      const shown = setting.secret ? "the value" : `"${value}"`;
      problems.push(`${at}: ${shown} ${(error as Error).message}`);
      helps.add(helpOf(setting.env));
    }
  }
  if (problems.length > 0) {
    const commands = [...helps].map((command) => `\`${command} --help\``).join(" and ");
    throw new UsageError(
      problems.join("\n"),
      `${commands} ${helps.size > 1 ? "list" : "lists"} every setting and its default`,
    );
  }
  return { values, origins } as unknown as ResolvedSettings<Table>;
}

/** Variables that name no setting, each with the one that is meant, or else itself. */
function unknownVariables(
  table: SettingTable,
  env: Readonly<Record<string, string>>,
): { readonly problem: string; readonly near: string }[] {
  const known = new Set(Object.values(table).map((setting) => setting.env));
  const unknown = Object.keys(env).filter((name) => name.startsWith("PINTLE_") && !known.has(name));
  return unknown.filter((name) => !isServiceLink(name, env)).sort().map((name) => {
    const near = [...known].find((each) => distance(each, name) <= 3);
    return { problem: `${name} is not a setting${near ? `; did you mean ${near}?` : ""}`, near: near ?? name };
  });
}

/**
 * Whether the kubelet sets a variable for a Service, such as `PINTLE_WEB_SERVICE_HOST` or `PINTLE_WEB_PORT_80_TCP` for
 * `pintle-web`: it is no setting.
 */
function isServiceLink(name: string, env: Readonly<Record<string, string>>): boolean {
  const [, service] =
    /^(PINTLE_.+?)_(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?)?)$/
      .exec(name) ?? [];
  return service !== undefined && Object.hasOwn(env, `${service}_SERVICE_HOST`);
}

function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const change = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1);
      next[j] = Math.min(change, row[j]! + 1, next[j - 1]! + 1);
    }
    row = next;
  }
  return row[right.length]!;
}
