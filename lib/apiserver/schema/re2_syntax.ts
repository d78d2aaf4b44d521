/** Go's limit on one repetition. */
const REPEATS_MAX = 1000;
const CLASSES = "alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit";

/** A pattern that RE2 refuses, in the words of Go's regexp/syntax. */
class SyntaxFault extends Error {
  override readonly name = "SyntaxFault";

  constructor(what: string, part: string) {
    super(`error parsing regexp: ${what}: \`${part}\``);
  }
}

/** Why Go's regexp package refuses a pattern; undefined where it accepts it. */
export function re2Fault(pattern: string): string | undefined {
  try {
    new Re2Reader(pattern).read();
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxFault) return error.message;
    throw error;
  }
}

/** Reads the whole pattern once, without building anything. */
class Re2Reader {
  #at = 0;
  #depth = 0;
  /** Where the thing starts that a repetition would repeat; absent after `(`, `|` and at the start. */
  #repeatable = false;
  /** Where the last repetition starts, while nothing follows it. */
  #repetition: number | undefined;

  constructor(readonly pattern: string) {}

  read(): void {
    while (this.#at < this.pattern.length) this.#next();
    if (this.#depth > 0) throw new SyntaxFault("missing closing )", this.pattern);
  }

  #next(): void {
    const letter = this.pattern[this.#at]!, rest = this.pattern.slice(this.#at);
    const repeat = /^(?:[*+?]|\{(\d+)(,(\d*))?\})/.exec(rest);
    if (repeat) this.#repeat(repeat);
    else if (letter === "(") this.#open(rest);
    else if (letter === ")") this.#close();
    else {
      const end = letter === "[" ? this.#classEnd() : letter === "\\" ? this.#escapeEnd() : this.#at + 1;
      this.#at = end;
      this.#repeatable = letter !== "|";
      this.#repetition = undefined;
    }
  }

  #repeat([text, least, comma, most]: RegExpExecArray): void {
    const lazy = this.pattern[this.#at + text.length] === "?" ? 1 : 0, end = this.#at + text.length + lazy;
    if (least !== undefined) {
      const min = Number(least), max = comma === undefined ? min : most ? Number(most) : min;
      if (min > REPEATS_MAX || max > REPEATS_MAX || max < min) throw new SyntaxFault("invalid repeat count", text);
    }
    if (this.#repetition !== undefined) {
      throw new SyntaxFault("invalid nested repetition operator", this.pattern.slice(this.#repetition, end));
    }
    if (!this.#repeatable) throw new SyntaxFault("missing argument to repetition operator", text);
    this.#repetition = this.#at;
    this.#at = end;
  }

  #open(rest: string): void {
    this.#repeatable = false;
    this.#repetition = undefined;
    if (!rest.startsWith("(?")) {
      this.#depth++;
      this.#at++;
      return;
    }
    const named = /^\(\?P?</.exec(rest);
    if (named) {
      const end = rest.indexOf(">");
      if (end < 0) throw new SyntaxFault("invalid named capture", rest);
      if (!/^\w+$/.test(rest.slice(named[0].length, end))) {
        throw new SyntaxFault("invalid named capture", rest.slice(0, end + 1));
      }
      this.#depth++;
      this.#at += end + 1;
      return;
    }
    const flags = /^\(\?[imsU]*(?:-[imsU]+)?/.exec(rest)![0], after = rest[flags.length];
    if ((after !== ":" && after !== ")") || flags === "(?" && after === ")") {
      if (after === undefined) throw new SyntaxFault("missing closing )", this.pattern);
      throw new SyntaxFault("invalid or unsupported Perl syntax", rest.slice(0, flags.length + 1));
    }
    if (after === ":") this.#depth++;
    this.#at += flags.length + 1;
  }

  #close(): void {
    if (this.#depth === 0) throw new SyntaxFault("unexpected )", this.pattern);
    this.#depth--;
    this.#at++;
    this.#repeatable = true;
    this.#repetition = undefined;
  }

  /** After an escape: at the second character. */
  #escapeEnd(): number {
    const rest = this.pattern.slice(this.#at);
    if (rest === "\\") throw new SyntaxFault("trailing backslash at end of expression", "");
    const quoted = /^\\Q[^]*?(?:\\E|$)/.exec(rest);
    if (quoted) return this.#at + quoted[0].length;
    const hex = /^\\x(?:[0-9A-Fa-f]{2}|\{([0-9A-Fa-f]+)\})/.exec(rest);
    if (hex && Number.parseInt(hex[1] ?? "0", 16) <= 0x10ffff) return this.#at + hex[0].length;
    const property = /^\\[pP](?:\{\^?(\w+)\}|(\w))/.exec(rest);
    if (property) {
      if (!isUnicodeClass(property[1] ?? property[2]!)) {
        throw new SyntaxFault("invalid character class range", property[0]);
      }
      return this.#at + property[0].length;
    }
    const simple = /^\\(?:0[0-7]{0,2}|[1-7][0-7]{1,2}|[AbBzafnrtvdDsSwW]|[^\w\u0080-\uffff])/.exec(rest);
    if (simple) return this.#at + simple[0].length;
    throw new SyntaxFault("invalid escape sequence", String.fromCodePoint(92, rest.codePointAt(1)!));
  }

  #classEnd(): number {
    const start = this.#at;
    let at = start + 1, isFirst = true;
    if (this.pattern[at] === "^") at++;
    for (;; isFirst = false) {
      const letter = this.pattern[at];
      if (letter === undefined) throw new SyntaxFault("missing closing ]", this.pattern.slice(start));
      if (letter === "]" && !isFirst) return at + 1;
      const named = /^\[:\^?(\w+):\]/.exec(this.pattern.slice(at));
      if (named) {
        if (!new RegExp(`^(?:${CLASSES})$`).test(named[1]!)) {
          throw new SyntaxFault("invalid character class range", named[0]);
        }
        at += named[0].length;
        continue;
      }
      const from = at;
      at = this.#memberEnd(at);
      if (this.pattern[at] !== "-" || this.pattern[at + 1] === "]" || at + 1 >= this.pattern.length) continue;
      const low = this.pattern.slice(from, at), high = this.pattern.slice(at + 1, this.#memberEnd(at + 1));
      at += 1 + high.length;
      if (codeOf(low) > codeOf(high)) throw new SyntaxFault("invalid character class range", `${low}-${high}`);
    }
  }

  #memberEnd(at: number): number {
    const letter = this.pattern.codePointAt(at)!;
    if (letter !== 92) return at + String.fromCodePoint(letter).length;
    const before = this.#at;
    this.#at = at;
    const end = this.#escapeEnd();
    this.#at = before;
    return end;
  }
}

/** Of a member of a class; escapes that are no single character compare with nothing. */
function codeOf(member: string): number {
  if (!member.startsWith("\\")) return member.codePointAt(0)!;
  const hex = /^\\x\{?([0-9A-Fa-f]+)/.exec(member);
  if (hex) return Number.parseInt(hex[1]!, 16);
  return /^\\[^\w]/.test(member) ? member.codePointAt(1)! : NaN;
}

function isUnicodeClass(name: string): boolean {
  if (name === "Any") return true;
  return ["", "Script="].some((prefix) => {
    try {
      return new RegExp(`\\p{${prefix}${name}}`, "u") !== undefined;
    } catch (error) {
      if (error instanceof SyntaxError) return false;
      throw error;
    }
  });
}
