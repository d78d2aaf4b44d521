/** Characters of two columns in a terminal, and combining marks. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const ON_TOP = /[\p{Mn}\p{Me}\p{Cf}]/u;

function letterWidth(letter: string): number {
  return WIDE.test(letter) ? 2 : ON_TOP.test(letter) ? 0 : 1;
}

/** Of a text without control characters. */
export function textWidth(text: string): number {
  let width = 0;
  for (const letter of text) width += letterWidth(letter);
  return width;
}

/** A text of more than `widthMax` columns is cut, and ends with `…`. */
export function cutToWidth(text: string, widthMax: number): string {
  if (textWidth(text) <= widthMax) return text;
  let cut = "", width = 0;
  for (const letter of text) {
    width += letterWidth(letter);
    if (width > widthMax - 1) break;
    cut += letter;
  }
  return widthMax < 1 ? "" : `${cut}…`;
}

/**
 * The first `lengthMax` UTF-16 units, no character cut in two: UTF-8, and so an API server, cannot hold half of one.
 * Unpaired surrogates become U+FFFD.
 *
 * @example
 * ```ts
 * import { truncate } from "@pintle/pintle/client";
 * if (truncate("ab😀", 3) !== "ab") throw new Error("the third unit is half of the face");
 * ```
 */
export function truncate(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text.toWellFormed();
  const last = text.charCodeAt(lengthMax - 1), splits = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, Math.max(0, splits ? lengthMax - 1 : lengthMax)).toWellFormed();
}
