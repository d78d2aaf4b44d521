import { CelError } from "./value.ts";

/** Why Go's regexp package refuses a pattern. */
export class PatternError extends CelError {
  constructor(what: string, part: string) {
    super(`error parsing regexp: ${what}: \`${part}\``);
  }
}

const compiled = new Map<string, RegExp>();
const COMPILED_MAX = 500;

/**
 * Compiles RE2's syntax (github.com/google/re2/wiki/Syntax), as Go reads it, to a JavaScript expression with the same
 * matches.
 *
 * @throws {PatternError} for what RE2 refuses: look-around, back-references, and syntax errors.
 */
export function compilePattern(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known) return known;
  const result = new RegExp(new Translator(pattern).translate(), "u");
  if (compiled.size >= COMPILED_MAX) compiled.clear();
  compiled.set(pattern, result);
  return result;
}

/** As Go's FindAllString: an empty match next to the one before it does not count. */
export function findAll(text: string, pattern: string, countMax: number): string[] {
  const found: string[] = [], expression = new RegExp(compilePattern(pattern).source, "gu");
  let end = -1;
  for (const match of text.matchAll(expression)) {
    if (countMax >= 0 && found.length >= countMax) break;
    if (match[0] === "" && match.index === end) continue;
    end = match.index + match[0].length;
    found.push(match[0]);
  }
  return found;
}

const REPEATS_MAX = 1_000;

const PERL_CLASSES: Record<string, string> = { d: "0-9", w: "0-9A-Za-z_", s: "\\t\\n\\f\\r " };

const POSIX_CLASSES: Record<string, string> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7F",
  blank: "\\t ",
  cntrl: "\\x00-\\x1F\\x7F",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`\\{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

const LETTERS: Record<string, number> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
  readonly U: boolean;
}

/** A translated part and how often nested repetitions repeat it at most. */
interface Part {
  readonly text: string;
  readonly repeats: number;
}

class Translator {
  readonly #pattern: string;
  #at = 0;
  #flags: Flags = { i: false, m: false, s: false, U: false };

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  translate(): string {
    const { text } = this.#alternatives();
    if (this.#at < this.#pattern.length) throw new PatternError("unexpected )", this.#pattern);
    return text;
  }

  get #rest(): string {
    return this.#pattern.slice(this.#at);
  }

  #letter(): string {
    return String.fromCodePoint(this.#pattern.codePointAt(this.#at)!);
  }

  #alternatives(): Part {
    const parts: Part[] = [this.#sequence()];
    while (this.#pattern[this.#at] === "|") {
      this.#at++;
      parts.push(this.#sequence());
    }
    return { text: parts.map((part) => part.text).join("|"), repeats: Math.max(...parts.map((part) => part.repeats)) };
  }

  #sequence(): Part {
    let text = "", repeats = 1;
    while (this.#at < this.#pattern.length && !/^[|)]/.test(this.#rest)) {
      const part = this.#repeated();
      text += part.text;
      repeats = Math.max(repeats, part.repeats);
    }
    return { text, repeats };
  }

  #repeated(): Part {
    const operator = this.#operator();
    if (operator) throw new PatternError("missing argument to repetition operator", operator.source);
    const atom = this.#atom();
    let { text, repeats } = atom, before: string | undefined;
    for (let next = this.#operator(); next; next = this.#operator()) {
      if (before !== undefined) {
        throw new PatternError("invalid nested repetition operator", before + next.source);
      }
      if (text === "") throw new PatternError("missing argument to repetition operator", next.source);
      repeats *= Math.max(1, next.count);
      if (next.count > 1 && repeats > REPEATS_MAX) throw new PatternError("invalid repeat count", next.source);
      const lazy = next.lazy !== this.#flags.U;
      text = `(?:${text})${next.symbol}${lazy ? "?" : ""}`;
      before = next.source;
      this.#at += next.source.length;
    }
    return { text, repeats };
  }

  /** The repetition that follows, unless it is no repetition, as `{` alone. */
  #operator(): { symbol: string; source: string; lazy: boolean; count: number } | undefined {
    const match = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})(\??)/.exec(this.#rest);
    if (!match) return undefined;
    const [source, star, least, comma, most, lazy] = match;
    if (star !== undefined) return { symbol: star, source: source, lazy: lazy === "?", count: 0 };
    const low = Number(least), high = comma === undefined ? low : most ? Number(most) : low;
    const plain = source.replace(/\?$/, "");
    if (/^0\d/.test(least!) || most && /^0\d/.test(most)) return undefined;
    if (low > REPEATS_MAX || high > REPEATS_MAX || high < low) throw new PatternError("invalid repeat count", plain);
    return { symbol: plain, source: source, lazy: lazy === "?", count: high };
  }

  #atom(): Part {
    const letter = this.#letter();
    switch (letter) {
      case "(":
        return this.#group();
      case "[":
        return { text: this.#cased(this.#charClass()), repeats: 1 };
      case "\\":
        return { text: this.#escape(), repeats: 1 };
    }
    this.#at += letter.length;
    switch (letter) {
      case ".":
        return { text: this.#flags.s ? "[^]" : "[^\\n]", repeats: 1 };
      case "^":
        return { text: this.#flags.m ? "(?:^|(?<=\\n))" : "(?:^)", repeats: 1 };
      case "$":
        return { text: this.#flags.m ? "(?:$|(?=\\n))" : "(?:$)", repeats: 1 };
    }
    return { text: this.#cased(literal(letter.codePointAt(0)!)), repeats: 1 };
  }

  #cased(text: string): string {
    return this.#flags.i ? `(?i:${text})` : text;
  }

  /** Groups capture nothing, because expressions read the whole match. */
  #group(): Part {
    const start = this.#at, before = this.#flags;
    if (this.#pattern[this.#at + 1] === "?") {
      if (!this.#groupStart()) return { text: "", repeats: 1 };
    } else this.#at++;
    const inner = this.#alternatives();
    if (this.#pattern[this.#at] !== ")") throw new PatternError("missing closing )", this.#pattern);
    this.#at++;
    this.#flags = before;
    void start;
    return { text: `(?:${inner.text})`, repeats: inner.repeats };
  }

  /** False if flags alone were set, as by `(?i)`. */
  #groupStart(): boolean {
    const rest = this.#rest, named = /^\(\?P?</.exec(rest);
    if (named && rest.length > named[0].length) {
      const end = rest.indexOf(">");
      if (end < 0) throw new PatternError("invalid named capture", rest);
      const name = rest.slice(named[0].length, end);
      if (!/^\w+$/.test(name)) throw new PatternError("invalid named capture", rest.slice(0, end + 1));
      this.#at += end + 1;
      return true;
    }
    const flags: Record<string, boolean> = { ...this.#flags };
    let value = true, any = false;
    for (let length = 2; length < rest.length; length++) {
      const letter = rest[length]!;
      if (/[imsU]/.test(letter)) {
        flags[letter] = value;
        any = true;
      } else if (letter === "-" && value) {
        value = false;
        any = false;
      } else if ((letter === ":" || letter === ")") && (value || any)) {
        this.#at += length + 1;
        this.#flags = flags as unknown as Flags;
        return letter === ":";
      } else throw new PatternError("invalid or unsupported Perl syntax", rest.slice(0, length + 1));
    }
    throw new PatternError("missing closing )", this.#pattern);
  }

  #escape(): string {
    const rest = this.#rest, next = rest[1];
    if (next === undefined) throw new PatternError("trailing backslash at end of expression", "");
    if (next === "Q") return this.#quoted();
    const anchors: Record<string, string> = { A: "(?:^)", z: "(?:$)", b: "\\b", B: "\\B" };
    if (anchors[next] !== undefined) {
      this.#at += 2;
      return anchors[next]!;
    }
    const shared = this.#classEscape();
    if (shared !== undefined) return this.#cased(`[${shared}]`);
    return this.#cased(literal(this.#escapedLetter()));
  }

  #quoted(): string {
    const end = this.#pattern.indexOf("\\E", this.#at + 2);
    const text = this.#pattern.slice(this.#at + 2, end < 0 ? undefined : end);
    this.#at = end < 0 ? this.#pattern.length : end + 2;
    return this.#cased([...text].map((letter) => literal(letter.codePointAt(0)!)).join(""));
  }

  /** The inside of a class for `\d`, `\pL` and their kind; undefined if another escape follows. */
  #classEscape(): string | undefined {
    const rest = this.#rest, next = rest[1] ?? "";
    const perl = PERL_CLASSES[next.toLowerCase()];
    if (perl !== undefined) {
      this.#at += 2;
      return next === next.toLowerCase() ? perl : complement(perl);
    }
    const match = /^\\([pP])(?:\{(\^?)([^}]*)\}|([^{]))/u.exec(rest);
    if (!match) {
      if (/^[pP]$/.test(next)) throw new PatternError("invalid character class range", rest.slice(0, 2));
      return undefined;
    }
    const name = match[3] ?? match[4]!, negative = (match[1] === "P") !== (match[2] === "^");
    this.#at += match[0].length;
    if (name === "Any") return negative ? complement("\\u{0}-\\u{10FFFF}") : "\\u{0}-\\u{10FFFF}";
    for (const property of [`General_Category=${name}`, `Script=${name}`]) {
      const text = `\\${negative ? "P" : "p"}{${property}}`;
      try {
        new RegExp(text, "u");
        return text;
      } catch {
        // not a property of this kind
      }
    }
    throw new PatternError("invalid character class range", match[0]);
  }

  #escapedLetter(): number {
    const rest = this.#rest;
    const octal = /^\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest);
    if (octal) {
      this.#at += octal[0].length;
      return Number.parseInt(octal[1]!, 8);
    }
    const hexadecimal = /^\\x(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2}))/.exec(rest);
    if (hexadecimal) {
      const code = Number.parseInt(hexadecimal[1] ?? hexadecimal[2]!, 16);
      if (code > 0x10ffff) throw new PatternError("invalid escape sequence", hexadecimal[0]);
      this.#at += hexadecimal[0].length;
      return code;
    }
    const letter = String.fromCodePoint(rest.codePointAt(1) ?? 0);
    if (rest.length < 2) throw new PatternError("trailing backslash at end of expression", "");
    if (LETTERS[letter] === undefined && (/[A-Za-z0-9]/.test(letter) || letter > "\x7f")) {
      throw new PatternError("invalid escape sequence", rest.slice(0, letter === "x" ? 3 : 2));
    }
    this.#at += 1 + letter.length;
    return LETTERS[letter] ?? letter.codePointAt(0)!;
  }

  #charClass(): string {
    const start = this.#at;
    this.#at++;
    const negative = this.#pattern[this.#at] === "^";
    if (negative) this.#at++;
    let text = "";
    for (let first = true; first || this.#pattern[this.#at] !== "]"; first = false) {
      if (this.#at >= this.#pattern.length) throw this.#openClass(start);
      text += this.#classItem(start, first);
    }
    this.#at++;
    return `[${negative ? "^" : ""}${text}]`;
  }

  #openClass(start: number): PatternError {
    return new PatternError("missing closing ]", this.#pattern.slice(start));
  }

  #classItem(start: number, first: boolean): string {
    const rest = this.#rest, posix = /^\[:(\^?)(\w+):\]/.exec(rest);
    if (rest.startsWith("[:") && /^\[:[^\]]*:\]/.test(rest)) {
      const known = posix && POSIX_CLASSES[posix[2]!];
      const source = posix?.[0] ?? rest.slice(0, rest.indexOf(":]") + 2);
      if (!known) throw new PatternError("invalid character class range", source);
      this.#at += source.length;
      return posix[1] ? complement(known) : known;
    }
    if (rest[0] === "-" && !first && rest[1] !== "]" && rest.length > 1) {
      // A dash after a range stands alone only at the end.
      throw new PatternError("invalid character class range", rest.slice(0, 1 + (rest[1]?.length ?? 0)));
    }
    if (rest[0] === "\\") {
      const shared = this.#classEscape();
      if (shared !== undefined) return shared;
    }
    const from = this.#at, low = this.#classLetter(start);
    if (
      this.#pattern[this.#at] !== "-" || this.#at + 1 >= this.#pattern.length || this.#pattern[this.#at + 1] === "]"
    ) {
      return literal(low);
    }
    this.#at++;
    const high = this.#classLetter(start);
    if (high < low) throw new PatternError("invalid character class range", this.#pattern.slice(from, this.#at));
    return `${literal(low)}-${literal(high)}`;
  }

  #classLetter(start: number): number {
    if (this.#at >= this.#pattern.length) throw this.#openClass(start);
    if (this.#pattern[this.#at] === "\\") return this.#escapedLetter();
    const letter = this.#letter();
    this.#at += letter.length;
    return letter.codePointAt(0)!;
  }
}

function literal(code: number): string {
  return `\\u{${code.toString(16)}}`;
}

/** What a class does not contain, as the inside of a class. */
function complement(inside: string): string {
  const parts: string[] = [];
  let next = 0;
  for (const [low, high] of ranges(inside)) {
    if (low > next) parts.push(`${literal(next)}-${literal(low - 1)}`);
    next = Math.max(next, high + 1);
  }
  if (next <= 0x10ffff) parts.push(`${literal(next)}-${literal(0x10ffff)}`);
  return parts.join("");
}

function ranges(inside: string): [number, number][] {
  const found: [number, number][] = [];
  const one = String.raw`(\\u\{[0-9a-fA-F]+\}|\\x..|\\.|[^\\])`;
  for (const [, low, high] of inside.matchAll(new RegExp(`${one}(?:-${one})?`, "gu"))) {
    found.push([codeOf(low!), codeOf(high ?? low!)]);
  }
  return found.sort((left, right) => left[0] - right[0]);
}

function codeOf(text: string): number {
  if (text.startsWith("\\u{")) return Number.parseInt(text.slice(3, -1), 16);
  if (text.startsWith("\\x")) return Number.parseInt(text.slice(2), 16);
  if (text.startsWith("\\")) return LETTERS[text[1]!] ?? text.charCodeAt(1);
  return text.codePointAt(0)!;
}
