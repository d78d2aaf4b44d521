import { shorten } from "./match.ts";
import { printable } from "../base/mod.ts";

/** Safe HTML; only {@linkcode html} makes it. */
export class Markup {
  readonly source: string;

  /** `source` is escaped where needed. */
  constructor(source: string) {
    this.source = source;
  }
}

/** A template's value: texts are escaped, markup is not, lists are joined. */
export type Part = string | number | Markup | readonly Part[];

/**
 * HTML from a template; escapes values for element content and quoted attributes. Drops the template's indentation,
 * which would be most of a large document.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const pieces = strings.map((piece) => piece.replaceAll(/\n\s*/g, "\n"));
  return new Markup(pieces.map((piece, nth) => nth === 0 ? piece : render(parts[nth - 1]!) + piece).join(""));
}

/** A text of unknown origin: control characters are visible, and a long text is cut with a note. */
export function text(value: string, lengthMax: number): string {
  return shorten(value, lengthMax).toWellFormed().split("\n").map(printable).join("\n");
}

function render(part: Part): string {
  if (part instanceof Markup) return part.source;
  if (typeof part === "object") return part.map(render).join("");
  return `${part}`.replaceAll(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
