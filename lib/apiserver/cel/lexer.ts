import type { Issues } from "./issues.ts";

export type TokenKind = "int" | "uint" | "float" | "string" | "bytes" | "identifier" | "escaped" | "symbol" | "end";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly at: number;
}

const SPACE = /(?:[\t \r\n\f]+|\/\/[^\n]*)+/y;
const FLOAT = /\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?/y;
const UINT = /0x[0-9a-fA-F]+[uU]|\d+[uU]/y;
const INT = /0x[0-9a-fA-F]+|\d+/y;
const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y;
const ESCAPED = /`[A-Za-z0-9_.\-/ ]+`/y;
const SYMBOL = /==|!=|<=|>=|&&|\|\||[<>[\]{}().,\-!?:+*/%]/y;
const ESCAPE = String
  .raw`\\(?:[abfnrtv"'\\?${"`"}]|[0-3][0-7][0-7]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})`;
const STRING = new RegExp(
  [
    `[rR]"""[^]*?"""`,
    `[rR]'''[^]*?'''`,
    `[rR]"[^"\\n\\r]*"`,
    `[rR]'[^'\\n\\r]*'`,
    `"""(?:${ESCAPE}|[^\\\\])*?"""`,
    `'''(?:${ESCAPE}|[^\\\\])*?'''`,
    `"(?:${ESCAPE}|[^\\\\"\\n\\r])*"`,
    `'(?:${ESCAPE}|[^\\\\'\\n\\r])*'`,
  ].join("|"),
  "y",
);

/** CEL's keywords that are symbols of the grammar. */
const KEYWORDS = new Set(["in", "true", "false", "null"]);

/** Splits the source; what is no token is reported and left out. */
export function tokensOf(source: string, issues: Issues): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp, from: number): string | undefined => {
    pattern.lastIndex = from;
    return pattern.exec(source)?.[0];
  };
  while (true) {
    at += match(SPACE, at)?.length ?? 0;
    if (at >= source.length) break;
    const token = tokenAt(source, at, match);
    if (token) {
      tokens.push(token);
      at += token.text.length;
      continue;
    }
    const bad = unrecognized(source, at);
    issues.report(at, `Syntax error: token recognition error at: '${bad}'`);
    at += bad.length;
  }
  tokens.push({ kind: "end", text: "<EOF>", at: source.length });
  return tokens;
}

type Match = (pattern: RegExp, from: number) => string | undefined;

function tokenAt(source: string, at: number, match: Match): Token | undefined {
  const string = match(STRING, at);
  if (string !== undefined) return { kind: "string", text: string, at };
  if (/[bB]/.test(source[at]!)) {
    const bytes = match(STRING, at + 1);
    if (bytes !== undefined) return { kind: "bytes", text: source[at]! + bytes, at };
  }
  for (const [kind, pattern] of [["float", FLOAT], ["uint", UINT], ["int", INT]] as const) {
    const text = match(pattern, at);
    if (text !== undefined) return { kind, text, at };
  }
  const identifier = match(IDENTIFIER, at);
  if (identifier !== undefined) {
    return { kind: KEYWORDS.has(identifier) ? "symbol" : "identifier", text: identifier, at };
  }
  const escaped = match(ESCAPED, at);
  if (escaped !== undefined) return { kind: "escaped", text: escaped, at };
  const symbol = match(SYMBOL, at);
  return symbol === undefined ? undefined : { kind: "symbol", text: symbol, at };
}

/** How far ANTLR's lexer reads before it gives up: a string up to its line's end, else one letter after `&` or `|`. */
function unrecognized(source: string, at: number): string {
  const letter = String.fromCodePoint(source.codePointAt(at)!);
  if (letter === '"' || letter === "'") {
    const read = new RegExp(`${letter}(?:${ESCAPE}|[^\\\\${letter}\\n\\r])*`, "y");
    read.lastIndex = at;
    const end = at + read.exec(source)![0].length;
    const begun = /^\\(?:[xX][0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7}|[0-3][0-7]?)?/.exec(source.slice(end));
    return source.slice(at, end + (begun?.[0].length ?? 0) + 1);
  }
  if (/[&|=]/.test(letter)) return source.slice(at, at + 2);
  return letter;
}

/** @throws {RangeError} for a code point that does not exist. */
export function unescapeText(token: string, bytes: false): string;
export function unescapeText(token: string, bytes: true): Uint8Array;
export function unescapeText(token: string, bytes: boolean): string | Uint8Array {
  let text = token.replaceAll(/\r\n?/g, "\n");
  const raw = /^[rR]/.test(text);
  if (raw) text = text.slice(1);
  const quotes = text.length >= 6 && (text.startsWith(`"""`) || text.startsWith("'''")) ? 3 : 1;
  text = text.slice(quotes, -quotes);
  if (raw || !text.includes("\\")) return bytes ? new TextEncoder().encode(text) : text;
  const parts: (string | number)[] = [];
  const pattern = /\\([xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7][0-7]|[^])|[^\\]+/g;
  for (const [all, escape] of text.matchAll(pattern)) parts.push(escape === undefined ? all : unescaped(escape, bytes));
  if (!bytes) return parts.map((part) => typeof part === "number" ? String.fromCodePoint(part) : part).join("");
  return Uint8Array.from(
    parts.flatMap((part) => typeof part === "number" ? [part] : [...new TextEncoder().encode(part)]),
  );
}

const SIMPLE: Record<string, string> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

function unescaped(escape: string, bytes: boolean): string | number {
  if (/^[xX]./.test(escape)) return Number.parseInt(escape.slice(1), 16);
  if (/^[uU]./.test(escape)) {
    if (bytes) throw new RangeError("unable to unescape string");
    const code = Number.parseInt(escape.slice(1), 16);
    if (code > 0x10ffff || code >= 0xd800 && code <= 0xdfff) throw new RangeError("invalid unicode code point");
    return code;
  }
  if (/^[0-3]../.test(escape)) return Number.parseInt(escape, 8);
  return SIMPLE[escape] ?? escape;
}
