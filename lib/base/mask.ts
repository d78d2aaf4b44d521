import { WindowSet } from "./window_set.ts";
import { isObject } from "./json.ts";
import { type TextView, viewsOf, withoutWhitespace } from "./text_view.ts";

/** Replaces a secret value. */
export const MASKED = "[secret]";

/** No so many consecutive characters of a value are shown. */
const LENGTH = 8;
/** Values are indexed by windows of so many bytes: eight base64 characters hold them whole, at any alignment. */
const BYTES = 5;
const UTF8 = new TextEncoder();
/** No Secret holds more than 1 MiB. */
const VALUE_LENGTH_MAX = 2 ** 20;
const TEXT_LENGTH_MAX = 2 ** 20;
const DEPTH_MAX = 64;

export interface MaskOptions {
  /** At least so many characters of values, at most twice as many; 256 Ki where absent. */
  readonly charactersMax?: number;
  /** Shorter values are ordinary words, and not masked. 6 where absent. */
  readonly lengthMin?: number;
}

export type MaskedValue = string | Uint8Array;

/**
 * Masks secret values in all texts: log lines, Events, conditions, plans, reports, errors.
 *
 * Guarantees: no 8 characters in a row of a known value are shown. That holds for values as they are, without
 * whitespace or split over lines, base64 at any alignment (both alphabets), hexadecimal of at least five bytes,
 * percent-encoded, and escaped as in JSON up to three times. Values of 6 and 7 characters are masked as whole words.
 * The text around a value stays.
 *
 * Assumes that values are learned before. Memory is bounded: the oldest values go first. Learning keeps a reference;
 * values are read when a text is next masked.
 *
 * A single word of Kubernetes, as `namespace`, stays: a kubeconfig in a Secret must not make log lines unreadable.
 *
 * @example
 * ```ts
 * import { Mask } from "./mask.ts";
 * const mask = new Mask(), data = { password: "admin-prod-S3cr3t" };
 * mask.learn(data, 17, () => [data.password]);
 * if (mask.text("login with admin-prod-S3… failed") !== "login with [secret]… failed") throw new Error("a part");
 * ```
 */
export class Mask {
  readonly #charactersMax: number;
  readonly #lengthMin: number;
  #young = new Generation();
  #old = new Generation();
  readonly #pending = new Map<object, { readonly length: number; readonly values: () => Iterable<MaskedValue> }>();
  #pendingLength = 0;
  readonly #learned = new WeakMap<object, Generation>();

  constructor({ charactersMax = 2 ** 18, lengthMin = 6 }: MaskOptions = {}) {
    this.#charactersMax = charactersMax;
    this.#lengthMin = lengthMin;
  }

  /**
   * Learns the values of `source`, an immutable object, of about `length` characters. Cheap: `values` is called when a
   * text is next masked, if ever.
   */
  learn(source: object, length: number, values: () => Iterable<MaskedValue>): void {
    if (this.#learned.get(source) === this.#young || this.#pending.has(source)) return;
    this.#pending.set(source, { length, values });
    this.#pendingLength += length;
    if (this.#pendingLength <= 2 * this.#charactersMax) return;
    for (const [oldest, { length: freed }] of this.#pending) {
      if (this.#pendingLength <= 2 * this.#charactersMax || oldest === source) break;
      this.#pending.delete(oldest);
      this.#pendingLength -= freed;
    }
  }

  /** Text over 1 Mi characters is cut: searching it would block for seconds. */
  text(text: string): string {
    if (this.#pending.size > 0) this.#readPending();
    if (this.#young.isEmpty && this.#old.isEmpty || text.length < this.#lengthMin) return text;
    if (text.length > TEXT_LENGTH_MAX) {
      return `${this.text(text.slice(0, TEXT_LENGTH_MAX))}… (${text.length} characters)`;
    }
    const marks = new Marks(text);
    for (const view of viewsOf(text)) {
      this.#scan(view, marks);
      // A value split over lines, as base64 in PEM and MIME.
      const joined = withoutWhitespace(view);
      if (joined) this.#scan(joined, marks);
    }
    return marks.replaced((word) => this.#young.words.has(word) || this.#old.words.has(word));
  }

  /** The value becomes JSON; an Error becomes its text. Texts stay where `isPublic` returns true. */
  json<T>(value: T, isPublic: (text: string) => boolean = () => false): T {
    return this.#json(value, isPublic, 0) as T;
  }

  #json(value: unknown, isPublic: (text: string) => boolean, depth: number): unknown {
    if (typeof value === "string") {
      const masked = this.text(value);
      return masked === value || isPublic(value) ? value : masked;
    }
    // Deeper than any object of Kubernetes, or circular.
    if (depth > DEPTH_MAX && typeof value === "object" && value !== null) return "…";
    if (Array.isArray(value)) return value.map((item) => this.#json(item, isPublic, depth + 1));
    if (value instanceof Error) return this.text(`${value}`);
    if (!isObject(value)) return value;
    if (typeof value.toJSON === "function") return this.#json(value.toJSON(), isPublic, depth + 1);
    // Made of entries, not by assignments: `__proto__` is an ordinary key.
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#json(item, isPublic, depth + 1)]));
  }

  #readPending(): void {
    for (const [source, { values }] of this.#pending) {
      for (const value of values()) this.#young.add(value, this.#lengthMin);
      this.#learned.set(source, this.#young);
      if (this.#young.size < this.#charactersMax) continue;
      this.#old = this.#young;
      this.#young = new Generation();
    }
    this.#pending.clear();
    this.#pendingLength = 0;
  }

  #scan(view: TextView, marks: Marks): void {
    const { text } = view, [one, other] = [this.#young, this.#old];
    const isKnown = (low: number, high: number) => one.windows.has(low, high) || other.windows.has(low, high);
    for (const bytes of readingsOf(text)) {
      for (const [from, to] of knownRuns(text, bytes, isKnown)) marks.mark(view, from, to);
    }
    const markKnown = (low: number, high: number, from: number, to: number) => {
      if (isKnown(low, high)) marks.mark(view, from, to);
    };
    for (const { 0: run, index } of text.matchAll(/[A-Za-z0-9+/_-]{8,}/g)) eachBase64Window(run, index, markKnown);
    for (const { 0: run, index } of text.matchAll(/[0-9a-fA-F]{10,}/g)) eachHexWindow(run, index, markKnown);
    for (const { words } of [one, other]) if (words.size > 0) markWords(view, words, this.#lengthMin, marks);
  }
}

/** Values of about the same time, cut into windows: every part is known without a list of values. */
class Generation {
  readonly windows = new WindowSet();
  /** Masked as whole words only. */
  readonly words = new Set<string>();

  get isEmpty(): boolean {
    return this.size === 0;
  }

  get size(): number {
    return this.windows.size + this.words.size;
  }

  add(value: MaskedValue, lengthMin: number): void {
    const text = typeof value === "string" ? value : new TextDecoder().decode(value.subarray(0, VALUE_LENGTH_MAX));
    const trimmed = text.trim(), add = (low: number, high: number) => this.windows.add(low, high);
    if (trimmed.length < lengthMin) return;
    if (trimmed.length < LENGTH || VOCABULARY.has(trimmed)) this.words.add(trimmed);
    const bytes = typeof value === "string" ? UTF8.encode(value) : value;
    eachWindow(bytes.subarray(0, VALUE_LENGTH_MAX), add);
    // Without whitespace a value has further windows.
    const words = text.slice(0, VALUE_LENGTH_MAX).split(/\s+/), joined = words.join("");
    let joint = 0;
    for (const { length } of words.slice(0, -1)) {
      joint += length;
      eachWindow(UTF8.encode(joined.slice(Math.max(0, joint - BYTES), joint + BYTES)), add);
    }
  }
}

class Marks {
  readonly #text: string;
  #marked: Uint8Array | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** Marks the original of `view`'s characters from `from` to `to`. */
  mark(view: TextView, from: number, to: number): void {
    this.#marked ??= new Uint8Array(this.#text.length);
    this.#marked.fill(1, view.startOf(from), view.endOf(to - 1));
  }

  replaced(isValue: (word: string) => boolean): string {
    const marked = this.#marked, text = this.#text;
    if (!marked) return text;
    let shown = "", from = 0;
    while (true) {
      const start = marked.indexOf(1, from);
      if (start < 0) return shown + text.slice(from);
      let end = marked.indexOf(0, start);
      if (end < 0) end = text.length;
      // By trimming, not by patterns: a value of 1 MiB of whitespace must not stop the operator.
      const run = text.slice(start, end);
      const before = run.slice(0, run.length - run.trimStart().length), after = run.slice(run.trimEnd().length);
      const instead = isVocabulary(text, start, end, isValue) ? run.trim() : MASKED;
      // A value's trailing line break also ends the line that quotes it.
      shown += text.slice(from, start) + before + instead + after;
      from = end;
    }
  }
}

/** Of 8 letters and more, in Kubernetes' objects and this program's messages. */
const VOCABULARY = new Set([
  ...["annotations", "apiVersion", "authority", "certificate", "clusters", "conditions", "configuration", "connection"],
  ...[
    "container",
    "contexts",
    "credentials",
    "database",
    "deployment",
    "endpoint",
    "finalizers",
    "https",
    "kubernetes",
  ],
  ...[
    "metadata",
    "namespace",
    "namespaces",
    "operator",
    "password",
    "permission",
    "postgres",
    "postgresql",
    "production",
  ],
  ...["resource", "resources", "resourceVersion", "selector", "template", "username", "localhost", "CERTIFICATE"],
]);

function isVocabulary(text: string, start: number, end: number, isValue: (word: string) => boolean): boolean {
  const run = text.slice(start, end), [word = ""] = /[A-Za-z0-9](?:.*[A-Za-z0-9])?/s.exec(run) ?? [];
  if (!VOCABULARY.has(word) || isValue(word)) return false;
  const at = start + run.indexOf(word);
  return isEdge(text, at) && isEdge(text, at + word.length);
}

function isEdge(text: string, at: number): boolean {
  return !(isLetter(text.charCodeAt(at - 1)) && isLetter(text.charCodeAt(at)));
}

/** NaN, before and after a text, is no letter. */
function isLetter(unit: number): boolean {
  return unit >= 48 && unit <= 57 || unit >= 65 && unit <= 90 || unit >= 97 && unit <= 122 || unit >= 128;
}

function markWords(view: TextView, words: ReadonlySet<string>, lengthMin: number, marks: Marks): void {
  const { text } = view;
  for (let start = 0; start + lengthMin <= text.length; start++) {
    if (!isEdge(text, start)) continue;
    for (let length = lengthMin; length < LENGTH && start + length <= text.length; length++) {
      if (isEdge(text, start + length) && words.has(text.slice(start, start + length))) {
        marks.mark(view, start, start + length);
      }
    }
  }
}

/** Calls `found` with every five bytes in a row, as 32 and 8 bits, and their end. */
function eachWindow(bytes: Uint8Array, found: (low: number, high: number, end: number) => void): void {
  let low = 0, high = 0;
  for (let index = 0; index < bytes.length; index++) {
    low = low << 8 | high;
    high = bytes[index]!;
    if (index >= BYTES - 1) found(low, high << 1, index + 1);
  }
}

/** UTF-8, and for text with one character per byte (as of `atob`, or `\xff`) these bytes. */
function readingsOf(text: string): Uint8Array[] {
  const encoded = UTF8.encode(text);
  if (!/[\x80-\xff]/.test(text)) return [encoded];
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit <= 0xff) bytes[index] = unit;
  }
  return [encoded, bytes];
}

/** Runs of at least 8 characters with known windows. */
function* knownRuns(
  text: string,
  bytes: Uint8Array,
  isKnown: (low: number, high: number) => boolean,
): Generator<[from: number, to: number]> {
  const runs: number[] = [];
  eachWindow(bytes, (low, high, end) => {
    if (!isKnown(low, high)) return;
    if (runs.length > 0 && runs.at(-1)! === end - 1) runs[runs.length - 1] = end;
    else runs.push(end - BYTES, end);
  });
  const characterAt = bytes.length === text.length ? (byte: number) => byte : charactersOf(text, bytes.length);
  for (let run = 0; run < runs.length; run += 2) {
    const from = characterAt(runs[run]!), to = characterAt(runs[run + 1]! - 1) + 1;
    if (to - from >= LENGTH && text.slice(from, to).trim() !== "") yield [from, to];
  }
}

function charactersOf(text: string, length: number): (byte: number) => number {
  const characters = new Uint32Array(length);
  let byte = 0, index = 0;
  for (const character of text) {
    const { length: size } = UTF8.encode(character);
    // A low surrogate ends the character of its high surrogate.
    characters.fill(index, byte, byte + size);
    if (character.length > 1) characters.fill(index + 1, byte + size / 2, byte + size);
    byte += size;
    index += character.length;
  }
  return (at) => characters[at]!;
}

/** Six bits by character code, for both base64 alphabets. */
const SEXTET_OF = new Uint8Array(128);
for (let value = 0; value < 64; value++) {
  // Not toBase64: Node 24, which lacks it, loads this module too.
  const letter = btoa(String.fromCharCode(value << 2))[0]!;
  for (const each of [letter, letter.replace("+", "-").replace("/", "_")]) SEXTET_OF[each.charCodeAt(0)] = value;
}

/** Calls `found` with every five bytes of a base64 run, wherever their first bit is. */
function eachBase64Window(
  run: string,
  start: number,
  found: (low: number, high: number, from: number, to: number) => void,
): void {
  const at = (index: number) => index < run.length ? SEXTET_OF[run.charCodeAt(index)]! : 0;
  // Eight characters as two halves of 24 bits.
  let first = at(0) << 12 | at(1) << 6 | at(2), second = at(3) << 18 | at(4) << 12 | at(5) << 6 | at(6);
  for (let index = 0, from = start; index + 7 <= run.length; index++, from++) {
    first = (first << 6 | second >>> 18) & 0xffffff;
    second = (second << 6 | at(index + 7)) & 0xffffff;
    found(first << 8 | second >>> 16, (second >>> 8 & 0xff) << 1, from, from + 7);
    found(first << 10 | second >>> 14, (second >>> 6 & 0xff) << 1, from, from + 7);
    if (index + 8 <= run.length) found(first << 12 | second >>> 12, (second >>> 4 & 0xff) << 1, from, from + 8);
  }
}

/** Calls `found` with every five bytes of a hexadecimal run. */
function eachHexWindow(
  run: string,
  start: number,
  found: (low: number, high: number, from: number, to: number) => void,
): void {
  const digit = (index: number) => Number.parseInt(run[index]!, 16);
  for (let index = 0; index + 2 * BYTES <= run.length; index++) {
    let low = 0;
    for (let place = 0; place < 8; place++) low = low << 4 | digit(index + place);
    const from = start + index;
    found(low, (digit(index + 8) << 4 | digit(index + 9)) << 1, from, from + 2 * BYTES);
  }
}
