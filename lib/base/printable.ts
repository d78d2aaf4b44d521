/**
 * Makes a line safe for a terminal. Control characters, which could move the cursor or hide text, become their
 * pictures; bidirectional marks a replacement character.
 */
export function printable(line: string): string {
  return line.replaceAll(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, (letter) => {
    const code = letter.charCodeAt(0);
    if (letter === "\t") return "  ";
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "\u2421" : "\ufffd";
  });
}

/**
 * The lines of a text, for an output in which each line stands for itself: later ones are indented, and so belong to
 * the first one.
 */
export function hangingLines(text: string, indent = "  "): string[] {
  return text.split("\n").map((line, nth) => nth === 0 ? line : `${indent}${line}`);
}
