/** A decoded text, with positions in the original. */
export interface TextView {
  readonly text: string;
  /** In the original. */
  startOf(index: number): number;
  /** In the original. */
  endOf(index: number): number;
}

/** Nested JSON in logs is not deeper. */
const DEPTH_MAX = 3;
/** Enough for three levels of JSON beside other encodings. */
const VIEWS_MAX = 16;

/** The text and its decodings: without JSON escapes, without percent-encoding, and one inside the other. */
export function viewsOf(text: string): TextView[] {
  const views: TextView[] = [{ text, startOf: (index) => index, endOf: (index) => index + 1 }];
  for (let depth = 0, from = 0; depth < DEPTH_MAX; depth++) {
    const to = views.length;
    for (const view of views.slice(from, to)) {
      for (const decode of [unescaped, percentDecoded, spaced]) {
        const decoded = decode(view);
        // Another order of decoding often gives the same text.
        if (!decoded || views.some(({ text }) => text === decoded.text)) continue;
        if (views.length < VIEWS_MAX) views.push(decoded);
      }
    }
    from = to;
  }
  return views;
}

/** Undefined for a single line. */
export function withoutWhitespace(view: TextView): TextView | undefined {
  return /[\r\n]/.test(view.text) ? rewritten(view, /\s+/g, () => "") : undefined;
}

const ESCAPES: ReadonlyMap<string, string> = new Map(
  Object.entries({ n: "\n", r: "\r", t: "\t", b: "\b", f: "\f", '"': '"', "'": "'", "/": "/", "\\": "\\" }),
);

function unescaped(view: TextView): TextView | undefined {
  if (!view.text.includes("\\")) return undefined;
  return rewritten(view, /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrtbf"'/\\]))/g, (_, unit, byte, letter) => {
    const code = unit ?? byte;
    return code === undefined ? ESCAPES.get(letter!)! : String.fromCharCode(Number.parseInt(code, 16));
  });
}

/** Each encoded byte as the character of its number: the bytes may not be UTF-8. */
function percentDecoded(view: TextView): TextView | undefined {
  if (!view.text.includes("%")) return undefined;
  return rewritten(view, /%([0-9a-f]{2})/gi, (_, byte) => String.fromCharCode(Number.parseInt(byte!, 16)));
}

/** A form's `+` is a space. */
function spaced(view: TextView): TextView | undefined {
  return view.text.includes("+") && view.text.includes("%") ? rewritten(view, /\+/g, () => " ") : undefined;
}

/** Replaces each match; undefined where nothing matches. */
function rewritten(
  view: TextView,
  pattern: RegExp,
  replace: (...found: (string | undefined)[]) => string,
): TextView | undefined {
  const { text } = view, starts = new Uint32Array(text.length), ends = new Uint32Array(text.length);
  let shown = "", from = 0, length = 0;
  const add = (start: number, end: number) => {
    starts[length] = start;
    ends[length++] = end;
  };
  const keep = (to: number) => {
    for (let index = from; index < to; index++) add(view.startOf(index), view.endOf(index));
    shown += text.slice(from, to);
  };
  for (const match of text.matchAll(pattern)) {
    keep(match.index);
    // Never longer than the match.
    const instead = replace(...match), end = match.index + match[0].length;
    for (let index = 0; index < instead.length; index++) add(view.startOf(match.index), view.endOf(end - 1));
    shown += instead;
    from = end;
  }
  if (from === 0) return undefined;
  keep(text.length);
  return { text: shown, startOf: (index) => starts[index]!, endOf: (index) => ends[index]! };
}
