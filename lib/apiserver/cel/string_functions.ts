import { type Declaration, declare, type Overload } from "./functions.ts";
import { compilePattern, findAll, PatternError } from "./re2.ts";
import { formatText } from "./text_format.ts";
import { ArrayList, CelError, display, type ListValue } from "./value.ts";

function outOfRange(index: bigint): CelError {
  return new CelError(`index out of range: ${index}`);
}

function charAt(text: string, index: bigint): string {
  const letters = [...text];
  if (index < 0n || index > letters.length) throw outOfRange(index);
  return letters[Number(index)] ?? "";
}

/** Positions count code points. */
function indexOf(text: string, part: string, from = 0n): bigint {
  if (from < 0n) throw outOfRange(from);
  const letters = [...text];
  if (part === "") return from > letters.length ? BigInt(letters.length) : from;
  const before = letters.slice(0, Number(from)).join("").length, found = text.indexOf(part, before);
  return from >= letters.length || found < 0 ? -1n : BigInt([...text.slice(0, found)].length);
}

function lastIndexOf(text: string, part: string, from?: bigint): bigint {
  if (from !== undefined && from < 0n) throw outOfRange(from);
  const letters = [...text];
  if (part === "") return from === undefined || from > letters.length ? BigInt(letters.length) : from;
  if (from !== undefined && from >= letters.length) return -1n;
  const before = from === undefined ? text.length : letters.slice(0, Number(from)).join("").length;
  const found = text.lastIndexOf(part, before);
  return found < 0 ? -1n : BigInt([...text.slice(0, found)].length);
}

function substring(text: string, start: bigint, end?: bigint): string {
  const letters = [...text];
  if (end !== undefined && start > end) {
    throw new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  }
  if (start < 0n || start > letters.length) throw outOfRange(start);
  if (end !== undefined && end > letters.length) throw outOfRange(end);
  return letters.slice(Number(start), end === undefined ? undefined : Number(end)).join("");
}

function replace(text: string, from: string, to: string, count = -1n): string {
  if (count < 0n) return text.replaceAll(from, () => to);
  const parts = from === "" ? ["", ...text] : text.split(from);
  let result = parts[0]!;
  for (let index = 1; index < parts.length; index++) result += (index <= count ? to : from) + parts[index]!;
  return from === "" && count > [...text].length ? result + to : result;
}

function split(text: string, separator: string, count = -1n): ListValue {
  if (count === 0n) return new ArrayList([]);
  const parts = separator === "" ? [...text] : text.split(separator);
  if (count < 0n || parts.length <= count) return new ArrayList(parts);
  const kept = parts.slice(0, Number(count) - 1);
  return new ArrayList([...kept, parts.slice(Number(count) - 1).join(separator)]);
}

function join(list: ListValue, separator = ""): string {
  return [...list].map((item) => {
    if (typeof item !== "string") throw new CelError(`join: invalid input: ${display(item)}`);
    return item;
  }).join(separator);
}

const ESCAPES: Record<string, string> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

/** Unicode's white space, as Go trims it. */
function trim(text: string): string {
  const space = "[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
  return text.replace(new RegExp(`^${space}`), "").replace(new RegExp(`${space}$`), "");
}

const STRINGS: Declaration[] = [
  ["string_char_at_int", "string#charAt(int): string", charAt],
  ["string_index_of_string", "string#indexOf(string): int", indexOf],
  ["string_index_of_string_int", "string#indexOf(string, int): int", indexOf],
  ["string_last_index_of_string", "string#lastIndexOf(string): int", lastIndexOf],
  ["string_last_index_of_string_int", "string#lastIndexOf(string, int): int", lastIndexOf],
  [
    "string_lower_ascii",
    "string#lowerAscii(): string",
    (text: string) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()),
  ],
  ["string_replace_string_string", "string#replace(string, string): string", replace],
  ["string_replace_string_string_int", "string#replace(string, string, int): string", replace],
  ["string_split_string", "string#split(string): list(string)", split],
  ["string_split_string_int", "string#split(string, int): list(string)", split],
  ["string_substring_int", "string#substring(int): string", substring],
  ["string_substring_int_int", "string#substring(int, int): string", substring],
  ["string_trim", "string#trim(): string", trim],
  [
    "string_upper_ascii",
    "string#upperAscii(): string",
    (text: string) => text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase()),
  ],
  ["string_format", "string#format(list(dyn)): string", formatText],
  [
    "strings_quote",
    "strings.quote(string): string",
    (text: string) => `"${text.toWellFormed().replaceAll(/[\\"\p{Cc}]/gu, (letter) => ESCAPES[letter] ?? letter)}"`,
  ],
  ["list_join", "list(string)#join(): string", join],
  ["list_join_string", "list(string)#join(string): string", join],
  [
    "string_find_string",
    "string#find(string): string",
    (text: string, pattern: string) => legal(() => compilePattern(pattern).exec(text)?.[0] ?? ""),
  ],
  ["string_find_all_string", "string#findAll(string): list(string)", allFound],
  ["string_find_all_string_int", "string#findAll(string, int): list(string)", allFound],
];

function allFound(text: string, pattern: string, count = -1n): ListValue {
  return new ArrayList(legal(() => findAll(text, pattern, Number(count))));
}

function legal<T>(search: () => T): T {
  try {
    return search();
  } catch (error) {
    if (error instanceof PatternError) throw new CelError(`Illegal regex: ${error.message}`);
    throw error;
  }
}

export function declareStrings(table: Map<string, Overload[]>): void {
  declare(table, STRINGS);
}
