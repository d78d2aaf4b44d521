import type { Call, Expr, MapEntry, StructField } from "./ast.ts";
import { Issues } from "./issues.ts";
import { type Token, tokensOf, unescapeText } from "./lexer.ts";
import { expandMacro, MacroError } from "./macros.ts";
import { Uint } from "./value.ts";

const RESERVED = new Set(
  ("as break const continue else for function if import let loop package namespace return var void while").split(" "),
);

/** cel-go's limits. */
const DEPTH_MAX = 250;
const LETTERS_MAX = 100_000;

const INT_MAX = 2n ** 63n - 1n;

/** Stops at the first syntax error, where ANTLR would try to go on. */
class SyntaxStop extends Error {}

/** What may begin an expression, in the order of ANTLR's tokens; errors list it. */
const STARTS = "'[' '{' '(' '.' '-' '!' 'true' 'false' 'null' NUM_FLOAT NUM_INT NUM_UINT STRING BYTES IDENTIFIER".split(
  " ",
);
const SYMBOL_ORDER = ["'['", "']'", "'{'", "'}'", "'('", "')'", "'.'", "','", "'-'", "'!'", "'?'"];

/** The start of an expression, or one of these symbols. */
function startsOr(...symbols: string[]): string {
  const place = (token: string) => {
    const index = SYMBOL_ORDER.indexOf(token);
    return index < 0 ? SYMBOL_ORDER.length : index;
  };
  return `{${[...STARTS, ...symbols].sort((left, right) => place(left) - place(right)).join(", ")}}`;
}

const START_SYMBOLS = new Set(["[", "{", "(", ".", "-", "!", "true", "false", "null"]);

function canStart(token: Token): boolean {
  return token.kind === "symbol" ? START_SYMBOLS.has(token.text) : token.kind !== "end" && token.kind !== "escaped";
}

/** What may come after a closing bracket. */
const AFTER_CLOSING = new Set(
  ["==", "!=", "<", "<=", ">", ">=", "in", "&&", "||", "+", "-", "*", "/", "%", "?", ":", ",", ".", "[", ")", "]", "}"],
);

const RELATIONS = new Set(["<", "<=", ">=", ">", "==", "!=", "in"]);

/** Undefined if the source does not parse; `issues` says why. */
export function parse(source: string, issues: Issues): Expr | undefined {
  const length = [...source].length;
  if (length > LETTERS_MAX) {
    issues.report(0, `expression code point size exceeds limit: size: ${length}, limit ${LETTERS_MAX}`);
    return undefined;
  }
  const parser = new Parser(tokensOf(source, issues), issues);
  try {
    const expr = parser.start();
    return issues.any ? undefined : expr;
  } catch (error) {
    if (error instanceof SyntaxStop) return undefined;
    throw error;
  }
}

const FIELD_STARTS = "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}";

class Parser {
  readonly #tokens: Token[];
  readonly #issues: Issues;
  #next = 0;
  #depth = 0;

  constructor(tokens: Token[], issues: Issues) {
    this.#tokens = tokens;
    this.#issues = issues;
  }

  start(): Expr {
    const expr = this.#expression();
    const left = this.#peek();
    if (left.kind !== "end") {
      const extraneous = this.#tokens[this.#next + 1]?.kind === "end";
      this.#fail(left, `${extraneous ? "extraneous" : "mismatched"} input '${left.text}' expecting <EOF>`);
    }
    return expr;
  }

  #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  #take(): Token {
    return this.#tokens[this.#next++]!;
  }

  #is(...symbols: string[]): boolean {
    const token = this.#peek();
    return token.kind === "symbol" && symbols.includes(token.text);
  }

  #accept(symbol: string): Token | undefined {
    return this.#is(symbol) ? this.#take() : undefined;
  }

  #expect(symbol: string): Token {
    return this.#accept(symbol) ?? this.#recovered(symbol);
  }

  /** As ANTLR recovers: one token too many is skipped, a missing one is added. */
  #recovered(symbol: string): Token {
    const token = this.#peek(), next = this.#tokens[this.#next + 1];
    if (next?.kind === "symbol" && next.text === symbol) {
      this.#report(token, `extraneous input '${token.text}' expecting '${symbol}'`);
      this.#take();
      return this.#take();
    }
    const fits = symbol === ":"
      ? canStart(token)
      : token.kind === "end" || token.kind === "symbol" && AFTER_CLOSING.has(token.text);
    if (!fits) this.#mismatch(`'${symbol}'`);
    this.#report(token, `missing '${symbol}' at '${token.text}'`);
    return { kind: "symbol", text: symbol, at: token.at };
  }

  /** The end of a list; `comma`: one was before it. */
  #close(symbol: string, comma: boolean): void {
    if (this.#accept(symbol)) return;
    if (comma) this.#mismatch(`'${symbol}'`);
    const token = this.#peek(), next = this.#tokens[this.#next + 1]?.text;
    if (next !== symbol) this.#mismatch(`{'${symbol}', ','}`);
    this.#report(token, `extraneous input '${token.text}' expecting {'${symbol}', ','}`);
    this.#next += 2;
  }

  #mismatch(expected: string): never {
    const token = this.#peek();
    return this.#fail(token, `mismatched input '${token.text}' expecting ${expected}`);
  }

  #fail(token: Token, message: string): never {
    this.#report(token, message);
    throw new SyntaxStop(message);
  }

  #report(token: Token, message: string): void {
    this.#issues.report(token.at, `Syntax error: ${message}`);
  }

  #nested<T>(parse: () => T): T {
    this.#depth++;
    if (this.#depth > DEPTH_MAX) {
      this.#issues.report(0, `expression recursion limit exceeded: ${DEPTH_MAX}`);
      throw new SyntaxStop("too deep");
    }
    const result = parse();
    this.#depth--;
    return result;
  }

  /** `others`: what else may stand here. */
  #expression(others: string[] = []): Expr {
    if (!canStart(this.#peek())) this.#skipExtraneous(others);
    if (!canStart(this.#peek())) this.#mismatch(startsOr(...others));
    return this.#nested(() => {
      const condition = this.#logic("||", () => this.#logic("&&", () => this.#relation()));
      const mark = this.#accept("?");
      if (!mark) return condition;
      const yes = this.#logic("||", () => this.#logic("&&", () => this.#relation()));
      this.#expect(":");
      return this.#global(mark.at, "_?_:_", [condition, yes, this.#expression()]);
    });
  }

  /** Chains become a balanced tree, as cel-go builds it. */
  #logic(symbol: "&&" | "||", term: () => Expr): Expr {
    const terms = [term()], marks: number[] = [];
    for (let mark = this.#accept(symbol); mark; mark = this.#accept(symbol)) {
      marks.push(mark.at);
      terms.push(term());
    }
    const tree = (low: number, high: number): Expr => {
      const middle = (low + high + 1) >> 1;
      const left = middle === low ? terms[middle]! : tree(low, middle - 1);
      const right = middle === high ? terms[middle + 1]! : tree(middle + 1, high);
      return { kind: "call", at: marks[middle]!, name: `_${symbol}_`, target: undefined, args: [left, right] };
    };
    return marks.length === 0 ? terms[0]! : tree(0, marks.length - 1);
  }

  #relation(): Expr {
    let left = this.#sum();
    while (this.#peek().kind === "symbol" && RELATIONS.has(this.#peek().text)) {
      const mark = this.#take();
      left = this.#global(mark.at, mark.text === "in" ? "@in" : `_${mark.text}_`, [left, this.#sum()]);
    }
    return left;
  }

  #sum(): Expr {
    let left = this.#product();
    while (this.#is("+", "-")) {
      const mark = this.#take();
      left = this.#global(mark.at, `_${mark.text}_`, [left, this.#product()]);
    }
    return left;
  }

  #product(): Expr {
    let left = this.#unary();
    while (this.#is("*", "/", "%")) {
      const mark = this.#take();
      left = this.#global(mark.at, `_${mark.text}_`, [left, this.#unary()]);
    }
    return left;
  }

  #unary(): Expr {
    const mark = this.#peek();
    if (!this.#is("!", "-")) return this.#member();
    let count = 0;
    if (mark.text === "-" && /^(?:int|float)$/.test(this.#tokens[this.#next + 1]!.kind)) return this.#member();
    while (this.#accept(mark.text)) count++;
    const operand = this.#member();
    if (count % 2 === 0) return operand;
    return this.#global(mark.at, mark.text === "!" ? "!_" : "-_", [operand]);
  }

  /** One token before what is expected is reported and left out. */
  #skipExtraneous(others: string[]): void {
    const token = this.#peek(), next = this.#tokens[this.#next + 1];
    if (canStart(token) || !next || !(canStart(next) || others.includes(`'${next.text}'`))) return;
    this.#report(token, `extraneous input '${token.text}' expecting ${startsOr(...others)}`);
    this.#take();
  }

  #member(): Expr {
    let expr = this.#primary();
    while (true) {
      const dot = this.#accept(".");
      if (dot) {
        expr = this.#afterDot(expr, dot);
        continue;
      }
      const bracket = this.#accept("[");
      if (!bracket) return expr;
      const optional = this.#accept("?") !== undefined;
      const index = this.#expression(optional ? [] : ["'?'"]);
      this.#expect("]");
      expr = this.#global(bracket.at, optional ? "_[?_]" : "_[_]", [expr, index]);
    }
  }

  #afterDot(operand: Expr, dot: Token): Expr {
    const optional = this.#accept("?") !== undefined;
    const token = this.#peek();
    if (token.kind === "symbol" && ["true", "false", "null"].includes(token.text)) this.#mismatch("IDENTIFIER");
    if (token.kind !== "identifier" && token.kind !== "escaped") {
      return this.#fail(token, `no viable alternative at input '.${token.kind === "end" ? "" : token.text}'`);
    }
    this.#take();
    const name = token.kind === "escaped" ? token.text.slice(1, -1) : token.text;
    if (optional) {
      const field: Expr = { kind: "literal", at: token.at, value: name };
      return { kind: "call", at: dot.at, name: "_?._", target: undefined, args: [operand, field] };
    }
    const open = token.kind === "identifier" ? this.#accept("(") : undefined;
    if (!open) return { kind: "select", at: dot.at, operand, field: name, test: false };
    const call: Call = { kind: "call", at: open.at, name: token.text, target: operand, args: this.#arguments() };
    return this.#expanded(call);
  }

  #arguments(): Expr[] {
    const args: Expr[] = [];
    if (this.#accept(")")) return args;
    this.#skipExtraneous(["')'"]);
    if (this.#accept(")")) return args;
    do args.push(this.#expression(args.length === 0 ? ["')'"] : [])); while (this.#accept(","));
    this.#expect(")");
    return args;
  }

  #global(at: number, name: string, args: Expr[]): Expr {
    return { kind: "call", at, name, target: undefined, args };
  }

  #expanded(call: Call): Expr {
    try {
      return expandMacro(call) ?? call;
    } catch (error) {
      if (!(error instanceof MacroError)) throw error;
      this.#issues.report(error.at, error.message);
      return call;
    }
  }

  #primary(): Expr {
    const token = this.#peek();
    switch (token.kind) {
      case "identifier":
        return this.#named(undefined);
      case "int":
      case "float":
      case "uint":
      case "string":
      case "bytes":
        return this.#literal(this.#take(), false);
    }
    if (token.kind === "symbol") {
      switch (token.text) {
        case "(":
          return this.#parenthesized();
        case "[":
          return this.#list();
        case "{":
          return this.#map();
        case "true":
        case "false":
          return { kind: "literal", at: this.#take().at, value: token.text === "true" };
        case "null":
          return { kind: "literal", at: this.#take().at, value: null };
        case "-":
          return this.#negative();
        case ".":
          return this.#named(this.#take());
      }
    }
    return this.#mismatch(startsOr());
  }

  #parenthesized(): Expr {
    this.#take();
    const inner = this.#expression();
    this.#expect(")");
    return inner;
  }

  #negative(): Expr {
    const sign = this.#take();
    if (!/^(?:int|float)$/.test(this.#peek().kind)) this.#mismatch(startsOr().replace("'!', ", ""));
    return this.#literal({ ...this.#take(), at: sign.at }, true);
  }

  #literal(token: Token, negative: boolean): Expr {
    const { at, text } = token, sign = negative ? -1n : 1n;
    const literal = (value: (Expr & { kind: "literal" })["value"]): Expr => ({ kind: "literal", at, value });
    const bad = (what: string): Expr => {
      this.#issues.report(at, what);
      return literal(null);
    };
    switch (token.kind) {
      case "int": {
        const value = sign * BigInt(text);
        return value > INT_MAX || value < -INT_MAX - 1n ? bad("invalid int literal") : literal(value);
      }
      case "uint": {
        const value = BigInt(text.slice(0, -1));
        return value >= 2n ** 64n ? bad("invalid uint literal") : literal(new Uint(value));
      }
      case "float": {
        const value = Number(sign) * Number(text);
        return Number.isFinite(value) ? literal(value) : bad("invalid double literal");
      }
    }
    try {
      return literal(token.kind === "bytes" ? unescapeText(text.slice(1), true) : unescapeText(text, false));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return bad(error.message);
    }
  }

  /** A name, a call of a global function, or a message. */
  #named(dot: Token | undefined): Expr {
    const token = this.#peek();
    if (token.kind !== "identifier") this.#mismatch("IDENTIFIER");
    const struct = this.#structName();
    if (struct !== undefined) return this.#struct((dot ? "." : "") + struct);
    this.#take();
    const name = (dot ? "." : "") + token.text;
    if (RESERVED.has(token.text)) this.#issues.report(dot?.at ?? token.at, `reserved identifier: ${token.text}`);
    const open = this.#accept("(");
    if (!open) return { kind: "ident", at: token.at, name };
    return this.#expanded({ kind: "call", at: open.at, name, target: undefined, args: this.#arguments() });
  }

  /** Consumes `a.b.C` if a brace follows. */
  #structName(): string | undefined {
    let end = this.#next;
    const names: string[] = [];
    while (this.#tokens[end]!.kind === "identifier") {
      names.push(this.#tokens[end]!.text);
      const after = this.#tokens[end + 1]!;
      if (after.kind === "symbol" && after.text === "{") {
        this.#next = end + 1;
        return names.join(".");
      }
      if (after.kind !== "symbol" || after.text !== ".") return undefined;
      end += 2;
    }
    return undefined;
  }

  #struct(name: string): Expr {
    const open = this.#expect("{");
    const fields: StructField[] = [];
    let comma = this.#accept(",") !== undefined, more = !comma && !this.#is("}");
    while (more) {
      const optional = this.#accept("?") !== undefined, field = this.#peek();
      if (field.kind !== "identifier") this.#mismatch(optional ? "{IDENTIFIER, ESC_IDENTIFIER}" : FIELD_STARTS);
      this.#take();
      const colon = this.#expect(":");
      fields.push({ at: colon.at, name: field.text, value: this.#expression(), optional });
      comma = this.#accept(",") !== undefined;
      more = comma && (this.#is("?") || this.#peek().kind === "identifier");
    }
    if (comma) this.#expect("}");
    else this.#close("}", false);
    return { kind: "struct", at: open.at, name, fields };
  }

  #list(): Expr {
    const open = this.#take();
    const items: { value: Expr; optional: boolean }[] = [];
    this.#items("]", (others) => {
      const optional = this.#accept("?") !== undefined;
      items.push({ value: this.#expression(optional ? [] : others), optional });
    });
    return { kind: "list", at: open.at, items };
  }

  #map(): Expr {
    const open = this.#take();
    const entries: MapEntry[] = [];
    this.#items("}", (others) => {
      const optional = this.#accept("?") !== undefined;
      const key = this.#expression(optional ? [] : others);
      const colon = this.#expect(":");
      entries.push({ at: colon.at, key, value: this.#expression(), optional });
    });
    return { kind: "map", at: open.at, entries };
  }

  /** Items up to a closing bracket, before which a comma may stand. */
  #items(closing: string, item: (others: string[]) => void): void {
    let comma = this.#accept(",") !== undefined;
    if (!comma && !this.#is(closing)) {
      do {
        item([`'${closing}'`, "','", "'?'"]);
        comma = this.#accept(",") !== undefined;
      } while (comma && (canStart(this.#peek()) || this.#is("?")));
    }
    this.#close(closing, comma || this.#is(closing));
  }
}
