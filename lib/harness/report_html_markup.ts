import { shorten } from "./match.ts";
import { printable } from "../base/mod.ts";

/** HTML that is safe to stand in a document: only {@linkcode html} makes it. */
export class Markup {
  /** The text of it. */
  readonly source: string;

  /** `source` has been escaped where that was needed. */
  constructor(source: string) {
    this.source = source;
  }
}

/** What may stand in a template: texts are escaped, markup is not, lists are joined. */
export type Part = string | number | Markup | readonly Part[];

/**
 * A piece of HTML from a template whose values are escaped, for element content and quoted attributes alike. The
 * template's own indentation is left out: it would be most of a large document.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const pieces = strings.map((piece) => piece.replaceAll(/\n\s*/g, "\n"));
  return new Markup(pieces.map((piece, nth) => nth === 0 ? piece : render(parts[nth - 1]!) + piece).join(""));
}

/** A text of unknown origin and length: control characters show, and what is too long is cut, with a note. */
export function text(value: string, lengthMax: number): string {
  return shorten(value, lengthMax).toWellFormed().split("\n").map(printable).join("\n");
}

function render(part: Part): string {
  if (part instanceof Markup) return part.source;
  if (typeof part === "object") return part.map(render).join("");
  return `${part}`.replaceAll(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
